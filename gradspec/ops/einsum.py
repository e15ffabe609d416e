"""Einstein's summation."""

from __future__ import annotations

from typing import Any

from gradspec.ops.arguments import broadcast_shapes, fault, int64_if_integral
from gradspec.ops.registry import KEEP, PROMOTE, SAME, Array, Tensor, Tensors, Xp, composite, general, linear
from gradspec.ops.samples import sample, uniform
from gradspec.records import NamedTuple

__all__ = ["einsum", "einsum_alone", "einsum_product"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class _Terms(NamedTuple):
    """An equation without ellipsis: the letters of each operand, and those of the result."""

    operands: tuple[str, ...]
    result: str

    def text(self) -> str:
        return f"{','.join(self.operands)}->{self.result}"


def _parse(equation: str, ranks: list[int]) -> _Terms:
    """The equation with its ellipsis in letters and its result written out. Raises invalid-argument."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(ranks):
        raise fault("invalid-argument", f'"{equation}" has {len(parts)} operands, {len(ranks)} were given')
    wild = [_wild_rank(part, rank, equation) for part, rank in zip(parts, ranks, strict=True)]
    spare = [letter for letter in LETTERS if letter not in text][: max(wild)]
    named = ["".join(spare[len(spare) - count :]) for count in wild]
    operands = tuple(part.replace("...", letters) for part, letters in zip(parts, named, strict=True))
    if arrow:
        result = right.replace("...", "".join(spare))
    else:
        seen = "".join(operands)
        once = sorted(letter for letter in set(seen) if seen.count(letter) == 1 and letter not in spare)
        result = "".join([*spare, *once])
    if len(set(result)) < len(result) or not set(result) <= set("".join(operands)):
        raise fault(
            "invalid-argument", f'the result of "{equation}" has a letter twice, or one that no operand has'
        )
    return _Terms(operands, result)


def _wild_rank(part: str, rank: int, equation: str) -> int:
    """How many axes the ellipsis of one operand stands for."""
    letters = part.replace("...", "", 1)
    if any(letter not in LETTERS for letter in letters):
        raise fault("invalid-argument", f'"{equation}" is no einsum equation: letters, "," "..." and "->"')
    if len(letters) > rank or ("..." not in part and len(letters) != rank):
        raise fault(
            "invalid-argument", f'"{part}" in "{equation}" does not name the axes of an operand with {rank}'
        )
    return rank - len(letters) if "..." in part else 0


def _sizes(terms: _Terms, shapes: list[tuple[int, ...]]) -> dict[str, int]:
    """Letter → size. Raises shape-mismatch."""
    sizes: dict[str, int] = {}
    for letters, shape in zip(terms.operands, shapes, strict=True):
        for letter, size in zip(letters, shape, strict=True):
            sizes[letter] = broadcast_shapes(((sizes.get(letter, 1),), (size,)))[0]
    return sizes


def _check(equation: str, operands: Any, **_: Any) -> None:
    if not operands:
        raise fault("invalid-argument", "einsum needs at least one operand")
    shapes = [tuple(meta.shape) for meta in operands]
    terms = _parse(equation, [len(shape) for shape in shapes])
    _sizes(terms, shapes)
    for letters, shape in zip(terms.operands, shapes, strict=True):
        for letter in set(letters):
            if len({size for other, size in zip(letters, shape, strict=True) if other == letter}) > 1:
                raise fault("shape-mismatch", f'"{letter}" names axes of different sizes of one operand')


def _transposed(
    xp: Xp,
    ct: Array,
    others: list[Array],
    terms: _Terms,
    place: int,
    shape: tuple[int, ...],
    sizes: dict[str, int],
) -> Array:
    """The cotangent of one operand: the equation with its letters and the result's exchanged.

    A letter that the operand repeats gets an identity matrix beside it, one that nothing else has, or
    has with size 1 alone, a vector of ones.
    """
    wanted, spare = "", [letter for letter in LETTERS if letter not in "".join(terms.operands)]
    inputs = [terms.result, *(letters for k, letters in enumerate(terms.operands) if k != place)]
    arrays = [ct, *(xp.conj(other) for other in others)]
    for letter, size in zip(terms.operands[place], shape, strict=True):
        if letter in wanted:
            fresh = spare.pop()
            inputs.append(letter + fresh)
            arrays.append(xp.tril(xp.triu(xp.ones((size, size)))))
            letter = fresh
        elif not any(
            letter in other and xp.shape(array)[other.index(letter)] == sizes[letter]
            for other, array in zip(inputs, arrays, strict=True)
        ):
            inputs.append(letter)
            arrays.append(xp.ones((sizes[letter],)))
        wanted += letter
    return xp.einsum(f"{','.join(inputs)}->{wanted}", *arrays)


def _sums(equation: str) -> tuple[bool, bool]:
    """(whether a letter is summed at all, whether one is that several operands have)."""
    left, arrow, right = equation.replace(" ", "").replace("...", "").partition("->")
    kept = set(right) if arrow else {letter for letter in left if left.count(letter) == 1}
    summed = set(left) - kept - {","}
    return bool(summed), any(sum(letter in part for part in left.split(",")) > 1 for letter in summed)


def _one_dtype_where_contracted(dtypes: dict[str, Any], statics: dict[str, Any]) -> str:
    """Sums of products are matrix products, which do not promote; plain products do."""
    if not _sums(statics["equation"])[1]:
        return PROMOTE
    if any(dtype == "bool" for dtype, _ in dtypes["operands"]):
        raise fault("dtype-unsupported", "einsum sums no products of bool tensors")
    return SAME


def _node(equation: str, **_: Any) -> str:
    return "BmmBackward0" if _sums(equation)[0] else "MulBackward0"


@general(node=_node, hides=True, dtypes=_one_dtype_where_contracted, variadic="operands", internal=True)
def einsum_product(xp: Xp, equation: str, operands: Tensors) -> Tensor:
    """einsum of several operands.

    Source: multilinear; an operand's cotangent is an einsum of the result's with the other operands.
    """
    terms = _parse(equation, [len(xp.shape(x)) for x in operands])
    return xp.einsum(terms.text(), *operands)


@einsum_product.vjp("operands")
def _(xp: Xp, ct: Array, equation: str, operands: Any, operands_meta: Any) -> list[Array]:
    shapes = [tuple(meta.shape) for meta in operands_meta]
    terms = _parse(equation, [len(shape) for shape in shapes])
    sizes = _sizes(terms, shapes)
    return [
        _transposed(
            xp, ct, [x for k, x in enumerate(operands) if k != place], terms, place, shapes[place], sizes
        )
        for place in range(len(shapes))
    ]


def _alone_node(equation: str, **_: Any) -> str:
    return "SumBackward1" if _sums(equation)[0] else "PermuteBackward0"


def _alone_dtypes(dtypes: dict[str, Any], statics: dict[str, Any]) -> Any:
    return int64_if_integral(dtypes, statics) if _sums(statics["equation"])[0] else KEEP


@linear(node=_alone_node, hides=True, dtypes=_alone_dtypes, internal=True)
def einsum_alone(xp: Xp, equation: str, input: Tensor) -> Tensor:
    """einsum of one operand that names an axis twice.

    Source: linear; the transpose puts the cotangent on the diagonals and along what was summed.
    """
    return xp.einsum(_parse(equation, [len(xp.shape(input))]).text(), input)


@einsum_alone.adjoint("input")
def _(xp: Xp, ct: Array, equation: str, input_meta: Any) -> Array:
    shape = tuple(input_meta.shape)
    terms = _parse(equation, [len(shape)])
    return _transposed(xp, ct, [], terms, 0, shape, _sizes(terms, [shape]))


@composite(
    check=_check,
    variadic="operands",
    samples=(
        sample(equation="ij,jk->ik", operands=[uniform(2, 3), uniform(3, 4)]),
        sample(equation="ij,jk->ik", operands=[uniform(2, 1), uniform(3, 2)]),
        sample(equation="i,i->", operands=[uniform(3), uniform(3)]),
        sample(equation="i,j->ij", operands=[uniform(2), uniform(3)]),
        sample(equation="ij->ji", operands=[uniform(2, 3)]),
        sample(equation="ii->", operands=[uniform(3, 3)]),
        sample(equation="ii->i", operands=[uniform(3, 3)]),
        sample(equation="ij->j", operands=[uniform(2, 3)]),
        sample(equation="...ij,...jk", operands=[uniform(2, 2, 3), uniform(3, 2)]),
        sample(equation="bij,bjk->bik", operands=[uniform(2, 2, 3), uniform(2, 3, 2)]),
        sample(equation="i,ij,j->", operands=[uniform(2), uniform(2, 3), uniform(3)]),
        sample(equation="ij,ik->k", operands=[uniform(2, 3), uniform(2, 4)]),
        sample(equation=",i->i", operands=[uniform(), uniform(3)]),
        sample(equation="ii,i->i", operands=[uniform(3, 3), uniform(3)]),
        sample(equation="ij,ij->ij", operands=[uniform(0, 2), uniform(0, 2)]),
    ),
)
def einsum(F: Any, equation: str, operands: Tensors) -> Tensor:
    """Products of elements of the operands, summed over every letter that the result does not have.

    `...` stands for axes that broadcast; without `->` the result has the letters that stand once, in
    alphabetical order. One operand is only rearranged, a view of it, and summed.

    Source: multilinear.
    """
    if len(operands) > 1:
        y = F.einsum_product(equation, operands)
        return F.view(y, y.shape) if _sums(equation)[0] else y
    (input,) = operands
    terms = _parse(equation, [len(input.shape)])
    (letters,) = terms.operands
    if len(set(letters)) < len(letters):
        return F.einsum_alone(equation, input)
    kept = [letters.index(letter) for letter in terms.result]
    summed = [axis for axis in range(len(letters)) if axis not in kept]
    y = F.permute(input, [*kept, *summed])
    return F.sum(y, list(range(len(kept), len(letters)))) if summed else y
