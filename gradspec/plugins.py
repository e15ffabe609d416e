"""Where backends and plugins come from.

The built-in backends are a static table, so nothing is looked for when only they are asked for. All
others are entry points: listed without being imported, imported when selected, and when one is
broken that is a row in a table, never a crash. `GRADSPEC_PLUGINS` (distribution or entry-point names,
separated by commas; empty for none) restricts which are seen.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gradspec.errors import BackendUnavailable, UsageError, did_you_mean
from gradspec.records import NamedTuple

if TYPE_CHECKING:
    from pluggy import PluginManager

    from gradspec.backends.base import Backend
    from gradspec.entry_points import EntryPoint

__all__ = [
    "AVAILABLE", "BROKEN", "BUILT_IN", "MISSING", "BackendRow", "known_failures", "list_backends",
    "load_backend", "plugin_manager", "reporters",
]  # fmt: skip

BUILT_IN = {
    "python": "gradspec.backends.python:PythonBackend",
    "numpy": "gradspec.backends.numpy:NumpyBackend",
    "torch": "gradspec.backends.torch:TorchBackend",
}
NEEDS = {"numpy": ("numpy", "pip install numpy"), "torch": ("torch", "pip install gradspec[torch]")}
GROUP = "gradspec.backends"
HOOKS = "gradspec"
VARIABLE = "GRADSPEC_PLUGINS"

AVAILABLE, MISSING, BROKEN = "available", "not installed", "broken"


class BackendRow(NamedTuple):
    """A line of `gradspec backends`. `origin`: "built in", or the distribution with its version;
    `status`: available, not installed or broken; `detail`: a version, what to install, or the reason."""

    name: str
    origin: str
    status: str
    detail: str = ""


def list_backends(load: bool = False) -> list[BackendRow]:
    """All backends, the built-in ones first. With `load` each is imported, which is the only way to
    learn its framework's version or that its import fails; without, nothing is imported."""
    rows = [_built_in_row(name, load) for name in BUILT_IN]
    taken = dict.fromkeys(BUILT_IN, "built in")
    for point in _points(GROUP):
        if point.fault:
            rows.append(BackendRow(point.name, point.origin, BROKEN, point.fault))
        elif point.name in taken:
            detail = f'the name "{point.name}" is taken ({taken[point.name]})'
            rows.append(BackendRow(point.name, point.origin, BROKEN, detail))
        else:
            taken[point.name] = point.origin
            rows.append(_plugin_row(point, load))
    return rows


def load_backend(name: str) -> Backend:
    """The backend called `name`, its framework loaded.

    Raises `UsageError` for a name that nobody has, `BackendUnavailable` where loading fails.
    """
    if name in BUILT_IN:
        return _built_in(name)
    points = _points(GROUP)
    for point in points:
        if point.name == name and not point.fault:
            return _from_point(point)
    for point in points:
        if point.name == name:
            raise BackendUnavailable(f'backend "{name}" of {point.origin} cannot be loaded: {point.fault}')
    if any(point.name == name for point in _points(GROUP, restricted=False)):
        raise BackendUnavailable(f'backend "{name}" is left out by {VARIABLE}={os.environ[VARIABLE]!r}')
    hint = did_you_mean(name, [*BUILT_IN, *(point.name for point in points)])
    raise UsageError(f'no backend "{name}": {hint + " " if hint else ""}`gradspec backends` lists all')


def plugin_manager(broken: list[BackendRow] | None = None) -> PluginManager | None:
    """A plugin manager with all plugins of the group `gradspec` registered; None where there is none
    (pluggy is not imported then). What cannot be loaded is left out and appended to `broken`."""
    points = _points(HOOKS)
    if not points:
        return None
    import pluggy

    from gradspec import hookspecs

    manager = pluggy.PluginManager("gradspec")
    manager.add_hookspecs(hookspecs)
    for point in points:
        try:
            if point.fault:
                raise UsageError(point.fault)
            plugin = _import(point.value)
            manager.register(plugin, name=f"{point.distribution}:{point.name}")
            _check_hooks(manager, plugin)
        except Exception as error:
            manager.unregister(name=f"{point.distribution}:{point.name}")
            if broken is not None:
                broken.append(BackendRow(point.name, point.origin, BROKEN, _reason(error)))
    return manager


def known_failures(backend: str) -> dict[str, str]:
    """What plugins say is known to differ on a backend that one of them brings: glob over spec ids →
    reason. Raises UsageError where a plugin cannot say it."""
    manager = None if backend in BUILT_IN else plugin_manager()
    found: dict[str, str] = {}
    try:
        for known in manager.hook.gradspec_known_failures(backend=backend) if manager is not None else ():
            found.update({str(glob): str(reason) for glob, reason in (known or {}).items()})
    except Exception as error:
        text = f"the known failures that a plugin brings for {backend}: {_reason(error)}"
        raise UsageError(text) from error
    return found


def reporters() -> dict[str, Any]:
    """The reporters of plugins, by the kind that `--report KIND=FILE` gives."""
    manager = plugin_manager()
    found: dict[str, Any] = {}
    for some in manager.hook.gradspec_reporters() if manager is not None else ():
        found.update(some or {})
    return found


def _check_hooks(manager: PluginManager, plugin: Any) -> None:
    """A function marked as a hook that gradspec does not have is a fault of the plugin."""
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            known = [name for name in vars(manager.hook) if not name.startswith("_")]
            hint = did_you_mean(caller.name, [name for name in known if name != caller.name])
            raise UsageError(f"no hook {caller.name}" + (f": {hint}" if hint else ""))


def _points(group: str, restricted: bool = True) -> list[EntryPoint]:
    from gradspec.entry_points import entry_points

    wanted = os.environ.get(VARIABLE) if restricted else None
    if wanted is None:
        return entry_points(group)
    names = {name.strip().lower().replace("_", "-") for name in wanted.split(",")} - {""}
    if not names:
        return []
    return [point for point in entry_points(group) if names & {point.distribution, point.name.lower()}]


def _import(value: str) -> Any:
    """What `module:attribute` names."""
    from importlib import import_module

    module, _, attributes = value.partition(":")
    found: Any = import_module(module.strip())
    for attribute in attributes.strip().split(".") if attributes.strip() else ():
        found = getattr(found, attribute)
    return found


def _reason(error: BaseException) -> str:
    from gradspec.errors import GradspecError

    text = " ".join(str(error).split())
    return text if isinstance(error, GradspecError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _built_in(name: str) -> Backend:
    try:
        return _instance(_import(BUILT_IN[name]))
    except ImportError as error:
        install = NEEDS.get(name, ("", "pip install gradspec"))[1]
        raise BackendUnavailable(f'backend "{name}" needs what is not here ({error}): {install}') from error


def _from_point(point: EntryPoint) -> Backend:
    try:
        return _instance(_import(point.value))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        text = f'backend "{point.name}" of {point.origin} cannot be loaded: {_reason(error)}'
        raise BackendUnavailable(text) from error


def _instance(found: Any) -> Backend:
    from gradspec.backends.base import Backend

    made = found() if callable(found) else found
    if not isinstance(made, Backend):
        raise BackendUnavailable(f"{found!r} is no subclass of gradspec.backends.base.Backend")
    return made


def _installed(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _built_in_row(name: str, load: bool) -> BackendRow:
    module, install = NEEDS.get(name, ("", ""))
    if module and not _installed(module):
        return BackendRow(name, "built in", MISSING, install)
    return _loaded_row(BackendRow(name, "built in", AVAILABLE), load)


def _plugin_row(point: EntryPoint, load: bool) -> BackendRow:
    row = BackendRow(point.name, point.origin, AVAILABLE)
    if not _installed(point.module):
        return row._replace(status=BROKEN, detail=f"no module named {point.module.partition('.')[0]}")
    return _loaded_row(row, load)


def _loaded_row(row: BackendRow, load: bool) -> BackendRow:
    if not load:
        return row
    try:
        return row._replace(detail=load_backend(row.name).version)
    except BackendUnavailable as error:
        cause = error.__cause__
        return row._replace(status=BROKEN, detail=str(error) if cause is None else _reason(cause))
    except Exception as error:
        return row._replace(status=BROKEN, detail=_reason(error))
