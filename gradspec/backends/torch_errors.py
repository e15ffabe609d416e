"""torch's exceptions and warnings as gradspec's codes, by the words of their messages.

Observed with torch 2.13. The first pattern that is found in a message decides; a message that none
fits is "unclassified", never guessed.
"""

from __future__ import annotations

import re

__all__ = ["error_code", "warning_code"]

_ERRORS: dict[str, tuple[str, ...]] = {
    # The graph.
    "graph-freed": ("backward through the graph a second time", "after they have already been freed"),
    "untracked": (
        "does not require grad",
        "retain_grad on Tensor that has requires_grad=False",
        "register a hook on a tensor that doesn't require",
    ),
    "complex-root": ("implicitly created only for real scalar outputs",),
    "not-scalar": ("implicitly created only for scalar outputs",),
    "gradient-shape": (
        "^Mismatch in shape: grad_output",
        "assign a gradient of size",
        "^(Function .* returned an )?invalid gradient at index",
        "first dimension of each grad_output as the batch dimension",
    ),
    "gradient-dtype": (
        "Mismatch in dtype: grad_output",
        "assign a gradient with dtype",
        "assign a gradient of type",
        r"^Expected isFloatingType\(grad.scalar_type\(\)\)",
    ),
    "gradient-count": (r"^got \d+ tensors and \d+ gradients",),
    "gradient-is-self": ("can't assign Variable as its own grad",),
    "unused-input": ("appears to not have been used in the graph",),
    "no-inputs": (r"`inputs` argument to `\w+\(\)` cannot be empty",),
    "conflicting-arguments": ("Expected allow_unused to be True or not passed",),
    "no-derivative": (
        "derivative for .* is not implemented",
        "does not have a derivative",
        "not differentiable with respect to",
        "Trying to use forward AD with .* that does not support it",
        "implement the jvp function for custom autograd",
        "^In-place .* backward calculation is triggered with a negative slope",
    ),
    "modified-in-place": (
        "has been modified by an inplace operation",
        "saved tensor that has been detached in-place",
    ),
    "leaf-moved": ("leaf variable has been moved into the graph interior",),
    "leaf-in-place": ("leaf Variable that requires grad", "cannot resize variables that require grad"),
    "custom-view-in-place": ("created inside a custom Function", "modifies inplace an input that is a view"),
    "multi-view-in-place": ("output of a function that returns multiple views",),
    "no-grad-view-in-place": ("view (which )?was created in (no_grad|inference) mode and",),
    "view-detached-in-place": ("Can't detach views in-place",),
    "overlapping-memory": ("refers? to a single memory location",),
    "inference-tensor": ("[Ii]nference tensor",),
    "non-leaf-requires-grad": ("can only change requires_grad flags of leaf",),
    "dtype-not-differentiable": (
        "[Oo]nly Tensors of floating point .*can require gradients",
        "requires gradients must be floating point",
        "Expected primal to be floating point",
        "^Autograd not support dtype",
    ),
    "hook-shape": ("^hook '.*' has changed the size of value",),
    "hook-dtype": ("^hook '.*' has changed the type of value",),
    "hook-undefined": ("^can't replace a None gradient",),
    "once-differentiable": ("marked with @once_differentiable",),
    "checkpoint-mismatch": (
        "^torch.utils.checkpoint: (A different number|Recomputed values|trying to save)",
    ),
    "nan-detected": ("^Function '.*' returned nan values",),
    # Ops.
    "not-viewable": (
        "^view size is not compatible",
        "^Tensor must have a (last dimension with )?stride",
        "^Tensor must have a storage_offset divisible",
    ),
    "dtype-cast": (
        "can't be cast to the desired output type",
        "convertible without narrowing",
        "value cannot be converted to type",
    ),
    "negative-integer-power": ("Integers to negative integer powers",),
    "negative-step": ("step must be greater than zero",),
    "too-many-indices": (
        "too many indices for tensor",
        "invalid index of a 0-dim tensor",
        r"slice\(\) cannot be applied to a 0-dim",
    ),
    "dim-out-of-range": (
        "^Dimension out of range",
        "Dimension specified as .* but tensor has no dimensions",
        r"Indexing dim \d+ is out of bounds of the source",
    ),
    "dim-repeated": (
        "appears multiple times in the list of dims",
        "duplicate dims are not allowed",
        "repeated dim",
        "dimensions cannot be identical",
    ),
    "index-out-of-range": (
        "(is|are) out of bounds",
        "index out of range",
        "tried to access index",
        "selected (index|number) k out of range",
        "take from an empty tensor",
        "start out of range",
        "exceeds dimension size",
    ),
    "empty-reduction": (
        r"Expected reduction dim .*(to have non-zero size|numel\(\) == 0)",
        "the operation does not have an identity",
    ),
    "singular-matrix": ("is singular", "is not invertible", "is not positive-definite"),
    "dtype-mismatch": (
        "same dtype",
        "same scalar type",
        "^mixed dtype",
        "expected scalar type .* but found",
        "^Bad in-place call: input tensor dtype",
        "with different dtypes",
        "source and destination dtypes match",
        r"self\.dtype to be equal to",
        "object of scalar type",
    ),
    "dtype-unsupported": (
        "not (yet )?implemented for",
        "does not support automatic differentiation for outputs with complex",
        "is not supported for (complex|bool)",
        "not intended to support",
        "does not support (complex|bool)",
        "on a bool tensor",
        "with (two bool|a bool) tensor",
        "only support floating point",
        "(Input|Optional) dtype must be",
        "Expected a floating point",
        "inputs not supported for",
        "used as indices must be",
        "Expected dtype .* for index",
        "to be a boolean tensor",
        "is only implemented on",
        "is only supported for",
        "doesn't work on unresolved conjugated",
        "tensors with non-complex dtypes",
        "expected (a|input to have) floating",
        "must be either float or double",
        "expected common dtype to be floating",
        "expected target dtype to be",
        "Expected floating point type for target",
        "dtype should be (either )?(floating point|real|complex)",
        "only supports? (floating|integer|bool)",
        "Expected a (long tensor|floating point or complex)",
        "one of the following scalar types",
        "Expected both inputs to be",
        "Unsupported dtype",
        "Low precision dtypes not supported",
    ),
    "shape-mismatch": (
        "must match",
        "shapes cannot be multiplied",
        "inconsistent tensor size",
        "mismatch in length of strides and shape",
        "size mismatch",
        r"at least \dD",
        "1D tensors expected",
        "does not broadcast",
        r"number of dimensions(?! in the tensor input| \(\d+\) for operand)",
        "wrapping around more than once",
        "Expected size for first two dimensions",
        r"narrow\(\): length must be",
        "to be equal size",
        "cannot be concatenated",
        "is invalid for input of size",
        "shape mismatch",
        "does not match the (shape|broadcast)",
        "doesn't match the broadcast shape",
        "to sum exactly to",
        "same number of",
        "Size does not match",
        "at least 2 dimensions",
        "number of sizes provided",
        "don't multiply up",
        "must be batches of square",
        "has a different size than",
        "should be less than the corresponding input dimension",
        "expected a matrix",
        "expected input with shape",
        "[Ww]eights? and input must have the same size",
        "must be the same as input size",
        "Expected input batch_size",
        "For 1D input, 1D target must have size 1",
        "Expected target size",
        "weight tensor should be defined either for all",
        "target tensor expected",
        "Expected 1 or more dimensions",
        "to be of same shape as normalized_shape",
        "Expected normalized_shape to be at least 1-dimensional",
        "supposed to be a vector",
        "Index should have dimension",
        "[Nn]umber of indices",
        "index should have one element",
        "can have only 1 value",
        "must have same slice shapes",
        "to be no larger than",
        "0-dimensional value tensor",
        "must be 2-D",
        "shifts and dimensions must align",
    ),
    "invalid-argument": (
        "only one dimension can be inferred",
        "must have a last dimension of size 2",
        "Negative strides are not supported",
        "must have one or more dimensions",
        "invalid shape dimension",
        "desired ordering of dimensions",
        "at least a 1-dimensional tensor",
        "is ambiguous",
        "only supported on matrices",
        "isn't allowed in a leading",
        "has invalid args",
        "split_size",
        "split_sizes",
        "non-empty",
        r"einsum\(\)",
        "ZeroDivisionError",
        "rounding_mode",
        "At least one of 'min' or 'max'",
        "argument alpha",
        "[Pp]adding",
        r"narrow\(\)",
        "step cannot be zero",
        "valid indices",
        "assigned grad expected",
        "non-leaf tensors",
        "has to be a tensor",
        "NoneType",
        "must be greater than",
        "to be greater than",
        r"^quantile\(\) (q|interpolation)",
        "unique cannot be applied",
        "^lambda must be in range",
        "Lower bound should be less than",
        "dropout probability has to be",
        "approximate argument must be",
        "only supports non-negative p",
        "does not support (negative|non-positive) values for",
        "ignore_index is not supported",
        "label_smoothing must be between",
        "is not a valid value for",
        "dim must be a 2-tuple",
        "Order .* not supported",
        "negative dimension",
        "`shifts` required",
        "Invalid number of data points",
        "Invalid normalization mode",
        "called on an undefined Tensor",
    ),
}
_WARNINGS: dict[str, tuple[str, ...]] = {
    "non-leaf-grad": (r"^The \.grad attribute of a Tensor that is not a leaf",),
    "create-graph-cycle": ("create_graph=True will create a reference cycle",),
    "degrees-of-freedom": ("degrees of freedom is <= 0",),
    "complex-to-real": ("[Cc]asting complex values to real",),
    "complex-half": ("^ComplexHalf support",),
    "expanded-write": (r"on expanded tensors is deprecated",),
    "loss-broadcast": (r"^Using a target size \(.*\) that is different to the input size",),
    "gradient-layout": ("^grad and param do not obey the gradient layout contract",),
}
# Words about an error that is reported anyway.
_SILENT = re.compile(
    r"^Error detected in |^Anomaly Detection has been enabled|^\s*Previous calculation was induced by"
)
_PARSER = re.compile(r"argument|invalid combination|expected Variable|gradients can be either")


def _search(patterns: dict[str, tuple[str, ...]], text: str) -> str:
    for code, alternatives in patterns.items():
        if any(re.search(pattern, text) for pattern in alternatives):
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
