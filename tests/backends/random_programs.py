"""Random programs of the state machine: leaves, ops, retention, backward, grad, modes."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.backends.builder import Builder, T

FIELDS = ("value", "grad", "is_leaf", "requires_grad", "retains_grad", "dtype", "shape")
UNARY = ("exp", "sin", "tanh", "neg", "square", "sum", "detach", "reciprocal")
BINARY = ("add", "mul", "sub", "div")


def random_program(seed: int) -> Builder:
    """About fifteen steps over 0-d and [2] float64 tensors, looked at after each."""
    rng = Random(seed)
    b = Builder("float64", id=f"random-{seed}")
    names = []
    for k in range(rng.randint(1, 3)):
        names.append(f"x{k}")
        vector = [rng.uniform(0.3, 2), rng.uniform(-2, -0.3)]
        data: Any = vector if rng.random() < 0.3 else vector[0]
        b.leaf(names[-1], data, requires_grad=rng.random() < 0.8)
    for _ in range(rng.randint(6, 18)):
        step(rng, b, names)
        b.watch(" ".join(names), *FIELDS)
    return b


def step(rng: Random, b: Builder, names: list[str]) -> None:
    recent = names[-4:]
    choice = rng.random()
    if choice < 0.5:
        mode = rng.random()
        if mode < 0.08:
            with b.block("no_grad"):
                op(rng, b, names)
        else:
            op(rng, b, names)
    elif choice < 0.6:
        b.retain_grad(rng.choice(recent))
    elif choice < 0.83:
        roots = rng.choice(recent) if rng.random() < 0.8 else f"{rng.choice(recent)} {rng.choice(recent)}"
        inputs = None if rng.random() < 0.8 else " ".join(rng.sample(names, min(len(names), 2)))
        retain = rng.choice((None, None, True, False))
        b.backward(roots, rng.choice((None, None, None, 2.0)), retain, rng.random() < 0.2, inputs)
    elif choice < 0.93:
        name = f"g{len(names)}"
        b.grad(rng.choice(recent), rng.choice(names), name, retain_graph=rng.choice((None, True)),
               create_graph=rng.random() < 0.7, allow_unused=rng.choice((None, True)),
               materialize_grads=rng.random() < 0.2)  # fmt: skip
        names.append(name)
    elif choice < 0.97:
        b.zero_grad(rng.choice(names), set_to_none=rng.random() < 0.6)
    else:
        b.get(f"a{len(names)}", rng.choice(names), "grad")
        names.append(f"a{len(names)}")


def op(rng: Random, b: Builder, names: list[str]) -> None:
    name = f"y{len(names)}"
    if rng.random() < 0.5:
        b.op(name, rng.choice(UNARY), input=T(rng.choice(names)))
    else:
        other: Any = T(rng.choice(names)) if rng.random() < 0.7 else rng.choice((2, 0.5))
        b.op(name, rng.choice(BINARY), input=T(rng.choice(names)), other=other)
    names.append(name)
