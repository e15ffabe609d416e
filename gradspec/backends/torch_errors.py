"""torch's exceptions and warnings as gradspec's codes, by the words of their messages.

Observed with torch 2.13. The first pattern that is found in a message decides; a message that none
fits is "unclassified", never guessed.
"""

from __future__ import annotations

import re

__all__ = ["error_code", "warning_code"]

_ERRORS = [
    # The graph.
    ("graph-freed", r"backward through the graph a second time|after they have already been freed"),
    ("untracked", r"does not require grad|retain_grad on Tensor that has requires_grad=False"
                  r"|register a hook on a tensor that doesn't require"),
    ("complex-root", r"implicitly created only for real scalar outputs"),
    ("not-scalar", r"implicitly created only for scalar outputs"),
    ("gradient-shape", r"^Mismatch in shape: grad_output|assign a gradient of size"),
    ("gradient-dtype", r"Mismatch in dtype: grad_output|assign a gradient with dtype|assign a gradient of type"),
    ("gradient-count", r"^got \d+ tensors and \d+ gradients"),
    ("gradient-is-self", r"can't assign Variable as its own grad"),
    ("unused-input", r"appears to not have been used in the graph"),
    ("no-inputs", r"`inputs` argument to `\w+\(\)` cannot be empty"),
    ("conflicting-arguments", r"Expected allow_unused to be True or not passed"),
    ("no-derivative", r"derivative for .* is not implemented|does not have a derivative"
                      r"|not differentiable with respect to"),
    ("modified-in-place", r"has been modified by an inplace operation"
                          r"|saved tensor that has been detached in-place"),
    ("leaf-in-place", r"leaf Variable that requires grad|cannot resize variables that require grad"),
    ("no-grad-view-in-place", r"view was created in (no_grad|inference) mode and is being modified"),
    ("multi-view-in-place", r"output of a function that returns multiple views"),
    ("view-detached-in-place", r"Can't detach views in-place"),
    ("overlapping-memory", r"refers? to a single memory location"),
    ("inference-tensor", r"[Ii]nference tensor"),
    ("non-leaf-requires-grad", r"can only change requires_grad flags of leaf"),
    ("dtype-not-differentiable", r"[Oo]nly Tensors of floating point .*can require gradients"
                                 r"|requires gradients must be floating point"
                                 r"|Expected primal to be floating point"),
    ("hook-shape", r"^hook '.*' has changed the size of value"),
    ("hook-dtype", r"^hook '.*' has changed the type of value"),
    ("nan-detected", r"^Function '.*' returned nan values"),
    # Ops.
    ("not-viewable", r"^view size is not compatible"),
    ("dtype-cast", r"can't be cast to the desired output type"),
    ("negative-integer-power", r"Integers to negative integer powers"),
    ("negative-step", r"step must be greater than zero"),
    ("too-many-indices", r"too many indices for tensor|invalid index of a 0-dim tensor"
                         r"|slice\(\) cannot be applied to a 0-dim"),
    ("dim-out-of-range", r"^Dimension out of range|Dimension specified as .* but tensor has no dimensions"),
    ("dim-repeated", r"appears multiple times in the list of dims|duplicate dims are not allowed"
                     r"|repeated dim"),
    ("index-out-of-range", r"is out of bounds|index out of range|tried to access index"
                           r"|selected index k out of range"),
    ("empty-reduction", r"Expected reduction dim .*(to have non-zero size|numel\(\) == 0)"),
    ("singular-matrix", r"is singular|is not invertible|is not positive-definite"),
    ("dtype-mismatch", r"same dtype|same scalar type|expected scalar type .* but found"),
    ("dtype-unsupported", r"not implemented for|is not supported for (complex|bool)|not intended to support"
                          r"|does not support (complex|bool)|on a bool tensor|with (two bool|a bool) tensor"
                          r"|only support floating point|Input dtype must be|Expected a floating point"
                          r"|inputs not supported for|used as indices must be|Expected dtype .* for index"
                          r"|to be a boolean tensor|is only implemented on|tensors with non-complex dtypes"
                          r"|expected a floating|only supports? (floating|integer|bool)"),
    ("shape-mismatch", r"must match|shapes cannot be multiplied|inconsistent tensor size|size mismatch"
                       r"|at least \dD|1D tensors expected|does not broadcast|number of dimensions"
                       r"|to be equal size|cannot be concatenated|is invalid for input of size|shape mismatch"
                       r"|does not match the (shape|broadcast)|doesn't match the broadcast shape"
                       r"|to sum exactly to|same number of|Size does not match|at least 2 dimensions"
                       r"|number of sizes provided|don't multiply up|must be batches of square"
                       r"|has a different size than|should be less than the corresponding input dimension"),
    ("invalid-argument", r"only one dimension can be inferred|is ambiguous|isn't allowed in a leading"
                         r"|has invalid args|split_size|split_sizes|non-empty|einsum\(\)|ZeroDivisionError"
                         r"|rounding_mode|At least one of 'min' or 'max'|argument alpha|[Pp]adding|narrow\(\)"
                         r"|step cannot be zero|valid indices|assigned grad expected|non-leaf tensors"
                         r"|has to be a tensor|must be greater than|to be greater than"),
]  # fmt: skip
_WARNINGS = [
    ("non-leaf-grad", r"^The \.grad attribute of a Tensor that is not a leaf"),
    ("create-graph-cycle", r"create_graph=True will create a reference cycle"),
    ("degrees-of-freedom", r"degrees of freedom is <= 0"),
    ("complex-to-real", r"[Cc]asting complex values to real"),
    ("complex-half", r"^ComplexHalf support"),
    ("gradient-layout", r"^grad and param do not obey the gradient layout contract"),
]
# Words about an error that is reported anyway.
_SILENT = re.compile(r"^Error detected in |^Anomaly Detection has been enabled")
_PARSER = re.compile(r"argument|invalid combination|expected Variable|gradients can be either")
_compiled: dict[str, re.Pattern[str]] = {}


def _search(patterns: list[tuple[str, str]], text: str) -> str:
    for code, pattern in patterns:
        compiled = _compiled.get(pattern)
        if compiled is None:
            compiled = _compiled[pattern] = re.compile(pattern)
        if compiled.search(text):
            return code
    return "unclassified"


def error_code(error: BaseException) -> str:
    """The code of an exception of torch's; a refusal of its argument parser is invalid-argument."""
    code = _search(_ERRORS, str(error))
    if code == "unclassified" and isinstance(error, TypeError) and _PARSER.search(str(error)):
        return "invalid-argument"
    return code


def warning_code(text: str) -> str | None:
    """The code of a warning of torch's; None for one that only comments an error."""
    return None if _SILENT.search(text) else _search(_WARNINGS, text)
