"""Every error as data: a code from a closed list, a message, a place, a hint.

Two families live here.  `Fault` is something wrong with a spec file, found before anything
runs; `ProgramError` is an error of the running program (an engine, an op), the thing that
`raises:` expects.  Message text is never compared; codes are, and they never change.
"""

from __future__ import annotations

from gradspec.records import NamedTuple

__all__ = [
    "ERROR_CODES",
    "WARNING_CODES",
    "BackendUnavailable",
    "Fault",
    "GradspecError",
    "NoWorkers",
    "Place",
    "ProgramError",
    "SpecError",
    "UnsupportedFeature",
    "UsageError",
    "did_you_mean",
]

GRAPH_ERRORS = {
    "graph-freed": "a backward goes through saved values that an earlier backward freed",
    "untracked": "backward, retain_grad, hook or grad on a tensor that needs no gradient",
    "not-scalar": "no gradient was given for a root with more than one element",
    "complex-root": "no gradient was given for a complex root",
    "gradient-shape": "a gradient has another shape than its tensor",
    "gradient-dtype": "a gradient has a dtype its tensor cannot take",
    "gradient-count": "another number of gradients than of roots",
    "gradient-is-self": "a tensor was assigned as its own grad",
    "unused-input": "grad() was asked for an input that the roots do not depend on",
    "no-inputs": "inputs= is empty",
    "conflicting-arguments": "two arguments contradict each other",
    "no-derivative": "an op on the path has no derivative",
    "leaf-in-place": "a leaf that requires grad was changed in place",
    "leaf-moved": "a leaf that a gradient goes to has become the result of an op since",
    "modified-in-place": "a value saved for backward was changed in place or detached",
    "no-grad-view-in-place": "a view made under no_grad was changed in place with grad enabled",
    "multi-view-in-place": "one of several views made by one op was changed in place",
    "view-detached-in-place": "a view was detached in place",
    "overlapping-memory": "elements of the written tensor share memory",
    "inference-tensor": "an inference tensor was used where autograd needs an ordinary one",
    "non-leaf-requires-grad": "requires_grad of a non-leaf was switched off",
    "dtype-not-differentiable": "only floating and complex tensors can require grad",
    "hook-shape": "a hook returned a gradient of another shape",
    "hook-dtype": "a hook returned a gradient of another dtype",
    "nan-detected": "anomaly detection found a NaN made by a backward",
    "once-differentiable": "the backward of a once_differentiable function was differentiated",
    "custom-view-in-place": "a view that a custom function gave or was given was changed in place",
    "hook-undefined": "a hook returned a gradient where there was none",
    "checkpoint-mismatch": "the steps of a checkpoint saved something else when they ran again",
}
OP_ERRORS = {
    "shape-mismatch": "shapes do not fit together",
    "dtype-mismatch": "operands must have one dtype",
    "dtype-cast": "a result cannot be cast to the wanted dtype",
    "dtype-unsupported": "the op does not take this dtype",
    "not-viewable": "view() cannot keep these strides; reshape() copies",
    "index-out-of-range": "an index is out of range",
    "dim-out-of-range": "a dim is out of range",
    "dim-repeated": "a dim is named twice",
    "too-many-indices": "more indices than dimensions",
    "negative-step": "slices with a negative step",
    "negative-integer-power": "an integer to a negative integer power",
    "empty-reduction": "a reduction without identity over no element",
    "singular-matrix": "a matrix that must be invertible is singular",
    "invalid-argument": "an argument has a value the op does not take",
}
ERROR_CODES = GRAPH_ERRORS | OP_ERRORS
WARNING_CODES = {
    "non-leaf-grad": "reading .grad of a non-leaf that does not retain it",
    "create-graph-cycle": "backward(create_graph=True) makes a reference cycle",
    "degrees-of-freedom": "var or std with no degree of freedom left",
    "complex-to-real": "a cast from complex to real drops the imaginary part",
    "expanded-write": "a write at places of an expanded tensor, whose elements share memory",
    "loss-broadcast": "a loss of tensors of two shapes, which are broadcast",
    "complex-half": "complex32 support is incomplete",
    "gradient-layout": "a gradient has another memory layout than its tensor",
}


class Place(NamedTuple):
    """A place in a spec file. `line` and `column` count from 1, as editors do; `width` is the caret's."""

    file: str
    line: int
    column: int = 1
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Fault(NamedTuple):
    """One fault of a spec file."""

    code: str
    message: str
    place: Place
    source: str = ""  # the whole line it stands in, for the caret
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.place}: error[{self.code}]: {self.message}"
        if not self.source and not self.hint:
            return head
        number = str(self.place.line)
        gap = " " * len(number)
        lines = [head, f"{gap} |"]
        if self.source:
            shown, offset = _window(self.source, self.place.column)
            caret = "^" * max(1, min(self.place.width, len(shown) - offset))
            lines += [f"{number} | {shown}", f"{gap} | {' ' * offset}{caret}"]
        if self.hint:
            lines.append(f"{gap} = help: {self.hint}")
        return "\n".join(lines)


def _window(source: str, column: int, width: int = 100) -> tuple[str, int]:
    """The part of a long line around `column`, and where in it the caret goes."""
    text = source.rstrip("\n").replace("\t", " ")
    start = 0 if len(text) <= width or column <= width // 2 else column - width // 2
    return text[start : start + width], column - 1 - start


class GradspecError(Exception):
    """The root of all errors that gradspec raises on purpose. Printed as its text, never as a traceback."""


class UsageError(GradspecError):
    """A command, option or configuration that makes no sense (exit code 2)."""


class SpecError(GradspecError):
    """One or more faults in spec files (exit code 2)."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class BackendUnavailable(GradspecError):
    """A requested backend cannot be loaded here (exit code 4). The text says what to install."""


class NoWorkers(GradspecError):
    """Worker processes cannot be started, or an executor does no jobs (exit code 3)."""


class ProgramError(GradspecError):
    """An error of the running program, with its code; what `raises:` expects."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnsupportedFeature(GradspecError):
    """A backend met a feature it does not have. `feature` is the name as in `gradspec backends`."""

    def __init__(self, feature: str, reason: str = "") -> None:
        super().__init__(reason or f"this backend does not support {feature}")
        self.feature = feature


def did_you_mean(word: str, known: list[str] | tuple[str, ...] | dict[str, object] | set[str]) -> str:
    """A hint naming the known word nearest to `word`, or '' if none is near."""
    from difflib import get_close_matches  # reached only on the way to an error

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else ""
