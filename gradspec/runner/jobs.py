"""Work as plain data: which specs of which file to run on which backends.

A job is a dict that JSON can hold, made here and done at a `Bench` in any process that can import
gradspec. What comes of each of its cases is a line of JSON, see `gradspec.runner.wire`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradspec import __version__
from gradspec.errors import BackendUnavailable, SpecError
from gradspec.runner.run import run_one
from gradspec.runner.support import Support
from gradspec.runner.verdict import Verdict

if TYPE_CHECKING:
    from gradspec.runner.cases import Case, Limits
    from gradspec.spec.model import Spec

__all__ = ["Bench", "Job", "job_of"]

Job = dict[str, Any]


def job_of(batch: Sequence[Case], loader: str, limits: Limits, isolate: bool = False) -> Job:
    """A batch as plain data, with the text of its file.

    `loader` names the function that gives a backend by name, as `module:function`. Data files that a
    spec names are not carried: they are read where the job is done.
    """
    file = batch[0].spec.file
    text = fault = ""
    try:
        with open(file, encoding="utf-8", errors="replace", newline="") as stream:
            text = stream.read()
    except OSError as error:
        fault = f"{file} cannot be read any more: {error.strerror}"
    return {
        "gradspec": __version__,
        "loader": loader,
        "file": file,
        "text": text,
        "fault": fault,
        "cases": [[case.spec.id, case.asked, case.spec.tolerance] for case in batch],
        "timeout_s": limits.timeout_s,
        "memory_bytes": limits.memory_bytes,
        "isolate": isolate,
    }


class Bench:
    """Where jobs are done one after the other. Remembers its backends, and the specs of the last file."""

    def __init__(self) -> None:
        self._supports: dict[tuple[str, str], Support] = {}
        self._source: tuple[str, str] = ("", "")
        self._specs: dict[str, Spec] = {}
        self._fault = ""

    def has(self, loader: str, name: str) -> bool:
        """Whether a backend is already loaded."""
        return (loader, name) in self._supports

    def load(self, loader: str, name: str) -> Support:
        """A backend with what it supports; raises BackendUnavailable."""
        known = self._supports.get((loader, name))
        if known is None:
            module, _, function = loader.partition(":")
            backend = getattr(import_module(module), function)(name)
            known = self._supports[loader, name] = Support(backend)
        return known

    def told(self, loader: str, name: str) -> list[Any]:
        """["ready", name, its own name, version, whether it asks for isolation], or ["gone", name, why]."""
        try:
            backend = self.load(loader, name).backend
            return ["ready", name, backend.name, backend.version, bool(backend.isolate)]
        except BackendUnavailable as error:
            return ["gone", name, str(error)]

    def verdict(self, job: Job, index: int) -> Verdict:
        """The verdict on one case of a job; whatever goes wrong is told in it."""
        self._open(job)
        wanted, name, tolerance = job["cases"][index]
        spec = self._specs.get(wanted)
        fault = job["fault"] or self._fault
        if spec is None and not fault:
            fault = f"{wanted} is not in {job['file']} any more: it was changed while the run was going"
        if spec is not None:
            try:
                support = self.load(job["loader"], name)
            except BackendUnavailable as error:
                fault = str(error)
            else:
                if tolerance is not None:
                    from gradspec.spec.model import Tolerance

                    spec = spec._replace(tolerance=Tolerance(*tolerance))
                return run_one(spec, support.backend, support)
        if spec is None:
            return Verdict(wanted, job["file"], 1, "", name, "", "error", message=fault)
        return Verdict(
            wanted, job["file"], spec.line, spec.title, name, spec.dtype, "error", message=fault,
            scope=spec.scope,
        )  # fmt: skip

    def _open(self, job: Job) -> None:
        """Read the specs of a job's file, unless they are at hand."""
        source = (job["file"], job["text"])
        if self._source == source:
            return
        self._source, self._specs, self._fault = source, {}, ""
        if job["gradspec"] != __version__:
            self._fault = f"gradspec {__version__} cannot do the jobs of gradspec {job['gradspec']}"
            return
        from gradspec.spec.load import load_text

        try:
            self._specs = {spec.id: spec for spec in load_text(job["text"], job["file"])}
        except SpecError as error:
            self._fault = str(error.faults[0])
