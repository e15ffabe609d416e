"""The pytest plugin: every spec of a `*.gradspec.yaml` is collected, with one test for each backend.

Node ids are `file.gradspec.yaml::spec.id::backend`. Autoloaded in every pytest run of an environment,
so nothing is imported here but pytest, and nothing happens unless a spec file is collected.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradspec.errors import BackendUnavailable, GradspecError, SpecError, UsageError

if TYPE_CHECKING:
    from gradspec.runner.known_failures import KnownFailures
    from gradspec.runner.support import Support
    from gradspec.runner.verdict import Verdict
    from gradspec.spec.model import Spec

__all__ = [
    "Mismatch", "SpecFile", "SpecItem", "SpecNode", "Suite", "pytest_addoption", "pytest_collect_file",
    "pytest_configure", "pytest_runtest_makereport",
]  # fmt: skip

SUFFIXES = (".gradspec.yaml", ".gradspec.yml")
DEFAULT = ("python", "numpy")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradspec", "specs of automatic differentiation (*.gradspec.yaml)")
    group.addoption(
        "--gradspec-backend", action="append", metavar="NAME", default=[],
        help="run specs on this backend, and have an error where it is not available; repeatable"
        f" (default: {' and '.join(DEFAULT)}, skipped where not available)",
    )  # fmt: skip
    group.addoption(
        "--gradspec-known-failures", metavar="PATH",
        help="what may fail, and must: a directory of files BACKEND.yaml, or one of them"
        " (default: gradspec-known-failures in the root directory, if there is one)",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "gradspec: a spec of automatic differentiation; its backend is a mark too"
    )
    for name in config.getoption("gradspec_backend"):
        _must_be_installed(name)


def _must_be_installed(name: str) -> None:
    """Refuse a backend that nobody has or that is not installed, without importing any."""
    from gradspec.errors import did_you_mean
    from gradspec.plugins import AVAILABLE, list_backends

    rows = {row.name: row for row in list_backends()}
    if name not in rows:
        hint = did_you_mean(name, list(rows)) or f"there are {', '.join(rows)}"
        raise pytest.UsageError(f'--gradspec-backend: no backend "{name}"; {hint}')
    if rows[name].status != AVAILABLE:
        raise pytest.UsageError(
            f'--gradspec-backend: backend "{name}" is {rows[name].status}: {rows[name].detail}'
        )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    if file_path.name.endswith(SUFFIXES):
        return SpecFile.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A skipped spec is shown where it stands, not where this plugin skips it."""
    report = yield
    if isinstance(item, SpecItem) and report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), item.spec.line, report.longrepr[2])
    return report


class Suite:
    """What the specs of one pytest run share: backends, each loaded once, and what is known to fail."""

    def __init__(self, config: pytest.Config) -> None:
        from gradspec.config import find
        from gradspec.spec.model import SCOPES

        self.project = find(str(config.rootpath))
        said = self.project.values if self.project is not None else {}
        named = config.getoption("gradspec_backend") or said.get("backends", ())
        self.named = bool(named)
        self.backends: tuple[str, ...] = tuple(dict.fromkeys(named or DEFAULT))
        for name in self.backends:
            config.addinivalue_line("markers", f"{name}: specs on the backend {name}")
        for scope in SCOPES:
            config.addinivalue_line("markers", f"gradspec_{scope}: specs of the scope {scope}")
        self.known = _known_failures(config, said, self.backends)
        self.ids: dict[str, Spec] = {}
        self._loaded: dict[str, Support | str] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> Suite:
        if _SUITE not in config.stash:
            config.stash[_SUITE] = cls(config)
        return config.stash[_SUITE]

    def backend(self, name: str) -> Support | str:
        """The backend, or why it cannot be loaded."""
        if name not in self._loaded:
            from gradspec.plugins import load_backend
            from gradspec.runner.support import Support

            try:
                self._loaded[name] = Support(load_backend(name))
            except (BackendUnavailable, UsageError) as error:
                self._loaded[name] = str(error)
        return self._loaded[name]


_SUITE = pytest.StashKey[Suite]()


def _known_failures(
    config: pytest.Config, said: Mapping[str, Any], backends: tuple[str, ...]
) -> KnownFailures:
    """What is known to fail, from where `gradspec run` has it too."""
    from gradspec.config import DIRECTORY
    from gradspec.plugins import known_failures
    from gradspec.runner.known_failures import load

    path: str | None = config.getoption("gradspec_known_failures")
    if path:
        path = str(config.invocation_params.dir / path)
    elif "known-failures" in said:
        path = said["known-failures"]
    elif (default := config.rootpath / DIRECTORY).is_dir():
        path = str(default)
    return load(path, backends, known_failures)


class SpecFile(pytest.File):
    """A spec file; its faults are an error of collection, each with its place."""

    def collect(self) -> Iterator[SpecNode]:
        from gradspec.spec.load import load_file, repeated_id

        try:
            suite = Suite.of(self.config)
            specs = load_file(_shown(self.path, self.config))
            specs = specs if suite.project is None else suite.project.as_tolerant(specs)
            repeated = [
                repeated_id(spec, first)
                for spec in specs
                if (first := suite.ids.setdefault(spec.id, spec)).file != spec.file
            ]
            if repeated:
                raise SpecError(repeated)
        except GradspecError as error:
            raise self.CollectError(str(error)) from None
        except Exception as error:
            if self.config.getoption("fulltrace", False):
                raise
            raise self.CollectError(_internal(error)) from None
        for spec in specs:
            yield SpecNode.from_parent(self, name=spec.id, spec=spec, suite=suite)


def _internal(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (
        f"gradspec: internal error: {type(error).__name__}: {text}\n"
        "This is a bug in gradspec: --full-trace shows the traceback."
    )


def _shown(path: Path, config: pytest.Config) -> str:
    """The path as messages call it: from where pytest was called, if that leads to it."""
    here = config.invocation_params.dir
    return os.path.relpath(path, here) if path.is_relative_to(here) and here == Path.cwd() else str(path)


class SpecNode(pytest.Collector):
    """One spec, for one dtype."""

    def __init__(self, *, spec: Spec, suite: Suite, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.suite = suite

    def collect(self) -> Iterator[SpecItem]:
        for name in self.suite.backends:
            yield SpecItem.from_parent(self, name=name, spec=self.spec, suite=self.suite)


class Mismatch(Exception):
    """What is shown of a spec that did not come out as expected; never with a traceback."""


class SpecItem(pytest.Item):
    """One spec on one backend."""

    def __init__(self, *, spec: Spec, suite: Suite, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.suite = suite
        self.add_marker("gradspec")
        self.add_marker(self.name)
        self.add_marker(f"gradspec_{spec.scope}")
        self.extra_keyword_matches.update(spec.tags)
        self.user_properties += [("line", spec.line), ("scope", spec.scope)]
        if reason := suite.known.match(spec.id, self.name):
            self.add_marker(pytest.mark.xfail(reason=f"known failure: {reason}", strict=True))

    def setup(self) -> None:
        backend = self.suite.backend(self.name)
        if isinstance(backend, str):
            if self.suite.named:
                raise Mismatch(backend)
            pytest.skip(backend)

    def runtest(self) -> None:
        verdict = self._verdict()
        if verdict.outcome == "unsupported":
            pytest.skip(f"unsupported: {verdict.message}")
        if verdict.outcome == "unchecked":
            pytest.skip("unchecked: nothing is expected in it")
        if verdict.outcome != "passed":
            from gradspec.reports.color import Paint
            from gradspec.reports.failure import block

            raise Mismatch(block(verdict, Paint(False), everything=self.config.get_verbosity() > 0))

    def _verdict(self) -> Verdict:
        from gradspec.runner.run import run_one

        support = self.suite.backend(self.name)
        assert not isinstance(support, str)
        try:
            return run_one(self.spec, support.backend, support)
        except Exception as error:
            raise Mismatch(_internal(error)) from error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        error = excinfo.value
        if isinstance(error, Mismatch) and not (
            error.__cause__ and self.config.getoption("fulltrace", False)
        ):
            return str(error)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.spec.line - 1, f"{self.spec.id} {self.name}"
