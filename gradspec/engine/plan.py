"""A `Plan`: one op call on operands of given kinds, prepared once and run for every node like it.

What does not depend on the values is settled here: dtypes and casts, the output's kind, which
arguments need a gradient, what is saved for them, and how broadcasting is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category
from gradspec.engine.kind import Kind
from gradspec.engine.source import MAYBE_NONE, Lines, Symbol
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.arrays.contract import ArrayLibrary
    from gradspec.engine.rule import OpLike, RuleLike

__all__ = ["Freed", "Part", "Plan", "dtype_pairs", "fill", "holes", "sum_to"]


def holes(template: Any) -> Iterator[int]:
    """The input positions in an argument template (anything with a `k`, however nested)."""
    if hasattr(template, "k"):
        yield template.k
    elif isinstance(template, tuple):
        for part in template:
            yield from holes(part)


def fill(template: Any, inputs: Callable[[int], Any]) -> Any:
    """An argument template with its inputs in place; index slices become slices."""
    if hasattr(template, "k"):
        return inputs(template.k)
    if isinstance(template, tuple):
        parts = tuple(fill(part, inputs) for part in template)
        return slice(*parts) if hasattr(template, "step") else parts
    return template


class Plan:
    """See the module. Read-only once made.

    forward   (*inputs) → output, or a tuple of outputs
    back      (ct, values, ins, k, grads): run this node's rules and add what they give to `grads`.
              ct: the output's cotangent (a list for several outputs, None where there is none);
              values: by slot; ins: the input slots; k: the node's slot; grads: slot → cotangent so far
    kinds     of the outputs; None in a place where only the value tells (boolean masks)
    records   whether a node is made
    pulls     whether a rule exists for each input that needs a gradient: (input position, argument)
    saves     input positions whose values backward needs; `saves_output` likewise for the output, and
              `saves_parts` the places of those among several outputs
    parts     the dtypes of outputs that have names; None where all have one dtype
    urgent    whether the node is there to raise, so that torch runs it as soon as it can
    freed     takes the plan's place at a node whose backward has run; None where nothing was saved
    """

    __slots__ = (
        "arguments", "back", "compute", "followed", "follows", "forward", "freed", "hollow",
        "inputs", "kind", "library", "marks", "name", "op", "out_dtype", "pairs", "part_names",
        "parts", "passes_on", "records", "rule_of", "saves", "saves_anything", "saves_output",
        "saves_parts", "shown", "single", "tracked_names", "urgent", "warns", "written", "zero_dim",
    )  # fmt: skip

    def __init__(
        self,
        op: OpLike,
        arguments: dict[str, Any],
        inputs: tuple[Kind, ...],
        library: ArrayLibrary,
        recording: bool,
        default: str,
        in_place: bool = False,
    ) -> None:
        self.op = op
        rules = {**op.rules, **op.rules_in_place} if in_place else op.rules
        self.rule_of = {} if in_place and not op.derived_in_place else rules
        self.arguments = arguments  # templates by parameter name, defaults filled in
        self.inputs = inputs
        self.library = library
        seen = {name: fill(value, inputs.__getitem__) for name, value in arguments.items()}
        pairs = dtype_pairs(op, seen)
        self.compute, self.out_dtype = op.result_dtypes(
            {name: pairs[name] for name in pairs if op.by_name[name].is_tensor},
            {name: value for name, value in seen.items() if not op.by_name[name].is_tensor},
            default,
        )
        self.zero_dim = not any(kind.shape for kind in inputs)
        self.forward = self._write_forward()
        # what a constant op writes in place cuts the target from its past: a node that gives zeros
        tracked = self._tracked() if recording and (op.kind != "constant" or in_place) else ()
        self.pairs = tuple(pair for pair in tracked if not inputs[pair[0]].lent)
        self.records = bool(tracked)
        self.followed = tuple(position for position, _ in (tracked if op.hides else self.pairs))
        self.tracked_names = tuple(name for _, name in tracked) if op.kind != "constant" else ()
        called = (in_place and op.node_in_place) or op.node
        self.shown = _Shown(op, called, arguments, inputs, self.rule_of, self.compute or self.out_dtype)
        self.name = self.shown.name_for(pairs) if self.records else ""
        self.kind: Kind | None = None  # the output's, once known
        results = op.results(arguments)
        self.single = results == "one"
        named = {} if isinstance(results, str) else results
        self.part_names = tuple(named)
        self.parts = tuple(dtype or self.out_dtype for dtype in named.values()) if named else None
        self.warns: tuple[tuple[str, str], ...] = ()  # (code, text) of every call
        # whether an operand's cotangent may be the memory of the output's
        self.passes_on = self.records and (self._drops_parts() or bool(op.passes_on and op.passes_on(**seen)))
        self.written: int = op.written(**seen) if callable(op.written) else op.written
        self.urgent = self.name == "NotImplemented"
        self.marks = self.passes_on or self.written > 0 or self.urgent
        self.hollow = False  # whether a result without elements has strides of its own; once `kind` is known
        follows = op.iterates(**seen) if callable(op.iterates) else op.iterates
        names = arguments if follows is True else follows or ()
        # the input positions of the operands that the result lies in memory as
        self.follows = tuple(
            [k for name in names if op.by_name[name].is_tensor for k in holes(arguments[name])]
        )
        self._saved()
        self.freed = Freed(self.name, self.feeds, self.shown) if self.saves_anything else None

    @property
    def node(self) -> Plan | None:
        """The plan itself where it makes a node. It holds no reference to itself: not all plans are kept."""
        return self if self.records else None

    @property
    def edges(self) -> tuple[int | None, ...]:
        """As torch shows the node: the input position that each of its edges stands for; None where that
        operand needs no gradient, or is a number or absent. Where gradients go is `feeds`.

        Raises:
            UnsupportedFeature: graph, where torch has several nodes in this one's place.
        """
        return self.shown.edges

    # forward

    def cast_dtype(self, position: int) -> str | None:
        """The dtype that an input is cast to before it is used, or None."""
        kind = self.inputs[position]
        wanted = self.compute
        if wanted is None:
            # a number beside tensors that are not cast still has to become one of theirs
            wanted = self.out_dtype if kind.weak else kind.dtype
        return None if kind.dtype == wanted else wanted

    def _is_cast(self, position: int) -> bool:
        return any(
            self.op.by_name[name].is_tensor and name not in self.op.apart and position in holes(value)
            for name, value in self.arguments.items()
        )

    def _input(self, lines: Lines, position: int, text: str) -> Symbol:
        """An input as the lines use it: cast where it must be."""
        kind = self.inputs[position]
        dtype = self.cast_dtype(position) if self._is_cast(position) else None
        if dtype is not None:
            cast = self.library.namespace(dtype, zero_dim=not kind.shape).astype
            text = lines.let(f"{lines.constant(cast)}({text}, {lines.constant(dtype)})")
        return Symbol(text, kind.shape)

    def _write_forward(self) -> Callable[..., Any]:
        direct = self._forward_lines(numbers=False)
        if callable(direct):
            return direct
        # between numbers, functions may be written as operators
        numbers = self.zero_dim and self.op.kind == "elementwise"
        lines = self._forward_lines(numbers=True) if numbers else direct
        assert isinstance(lines, Lines)
        return lines.build(", ".join(f"v{k}" for k in range(len(self.inputs))))

    def _forward_lines(self, numbers: bool) -> Lines | Callable[..., Any]:
        """The lines of the forward function, or the one contract function of its inputs that it is."""
        dtype = self.compute or next((k.dtype for k in self.inputs if not k.weak), self.out_dtype)
        lines = Lines(self.library.namespace(dtype, zero_dim=self.zero_dim), numbers=numbers)
        names = [f"v{k}" for k in range(len(self.inputs))]
        values = [self._input(lines, k, name) for k, name in enumerate(names)]
        casts = len(lines.lines)
        result = lines.call(
            self.op.forward, {n: fill(v, values.__getitem__) for n, v in self.arguments.items()}
        )
        if not casts and len(lines.lines) == 1 and not numbers:
            called, _, parts = lines.lines[0].removeprefix(f"{result.text} = ").partition("(")
            if parts == f"{', '.join(names)})" and called in lines.names:
                function: Callable[..., Any] = lines.names[called]
                return function
        lines.lines.append(f"return {result.text}")
        return lines

    # what backward needs

    def _tracked(self) -> tuple[tuple[int, str], ...]:
        """(input position, argument name) of the inputs that need a gradient."""
        if category(self.out_dtype) < 2 and self.op.kind != "constant":
            return ()
        return tuple(
            (position, name)
            for name, template in self.arguments.items()
            for position in holes(template)
            if self.inputs[position].grad and self.op.by_name[name].is_tensor
        )

    def _drops_parts(self) -> bool:
        """Whether an operand's cotangent is the real part of the output's, which is a view."""
        return category(self.out_dtype) == 3 and any(
            category(self.inputs[position].dtype) < 3 for position in self.feeds
        )

    @property
    def feeds(self) -> tuple[int, ...]:
        """The input positions that a gradient goes to."""
        return tuple(position for position, _ in self.pairs)

    def rules(self) -> list[RuleLike]:
        """The rules that save something. Where torch has several nodes, gradients go from one to the next
        also of operands that are lent theirs."""
        followed = self.tracked_names if self.op.hides else [name for _, name in self.pairs]
        return [self.rule_of[name] for name in dict.fromkeys(followed) if name in self.rule_of]

    def _possible_rules(self) -> list[RuleLike]:
        """The rules for all arguments that are tensors to torch, whether or not they need a gradient."""
        return [rule for name, rule in self.rule_of.items() if self.shown.is_tensor(name)]

    def check_derivable(self) -> None:
        """Raises no-derivative where a rule is missing."""
        if self.op.kind != "constant" and any(name not in self.op.rules for _, name in self.pairs):
            _no_derivative(self.op.name)

    def _needed_of(self, name: str) -> Iterator[int]:
        """The input positions of an argument that a rule names; of a list, those beside another one."""
        listed = self.op.by_name[name].kind == "Tensors"
        for position in holes(self.arguments[name]):
            if not listed or any(other != position for other in self.followed):
                yield position

    def _saved(self) -> None:
        rules = self.rules()
        if self.records and not rules and len(self.rule_of) == 1:
            # torch asks whether a value is needed only where several may be
            rules = list(self.rule_of.values())
        names = {name for rule in rules for name in rule.names}
        if self.records:
            # what more than one gradient may need is saved whichever is wanted, and so is the result
            possible = [name for rule in self._possible_rules() for name in set(rule.names)]
            names |= {name for name in possible if possible.count(name) > 1 or name == "y"}
        self.saves_output = "y" in names
        self.saves_parts = tuple(j for j, name in enumerate(self.part_names) if name in names)
        positions = sorted({k for n in names if n in self.arguments for k in self._needed_of(n)})
        # in the order of torch's names: the one that was changed is reported first
        torch_name = {
            k: "self" if n == "input" else n for n in self.arguments for k in holes(self.arguments[n])
        }
        kept = [k for k in positions if not self.inputs[k].weak]
        self.saves = tuple(sorted(kept, key=torch_name.__getitem__))
        listed = any(n in self.arguments and self.op.by_name[n].kind == "Index" for n in names)
        self.saves_anything = bool(positions) or self.saves_output or bool(self.saves_parts) or listed

    # backward

    def __getattr__(self, name: str) -> Callable[..., None]:
        """`back`, written down when it is first needed."""
        if name != "back":
            raise AttributeError(name)
        dtype = self.compute or self.out_dtype
        space = self.library.namespace(dtype, zero_dim=self.zero_dim and not (self.kind and self.kind.shape))
        self.back: Callable[..., None] = self.write_back(space, recorded=False)
        return self.back

    def write_back(self, xp: Any, *, recorded: bool) -> Callable[..., None]:
        """`back` over the namespace xp. One that records does its own casts of what was saved."""
        # between numbers, functions may be written as operators
        numbers = not recorded and self.zero_dim and self.op.kind in ("elementwise", "linear")
        lines = Lines(xp, numbers=numbers and self.kind is not None and self.kind.shape == ())
        lines.lines.append("".join(f"i{k}, " for k in range(len(self.inputs))) + "= ins")
        fetched: dict[int, Symbol] = {}

        def saved(position: int) -> Symbol:
            if position not in fetched:
                text = lines.let(f"values[i{position}]")
                kind = self.inputs[position]
                fetched[position] = (
                    Symbol(text, kind.shape) if recorded else self._input(lines, position, text)
                )
            return fetched[position]

        ct = Symbol("ct", self.kind.shape if self.kind else None)
        for name in dict.fromkeys(name for _, name in self.pairs):
            rule = self.rule_of.get(name)
            if self.op.kind == "constant":
                self._deliver_zeros(lines, name, xp, recorded)
                continue
            if rule is None:
                lines.lines.append(f"{lines.constant(_no_derivative)}({lines.constant(self.op.name)})")
                break
            known: dict[str, Any] = {"ct": ct}
            if "y" in rule.names:
                known["y"] = Symbol(lines.let("values[k]"), ct.shape)
            for part, output in enumerate(self.part_names):
                if output in rule.names:
                    known[output] = Symbol(lines.let(f"values[k][{part}]"))
            for wanted in rule.names:
                known[wanted] = known[wanted] if wanted in known else self._argument(wanted, saved)
            result = lines.call(rule.function, {n: known[n] for n in rule.names})
            if rule.kind == "partial":
                text = result.text
                if category(self.out_dtype) == 3:
                    text = lines.let(f"{lines.function('conj')}({text})")
                result = Symbol(lines.operate("multiply", ["ct", text]), ct.shape)
            self._deliver(lines, name, rule, result, xp, recorded)
        if not self.pairs and any(name not in self.rule_of for name in self.tracked_names):
            lines.lines.append(f"{lines.constant(_no_derivative)}({lines.constant(self.op.name)})")
        lines.lines.append("return None")
        return lines.build("ct, values, ins, k, grads")

    def _deliver_zeros(self, lines: Lines, name: str, xp: Any, recorded: bool) -> None:
        """Zeros for the inputs of a constant op that was run in place."""
        for position in holes(self.arguments[name]):
            kind = self.inputs[position]
            if kind.grad and not kind.lent:
                space = xp if recorded else self.library.namespace(kind.dtype, zero_dim=not kind.shape)
                zeros = lines.constant(space.zeros)
                slot = f"i{position}"
                shape, dtype = lines.constant(kind.shape), lines.constant(kind.dtype)
                lines.lines.append(f"grads.setdefault({slot}, {zeros}({shape}, {dtype}))")

    def _argument(self, wanted: str, saved: Callable[[int], Symbol]) -> Any:
        """A rule's argument by its name: a saved tensor, a static value or what is known of a tensor."""
        if wanted == "y_meta":
            return self.kind
        if wanted.endswith("_meta") and wanted not in self.arguments:
            return fill(self.arguments[wanted.removesuffix("_meta")], self.inputs.__getitem__)
        return fill(self.arguments[wanted], saved)

    def _deliver(
        self, lines: Lines, name: str, rule: RuleLike, result: Symbol, xp: Any, recorded: bool
    ) -> None:
        """Add the lines that bring a rule's result to its inputs: cast, undo broadcasting, add."""
        many = not hasattr(self.arguments[name], "k")
        for part, position in enumerate(holes(self.arguments[name])):
            kind = self.inputs[position]
            if not kind.grad or kind.lent:
                continue
            text, shape = (
                (lines.let(f"{result.text}[{part}]"), MAYBE_NONE) if many else (result.text, result.shape)
            )
            dtype = self.compute or self.out_dtype
            if dtype != kind.dtype:
                space = xp if recorded else self.library.namespace(dtype, zero_dim=not kind.shape)
                text = lines.let(
                    f"{lines.constant(_cast)}({lines.constant(space)}, {text}, {lines.constant(kind.dtype)})"
                )
            if shape != kind.shape:
                wanted = lines.constant(kind.shape)
                text = lines.let(f"{lines.constant(sum_to)}({lines.constant(xp)}, {text}, {wanted})")
            slot = lines.let(f"ins[{position}]")
            inside = "  "
            if shape is MAYBE_NONE:
                lines.lines.append(f"if {text} is not None:")
                inside = "    "
            lines.lines.append(f"{inside[2:]}if {slot} in grads:")
            mark = len(lines.lines)
            space = xp if recorded else self.library.namespace(kind.dtype, zero_dim=not kind.shape)
            total = lines.operate("add", [f"grads[{slot}]", text], space)
            lines.lines[mark:] = [inside + line for line in lines.lines[mark:]]
            lines.lines += [f"{inside}grads[{slot}] = {total}", f"{inside[2:]}else: grads[{slot}] = {text}"]


class _Shown:
    """How torch shows the node of a plan. It does not know the plan, so that what takes the plan's place
    can have it too."""

    __slots__ = ("_edges", "arguments", "called", "dtype", "inputs", "op", "rules")

    def __init__(
        self, op: OpLike, called: Any, arguments: dict[str, Any], inputs: tuple[Kind, ...],
        rules: dict[str, RuleLike], dtype: str,
    ) -> None:  # fmt: skip
        self.op = op
        self.called = called
        self.arguments = arguments
        self.inputs = inputs
        self.rules = rules
        self.dtype = dtype
        self._edges: tuple[int | None, ...] | None = None

    def is_tensor(self, name: str) -> bool:
        """Whether an argument is a tensor to torch: it was given as one, or a number is made one, which it
        is not where torch has a call of its own for numbers, whose node has another name."""
        positions = list(holes(self.arguments[name]))
        if any(not self.inputs[position].weak for position in positions):
            return True
        seen = {word: fill(value, self.inputs.__getitem__) for word, value in self.arguments.items()}
        pairs = dtype_pairs(self.op, seen)
        return bool(positions) and self.name_for({**pairs, name: (self.dtype, "dim")}) == self.name_for(pairs)

    def name_for(self, pairs: dict[str, Any]) -> str:
        """The node's name for operands of these dtypes and ranks."""
        name: str = self.called if isinstance(self.called, str) else self.called(**pairs)
        return name

    @property
    def edges(self) -> tuple[int | None, ...]:
        """See `Plan.edges`."""
        if self._edges is None:
            self._edges = tuple(self._find_edges())
        return self._edges

    def _find_edges(self) -> Iterator[int | None]:
        """As torch has it: an edge for each tensor operand that has a derivative. For an operand that was
        given as a number torch has a call of its own, without an edge, or makes a tensor of it; where it
        has a call of its own, the node has another name."""
        seen = {name: fill(value, self.inputs.__getitem__) for name, value in self.arguments.items()}
        op, pairs = self.op, dtype_pairs(self.op, seen)
        if op.hides is True or (op.hides and op.hides(**seen)):
            raise UnsupportedFeature("graph", f"what torch makes of {op.name} is not known node by node")
        if not self.rules and op.kind != "constant":  # such a node is there to raise
            yield from (None if kind.lent else k for k, kind in enumerate(self.inputs) if kind.grad)
            return
        # `2 * x` calls what `x * 2` calls, a function is called with its arguments as they stand
        statics = (param for param in op.params if not param.is_tensor)
        operator = all(self.arguments[param.name] == param.default for param in statics)
        last: list[None] = []
        for number, param in enumerate(op.params):
            name = param.name
            if not param.is_tensor or (self.rules and name not in self.rules):
                continue
            positions = list(holes(self.arguments[name]))
            wanted = [self.inputs[k].grad and not self.inputs[k].lent for k in positions]
            if param.kind == "Tensors" or any(self.inputs[k].grad for k in positions):
                yield from (k if each else None for k, each in zip(positions, wanted, strict=True))
                continue
            if self.name_for({**pairs, name: (self.dtype, "dim")}) != self.name_for(pairs):
                continue
            if number == 0 and operator and self.inputs[positions[0]].weak:
                last.append(None)
            else:
                yield None
        yield from last


class Freed:
    """Takes a plan's place at a node whose saved values an earlier backward freed."""

    __slots__ = ("feeds", "name", "shown")
    gone = True
    saves_anything = False
    saves: tuple[int, ...] = ()
    saves_output = False
    freed = None

    def __init__(self, name: str, feeds: tuple[int, ...], shown: _Shown) -> None:
        self.name = name
        self.feeds = feeds
        self.shown = shown

    @property
    def edges(self) -> tuple[int | None, ...]:
        """As the plan's."""
        return self.shown.edges

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        raise ProgramError(
            "graph-freed",
            f"the saved values of {self.name} were freed by an earlier backward: give that retain_graph=True",
        )


class Part:
    """Stands at each output of a node with several: hands its cotangent to the node, in a list."""

    __slots__ = ("count", "name", "part")
    saves_anything = False
    saves: tuple[int, ...] = ()
    saves_output = False
    freed = None

    def __init__(self, name: str, part: int, count: int) -> None:
        self.name = name
        self.part = part
        self.count = count

    def back(self, ct: Any, values: Any, ins: Any, k: int, grads: Any) -> None:
        cts = grads.setdefault(ins[0], [None] * self.count)
        cts[self.part] = ct


def sum_to(xp: Any, ct: Any, shape: tuple[int, ...]) -> Any:
    """`ct` with broadcasting undone: summed over the axes that `shape` lacks or has with size 1."""
    if ct is None:
        return None
    have = xp.shape(ct)
    if have == shape:
        return ct
    lead = len(have) - len(shape)
    if not shape:
        return xp.sum(ct, tuple(range(lead)))
    axes = tuple(a for a in range(len(have)) if a < lead or (shape[a - lead] == 1 and have[a] != 1))
    ct = xp.sum(ct, axes, keepdims=True) if axes else ct
    return xp.reshape(ct, shape) if lead else ct


def _cast(xp: Any, ct: Any, dtype: str) -> Any:
    """A cotangent in its argument's dtype; for a real argument the imaginary part is dropped."""
    return None if ct is None else xp.astype(ct, dtype)


def _no_derivative(name: str) -> None:
    raise ProgramError("no-derivative", f"{name} has no derivative")


def dtype_pairs(op: OpLike, seen: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name with each Kind as the (dtype, rank) that the facts of an op go by."""
    return {name: _pair(value) if op.by_name[name].is_tensor else value for name, value in seen.items()}


def _pair(value: Any) -> Any:
    if isinstance(value, Kind):
        return value.dtype, value.rank
    return [_pair(part) for part in value] if isinstance(value, tuple) else value
