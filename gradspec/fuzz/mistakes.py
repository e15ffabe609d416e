"""Steps that a program should not have: each asks for something that must be refused.

A mistake takes the author of a program and gives a step, or None where it cannot be made there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category
from gradspec.fuzz import literals
from gradspec.fuzz.calls import broadcastable, call, may_give_several, pick

if TYPE_CHECKING:
    from gradspec.fuzz.generate import Author

__all__ = ["MISTAKES", "Mistake"]

Mistake = Callable[["Author"], "dict[str, Any] | None"]


def _shapes(author: Author) -> Any:
    a = pick(author.rng, author.live)
    b = pick(
        author.rng,
        author.live,
        lambda known: a is not None and not broadcastable(known.shape, author.live[a].shape),
    )
    return {"op": f"bad = {a} {author.rng.choice('+-*/')} {b}"} if a and b else None


def _any_call(author: Author) -> Any:
    """A call whose arguments were not tried."""
    text = call(author.rng, author.live)
    return {"op": f"bad = {text}"} if text and not may_give_several(text) else None


def _dim(author: Author) -> Any:
    a = pick(author.rng, author.live)
    op = author.rng.choice(("sum", "softmax", "unsqueeze", "squeeze", "amax", "cumsum"))
    return {"op": f"bad = {op}({a}, dim={author.rng.choice((4, -5, 5))})"} if a else None


def _index(author: Author) -> Any:
    a = pick(author.rng, author.live)
    return (
        {"op": f"bad = {a}[{author.rng.choice(('7', '-6', '0, 0, 0, 0', '[0, 9]', '::-1'))}]"} if a else None
    )


def _untracked(author: Author) -> Any:
    a = pick(author.rng, author.live, lambda known: not known.tracked)
    steps: list[dict[str, Any]] = [
        {"backward": a}, {"retain_grad": a}, {"hook": {"of": a, "name": author.name("h")}},
        {"grad": {"of": a, "wrt": [a]}},
    ]  # fmt: skip
    return author.rng.choice(steps) if a else None


def _not_scalar(author: Author) -> Any:
    a = pick(author.rng, author.live, lambda known: known.tracked and prod(known.shape) != 1)
    return {"backward": a} if a else None


def _gradient(author: Author) -> Any:
    a = author.tracked()
    if a is None:
        return None
    known = author.live[a]
    dtype = known.dtype if author.chance(0.5) else author.rng.choice(("float64", "complex128", "int64"))
    shape = (*known.shape, 2) if author.chance(0.5) else known.shape
    return {"backward": {"of": a, "gradient": literals.array(author.rng, shape, dtype)}}


def _leaf_in_place(author: Author) -> Any:
    a = author.tracked(leaf=True)
    return {"op": author.rng.choice((f"{a} += 1", f"{a}[...] = 0", f"{a}[...] *= 2"))} if a else None


def _switch(author: Author) -> Any:
    a = author.tracked(leaf=False) or pick(author.rng, author.live, lambda known: category(known.dtype) < 2)
    return {"op": f"{a}.requires_grad = {author.rng.choice((True, False))}"} if a else None


def _unused(author: Author) -> Any:
    a, b = author.tracked(), author.tracked()
    return {"grad": {"of": a, "wrt": [b], "retain_graph": True}} if a and b and a != b else None


def _set_grad(author: Author) -> Any:
    a = author.tracked()
    b = pick(author.rng, author.live)
    return {"op": f"{a}.grad = {author.rng.choice((a, b))}"} if a and b else None


def _cast(author: Author) -> Any:
    a = pick(author.rng, author.live, lambda known: category(known.dtype) < 2)
    return {"op": f"{a} {author.rng.choice('+*')}= 0.5"} if a else None


def _grow(author: Author) -> Any:
    a = pick(author.rng, author.live)
    b = pick(
        author.rng, author.live, lambda known: a is not None and len(known.shape) > len(author.live[a].shape)
    )
    return {"op": f"{a} += {b}"} if a and b else None


def _detach(author: Author) -> Any:
    a = pick(author.rng, author.live)
    return {"op": f"detach_({a})"} if a else None


def _reckless(author: Author) -> Any:
    a = pick(author.rng, author.live, lambda known: known.view)
    return {"op": author.rng.choice((f"{a} *= 2", f"{a}[...] = 1"))} if a else None


def _bad_hook(author: Author) -> Any:
    a = author.tracked()
    body = author.rng.choice(
        ("grad = sum(grad)", "grad = stack([grad, grad])", "grad = to(grad, 'float64')", "grad = grad[9]")
    )
    return {"hook": {"of": a, "name": author.name("h"), "do": [{"op": body}]}} if a else None


def _no_inputs(author: Author) -> Any:
    a = author.tracked()
    b = pick(author.rng, author.live, lambda known: not known.tracked)
    return {"backward": {"of": a, "inputs": [b] if b and author.chance(0.5) else []}} if a else None


def _conflict(author: Author) -> Any:
    a = author.tracked()
    return {"grad": {"of": a, "wrt": [a], "allow_unused": False, "materialize_grads": True}} if a else None


MISTAKES: tuple[Mistake, ...] = (
    _shapes, _any_call, _any_call, _any_call, _dim, _index, _untracked, _not_scalar, _gradient,
    _leaf_in_place, _switch, _unused, _set_grad, _cast, _grow, _detach, _reckless, _bad_hook, _no_inputs,
    _conflict,
)  # fmt: skip
