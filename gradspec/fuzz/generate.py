"""Random programs over the whole language, as views of specs: `draw(seed, number)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import prod
from random import Random
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category
from gradspec.fuzz import literals
from gradspec.fuzz.calls import CHANGES, VIEWS, broadcastable, call, index_text, may_give_several, pick
from gradspec.fuzz.draft import View, program_of, watch
from gradspec.fuzz.mistakes import MISTAKES
from gradspec.fuzz.scout import Known, Scout, largest
from gradspec.ops import registry
from gradspec.spec.model import Watch

if TYPE_CHECKING:
    from gradspec.dense import Dense

__all__ = ["Author", "draw"]

LARGEST = 300.0  # results beyond are mostly not used: rounding errors would hide what is looked for
MOST_NAMES = 12  # live ones; of more, the oldest are forgotten
_PROFILES = (
    ("float64",), ("float64",), ("float64",), ("float32",), ("float32",), ("float32", "float64"),
    ("float64", "float64", "int64"), ("complex128",), ("float64", "complex128"), ("float32", "complex64"),
)  # fmt: skip


@cache
def _scout() -> Scout:
    from gradspec.backends.python import PythonBackend

    return Scout(PythonBackend())


def draw(seed: int, number: int) -> View:
    """Program `number` of the campaign `seed`: always the same one."""
    return Author(Random(f"{seed}/{number}"), f"fuzz.s{seed}.n{number}", _scout()).write()


class Author:
    """Writes one program. `live` is what is known of the names that can be used."""

    def __init__(self, rng: Random, id: str, scout: Scout) -> None:
        self.rng = rng
        self.id = id
        self.scout = scout
        self.live: dict[str, Known] = {}
        self.nones: set[str] = set()  # names that may hold None
        self.tensors: View = {}
        self.steps: list[View] = []
        self.hooks: list[str] = []
        self.counts: dict[str, int] = {}
        self.recording = True
        self.profile = rng.choice(_PROFILES)
        self.sizes = [literals.shape(rng)]
        self.unseen = 0  # steps since the last watch
        self.changed_anything = False  # whether a step did more than bind names
        self.reached: list[Known] = []  # leaves that a backward may have given a gradient

    # The whole.

    def write(self) -> View:
        """The view of a program of 5 to 40 steps."""
        rng = self.rng
        self.tensors = {self.name("x"): self.leaf_view() for _ in range(rng.choice((1, 2, 2, 3, 3, 4)))}
        length = rng.choice((6, 8, 10, 12, 16, 20, 26, 34))
        mistakes = set(rng.sample(range(length), rng.choice((1, 1, 2)))) if rng.random() < 0.2 else set()
        for k in range(length):
            if k in mistakes:
                self.mistake()
            else:
                self.step()
            self.unseen += 1
            if self.unseen >= rng.choice((2, 3, 4)):
                self.watch()
                if self.chance(0.5):
                    self.check()
        self.watch()
        return self.view()

    def view(self) -> View:
        """What is written so far."""
        return {"gradspec": 1, "id": self.id, "tensors": self.tensors, "steps": self.steps}

    def check(self) -> None:
        """Run what is written, and correct what is believed of the live names."""
        program = program_of(self.view())
        seen = self.scout.backend.run(program).seen
        last = max((step for step in program.steps if isinstance(step, Watch)), key=lambda step: step.at)
        facts = {
            program.names[look.binding]: saw
            for look, saw in zip(last.looks, seen[last.at], strict=True)
            if not look.path
        }
        for name, known in list(self.live.items()):
            saw = facts.get(name, {})
            if "value" not in saw or "requires_grad" not in saw or "is_leaf" not in saw:
                del self.live[name]
                continue
            known.value, known.tracked, known.leaf = saw["value"], saw["requires_grad"], saw["is_leaf"]
            if saw.get("grad") is None and known in self.reached:
                self.reached.remove(known)
            if not self.modest(known.value):
                del self.live[name]

    def step(self) -> None:
        """One more step of any kind."""
        kinds, weights = zip(*_WEIGHTS, strict=True)
        for _ in range(6):
            if self.rng.choices(kinds, weights)[0](self):
                return

    def mistake(self) -> None:
        """A step that most likely fails. What it would bind is not used again."""
        for _ in range(6):
            view = self.rng.choice(MISTAKES)(self)
            if view is not None:
                self.changed_anything = True
                self.steps.append(view)
                return

    def watch(self) -> None:
        names = [*self.live, *sorted(self.nones)]
        if names:
            self.steps.append(watch(names))
            if self.hooks:
                self.steps.append({"expect_hooks": []})
        self.unseen = 0

    # Parts.

    def name(self, letter: str = "y") -> str:
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return f"{letter}{self.counts[letter]}"

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def op(self, statement: str) -> bool:
        head = statement.partition(" = ")[0]
        self.changed_anything = self.changed_anything or not head.replace(", ", "").rstrip(",").isalnum()
        self.steps.append({"op": statement})
        return True

    def shape(self) -> tuple[int, ...]:
        """A shape that often broadcasts with those that there are."""
        rng = self.rng
        if self.chance(0.25):
            self.sizes.append(literals.shape(rng))
        base = rng.choice(self.sizes)
        cut = base[rng.randrange(len(base) + 1) :] if self.chance(0.3) else base
        return tuple(1 if rng.random() < 0.15 else size for size in cut)

    def leaf_view(self) -> View:
        """A tensor of `tensors:`, noted under the last name given out."""
        rng, shape = self.rng, self.shape()
        dtype = rng.choice(self.profile)
        if self.chance(0.06):
            dtype = rng.choice(("bool", "int64", "float32", "int32"))
        data = literals.array(rng, shape, dtype, 0.25 if self.chance(0.3) else -2.0)
        wants = category(dtype) >= 2 and self.chance(0.75)
        form = {"zeros": list(shape)} if 0 in shape else {"data": data}  # nested lists lose sizes after a 0
        self.live[f"x{self.counts['x']}"] = Known(literals.dense_of(data, shape, dtype), tracked=wants)
        view: View = {**form, "dtype": dtype}
        return view | {"requires_grad": True} if wants else view

    def keep(self, name: str, known: Known) -> None:
        self.live[name] = known
        if len(self.live) > MOST_NAMES:
            self.live.pop(next(iter(self.live)))

    def tracked(self, *, leaf: bool | None = None, fresh: bool = True) -> str | None:
        """A name that requires grad, mostly one whose history has not been freed."""
        fresh = fresh and self.chance(0.9)
        return pick(
            self.rng,
            self.live,
            lambda known: known.tracked and leaf in (None, known.leaf) and not (fresh and known.spent),
        )

    def array(self, shape: tuple[int, ...], dtype: str) -> Any:
        """An array of a given shape that is cast to a given dtype: data, or a live tensor."""
        same = pick(self.rng, self.live, lambda known: known.shape == shape and known.dtype == dtype)
        if same and self.chance(0.2):
            return {"tensor": same}
        if 0 in shape:
            return {"full": "0j" if category(dtype) == 3 else 0.0, "shape": list(shape)}
        return literals.array(self.rng, shape, dtype)

    # Ops.

    def expression(self, name: str = "") -> str | None:
        return call(self.rng, self.live, name)

    def bind(self, expression: str | None, view: bool = False) -> bool:
        """Bind the result of a call, if it works and its numbers stay small."""
        if expression is None:
            return False
        rng = self.rng
        old = [name for name in self.live if name.startswith("y")]
        name = rng.choice(old) if old and self.chance(0.05) else self.name()
        count = self.parts(expression) if may_give_several(expression) else 0
        if count < 0:
            return False
        several = count > 0
        statement = f"{name} = {expression}"
        if several:
            names = [name, *(self.name() for _ in range(count - 1))]
            statement = f"{', '.join(names)}{',' if count == 1 else ''} = {expression}"
        found = self.scout.results(statement, self.live)
        if found is None or any(not self.modest(value) for value in found.values()):
            return False
        used = [known for known in map(self.live.get, _words(expression)) if known is not None]
        op = registry.get(expression.partition("(")[0])
        constant = op is not None and op.kind == "constant"
        requires = any(known.tracked for known in used) and (self.recording or view) and not constant
        for made, value in found.items():
            tracked = requires and category(value.dtype) >= 2
            spent = tracked and any(known.spent and not known.leaf for known in used)
            known = Known(value, tracked, not tracked, spent, view=view)
            if view and tracked:
                known.fixed = (
                    several or not self.recording or used[0].fixed or (used[0].leaf and used[0].tracked)
                )
            self.keep(made, known)
        return self.op(statement)

    def parts(self, expression: str) -> int:
        """How many names an expression that may give several tensors takes: 0 for one tensor as it is,
        −1 where it fails."""
        for count in range(6):
            names = ", ".join(f"p{k}" for k in range(count))
            if self.scout.results(f"{names or 'p'}{',' if count == 1 else ''} = {expression}", self.live):
                return count
        return -1

    def modest(self, value: Dense) -> bool:
        return value.size <= 200 and (largest(value) <= LARGEST or self.chance(0.01))

    def compute(self) -> bool:
        return self.bind(self.expression())

    def make_view(self) -> bool:
        return self.bind(self.expression(self.rng.choice(VIEWS)), view=True)

    def make_leaf(self) -> bool:
        rng, shape = self.rng, self.shape()
        if 0 in shape:
            return False
        dtype = rng.choice([dtype for dtype in self.profile if category(dtype) < 3] or ["float64"])
        data = literals.array(rng, shape, dtype)
        wants = category(dtype) >= 2 and self.chance(0.6)
        name = self.name("x")
        self.keep(name, Known(literals.dense_of(data, shape, dtype), tracked=wants))
        return self.op(f"{name} = tensor({data}, dtype={dtype!r}{', requires_grad=True' if wants else ''})")

    def alias(self) -> bool:
        source = pick(self.rng, self.live)
        if source is None:
            return False
        name = self.name()
        self.keep(name, self.live[source])
        return self.op(f"{name} = {source}")

    def changeable(self) -> str | None:
        """A name that may be changed in place, and seldom one that may not."""
        reckless = self.chance(0.04)
        return pick(
            self.rng,
            self.live,
            lambda known: reckless or not (known.tracked and (known.leaf or known.fixed) and self.recording),
        )

    def change(self) -> bool:
        target = self.changeable()
        if target is None:
            return False
        rng, known = self.rng, self.live[target]
        if self.chance(0.4):
            name = rng.choice(("mul", "add", "sub", "mul", "add"))
            fits = [
                n
                for n, k in self.live.items()
                if len(k.shape) <= len(known.shape) and broadcastable(k.shape, known.shape)
            ]
            other = rng.choice(fits) if fits and self.chance(0.5) else literals.number_text(rng, known.dtype)
            sign = {"mul": "*", "add": "+", "sub": "-"}[name]
            statement = f"{target} {sign}= {other}" if self.chance(0.5) else f"{name}_({target}, {other})"
        else:
            text = call(rng, self.live, rng.choice(CHANGES), changing=target)
            if text is None:
                return False
            statement = text
        return self.changed(target, statement)

    def changed(self, target: str, statement: str) -> bool:
        """Write an in-place statement if it works."""
        found = self.scout.results(statement, self.live)
        known = self.live[target]
        if not found or any(not self.modest(value) for value in found.values()):
            return False
        used = [self.live[word] for word in _words(statement) if word in self.live and word != target]
        writes = self.recording and any(other.tracked for other in used)
        if writes and not known.differentiable:
            return False
        if writes:
            known.tracked, known.leaf = True, False
        known.value = next(iter(found.values()), known.value)
        return self.op(statement)

    def assign(self) -> bool:
        target = self.changeable()
        if target is None:
            return False
        rng, known = self.rng, self.live[target]
        index = index_text(rng, self.live, target)
        part = self.scout.results(f"p = {target}[{index}]", self.live)
        if part is None:
            return False
        shape = part["p"].shape
        fits = [n for n, k in self.live.items() if k.dtype == known.dtype and broadcastable(k.shape, shape)]
        value = rng.choice(fits) if fits and self.chance(0.6) else literals.number_text(rng, known.dtype)
        return self.changed(target, f"{target}[{index}] = {value}")

    # Gradients.

    def retain(self) -> bool:
        name = self.tracked(leaf=False) or self.tracked()
        if name is None:
            return False
        self.steps.append({"retain_grad": name})
        return True

    def root(self) -> str:
        """Something to differentiate, mostly a scalar made for it; "" where there is nothing."""
        name = self.tracked(leaf=False) or (self.tracked() if self.chance(0.3) else None)
        if name is None or not self.recording or self.chance(0.5):
            return name or ""
        weighted = f"{name} * {self.rng.choice(('2.0', '0.5', name))}" if self.chance(0.5) else name
        if not self.bind(f"sum({weighted})"):
            return name
        made = next(reversed(self.live))
        return made if self.live[made].tracked else name

    def seeds(self, names: list[str], options: View) -> None:
        """Give `options` the gradients that roots need."""
        given = []
        for name in names:
            known = self.live[name]
            needless = prod(known.shape) == 1 and category(known.dtype) < 3
            given.append(None if needless and self.chance(0.8) else self.array(known.shape, known.dtype))
        if any(entry is not None for entry in given):
            options["gradient"] = given if isinstance(options["of"], list) else given[0]

    def flags(self, options: View) -> None:
        draw = self.rng.random()
        if draw < 0.4:
            options["retain_graph"] = True
        elif draw < 0.45:
            options["retain_graph"] = False
        if self.chance(0.08):
            options["create_graph"] = True
        if not options.get("retain_graph", options.get("create_graph", False)):
            for known in self.live.values():
                known.spent = known.spent or (known.tracked and not known.leaf)

    def backward(self) -> bool:
        found = [self.root() for _ in range(2 if self.chance(0.1) else 1)]
        roots = [name for name in found if name in self.live]
        if not roots:
            return False
        options: View = {"of": roots if len(roots) > 1 else roots[0]}
        self.seeds(roots, options)
        self.flags(options)
        if self.chance(0.1):
            chosen = [
                name for name in (self.tracked(fresh=False) for _ in range(self.rng.choice((1, 2)))) if name
            ]
            if chosen:
                options["inputs"] = chosen
        self.reached += [known for known in self.live.values() if known.tracked and known.leaf]
        self.steps.append({"backward": options["of"] if len(options) == 1 else options})
        return True

    def grad(self) -> bool:
        root = self.root()
        if root not in self.live:
            return False
        wrt = [
            name for name in (self.tracked(fresh=False) for _ in range(self.rng.choice((1, 1, 2)))) if name
        ]
        if not wrt:
            return False
        out = [self.name("g") for _ in wrt]
        options: View = {"of": root, "wrt": wrt, "out": out}
        self.seeds([root], options)
        self.flags(options)
        if self.chance(0.4):
            options["create_graph"] = True
        choice = self.rng.random()
        if choice < 0.7:
            options["allow_unused"] = True
        elif choice < 0.8:
            options["materialize_grads"] = True
        self.steps.append({"grad": options})
        values = [self.live[source].value for source in wrt]
        for name, value in zip(out, values, strict=True):
            if choice < 0.7 and self.chance(0.5):
                self.nones.add(name)
            else:
                recorded = options.get("create_graph", False)
                self.keep(name, Known(value, recorded, not recorded))
        return True

    def jvp(self) -> bool:
        of = self.tracked(leaf=False, fresh=False)
        at = pick(self.rng, self.live, lambda known: known.leaf and known.differentiable)
        if of is None or at is None or self.changed_anything:
            return False  # what is replayed must be the same with tangents
        tangent = self.array(self.live[at].shape, self.live[at].dtype)
        out = self.name("t")
        self.nones.add(out)
        self.steps.append({"jvp": {"of": of, "tangents": {at: tangent}, "out": out}})
        return True

    def zero(self) -> bool:
        name = self.tracked(leaf=True) or self.tracked()
        if name is None:
            return False
        self.steps.append({"zero_grad": name if self.chance(0.5) else {"of": name, "set_to_none": False}})
        return True

    def read_grad(self) -> bool:
        name = self.tracked()
        if name is None:
            return False
        made = self.name("g")
        self.nones.add(made)
        return self.op(f"{made} = {name}.grad")

    def set_grad(self) -> bool:
        name = self.tracked()
        if name is None:
            return False
        known = self.live[name]
        same = pick(
            self.rng,
            self.live,
            lambda k: k.shape == known.shape and k.dtype == known.dtype and k is not known,
        )
        if same is None or self.chance(0.4):
            return self.op(f"{name}.grad = None")
        return self.op(f"{name}.grad = {same}")

    def change_grad(self) -> bool:
        name = pick(self.rng, self.live, lambda known: known.tracked and known.leaf and known in self.reached)
        return name is not None and self.op(f"{name}.grad *= 2")

    def switch(self) -> bool:
        name = pick(self.rng, self.live, lambda known: known.leaf and known.differentiable)
        if name is None:
            return False
        known = self.live[name]
        wanted = not known.tracked if self.chance(0.7) else known.tracked
        known.tracked = wanted
        return self.op(
            f"requires_grad_({name}, {wanted})" if self.chance(0.6) else f"{name}.requires_grad = {wanted}"
        )

    def cut(self) -> bool:
        name = pick(self.rng, self.live)
        if name is None:
            return False
        known = self.live[name]
        if self.chance(0.2) and not known.view:
            known.tracked, known.leaf = False, True
            return self.op(f"detach_({name})")
        made = self.name("d")
        if self.chance(0.5):
            self.op(f"{made} = {name}.data")
        else:
            self.op(f"{made} = detach({name})")
        self.keep(made, Known(known.value))
        return True

    def set_data(self) -> bool:
        name = pick(self.rng, self.live, lambda known: known.leaf)
        if name is None:
            return False
        known = self.live[name]
        same = pick(
            self.rng,
            self.live,
            lambda k: k.shape == known.shape and k.dtype == known.dtype and k is not known,
        )
        return same is not None and self.op(f"{name}.data = {same}")

    # Blocks and hooks.

    @contextmanager
    def inside(self) -> Iterator[list[View]]:
        outer, self.steps = self.steps, []
        try:
            yield self.steps
        finally:
            self.steps = outer

    def block(self) -> bool:
        mode = self.rng.choice(("no_grad", "no_grad", "no_grad", "enable_grad", "detect_anomaly"))
        before = self.recording
        self.changed_anything = True
        self.recording = {"no_grad": False, "enable_grad": True}.get(mode, before)
        with self.inside() as steps:
            for _ in range(self.rng.choice((1, 2, 3))):
                self.step()
        self.recording = before
        if steps:
            self.steps.append({mode: steps})
        return bool(steps)

    def hook(self) -> bool:
        after = self.chance(0.2)
        of = self.tracked(leaf=True if after else None)
        if of is None:
            return False
        options: View = {"of": of, "name": self.name("h")}
        if after:
            options["after"] = "accumulate"
        if after or self.chance(0.6):
            options["do"] = self.hook_steps(of, after)
        self.hooks.append(options["name"])
        self.steps.append({"hook": options})
        return True

    def hook_steps(self, of: str, after: bool) -> list[View]:
        rng, known = self.rng, self.live[of]
        if after:
            return [
                {"op": rng.choice((f"{of}.grad = None", "grad *= 2", f"{of} -= grad * 0.5", "u = grad + 1"))}
            ]
        fits = [
            n for n, k in self.live.items() if k.dtype == known.dtype and broadcastable(k.shape, known.shape)
        ]
        other = rng.choice(fits) if fits else "2"
        choices = [
            "grad = grad * 2",
            "grad = -grad",
            "grad *= 2",
            "u = grad * 3",
            f"{of}.grad = None",
            "grad = clone(grad)",
        ]
        if other == "2" or len(self.live[other].shape) <= len(known.shape):
            choices.append(f"grad = grad * {other}")
        return [{"op": rng.choice(choices)}]

    def unhook(self) -> bool:
        if not self.hooks:
            return False
        self.steps.append({"remove_hook": self.rng.choice(self.hooks)})
        return True


def _words(text: str) -> list[str]:
    """The names in a statement, in order."""
    found, word = [], ""
    for letter in f"{text} ":
        if letter.isalnum() or letter == "_":
            word += letter
        else:
            found += [word] if word and not word[0].isdigit() else []
            word = ""
    return found


_WEIGHTS: tuple[tuple[Callable[[Author], bool], float], ...] = (
    (Author.compute, 34), (Author.make_view, 13), (Author.change, 9), (Author.assign, 5),
    (Author.make_leaf, 2), (Author.alias, 1), (Author.retain, 6), (Author.backward, 13), (Author.grad, 5),
    (Author.jvp, 2.5), (Author.zero, 2.5), (Author.read_grad, 2), (Author.set_grad, 1.2),
    (Author.change_grad, 1), (Author.switch, 2), (Author.cut, 3), (Author.set_data, 0.6), (Author.block, 5),
    (Author.hook, 4), (Author.unhook, 1),
)  # fmt: skip
