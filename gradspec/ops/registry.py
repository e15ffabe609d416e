"""The registry: one entry an op, from which everything else about it follows.

An op is a Python function `forward(xp, <its torch arguments>)` against the array contract, under a
decorator that says its kind; its derivative rules hang on it, one for each differentiable argument:

    @elementwise(dtypes=FLOAT, node="SqrtBackward0", samples=reals(0.1, 9.0))
    def sqrt(xp, input: Tensor) -> Tensor:
        '''y = √x ...'''
        return xp.sqrt(input)

    @sqrt.partial("input")
    def _(xp, y):                       # names y only, so only y is saved
        return xp.divide(0.5, y)

**A rule's parameter names are its saved tensors.**  They may be: `ct` (the cotangent of the output;
a tuple for an op with several outputs), `y` (the output), any tensor argument (saved), any other
argument (its static value), and `<argument>_meta` or `y_meta` (an object with `.shape` and `.dtype`,
which saves nothing).  An op whose results have names (`outputs`) has no `y`: a rule names the results
that it needs.

Kinds, cheapest first:
    composite     a body of other ops, `forward(F, ...)` with F.<op>(...); no rules. Tensors have
                  `.shape`, `.dtype`, `.strides`, `.requires_grad` and `.item()` there, numbers are
                  numbers; a tensor of the arguments may come back as it is
    linear        `adjoint(arg)`: (xp, ct, ...) → cotangent of arg; saves only what it names
    elementwise   `partial(arg)`: (xp, ...) → ∂y/∂arg, holomorphic; the engine multiplies and conjugates.
                  `vjp(arg)` where multiplying would be wrong (relu: ∞·0) or it is not holomorphic
    general       `vjp(arg)`: (xp, ct, ...) → cotangent of arg
    constant      no gradient: the output never requires grad

Functions given as facts (`node`, `check`, `expand`, `warns`) are called with all arguments by name,
defaults filled in; what a tensor is there, each fact says.  A Python number in a tensor's place, and
an `Index`, count as saved when a rule names them, as in torch, which makes tensors of them.

Never in a rule: undoing broadcasting, adding cotangents, casting a cotangent to its argument's
dtype.  The engine does these once.  A rule for a list argument returns a list.

**One name, several forms.**  `max(x)` is one tensor, `max(x, 0)` two, `max(x, w)` another op.  Such an
op is a composite with `chooses=True`: its body does nothing but call one op, and which one follows from
the arguments alone.  How many results a call gives and what they are, `Op.results` answers for all ops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from gradspec.dtypes import category, result_type
from gradspec.errors import ProgramError
from gradspec.records import NamedTuple

__all__ = [
    "COMPARE", "FLOAT", "INDEX", "KEEP", "PROMOTE", "SAME", "Array", "DType", "Dims", "Index", "Number",
    "Op", "Operand", "Pair", "Param", "Registry", "Rule", "Sample", "Size", "Tensor", "Tensors", "Xp",
    "composite", "constant", "elementwise", "general", "linear", "registry",
]  # fmt: skip

# Dtype policies: what operands are cast to, and the output's dtype. A policy is one of these words
# or a function (dtypes of the tensor arguments by name: (dtype, rank) pairs, a list of them for
# Tensors; static arguments by name) → (dtype to compute in or None for "cast nothing", dtype of the
# output), or → one of these words. `Op.result_dtypes` answers for all of them.
PROMOTE = "promote"  # torch.result_type of the tensor arguments; output the same
FLOAT = "float"  # as PROMOTE, integers and bool become the default float dtype
COMPARE = "compare"  # operands as PROMOTE; output bool
KEEP = "keep"  # nothing is cast; output has the first tensor's dtype
SAME = "same"  # all tensor operands must have one dtype, else error dtype-mismatch; output the same
INDEX = "index"  # nothing is cast; output int64

# Annotation words of forward functions, see Param.kind.
Tensor = Any
Tensors = Any
Operand = Any
Index = Any
Number = Any
DType = Any
Dims = Any
Size = Any
Array = Any  # in rules: an array of whatever library xp is
Xp = Any  # a Namespace of gradspec.arrays.contract
Pair = tuple[str, str]  # (dtype, rank), see dtypes.result_type


class Param(NamedTuple):
    """A parameter of an op. `kind` is its annotation, without "| None":

    Tensor     a tensor                    Operand    a tensor or a Python number
    Tensors    a list of tensors           Index      NumPy's index syntax
    int, float (any real number), Number (real or complex), bool, str, DType
    Dims       an int or a list of ints    Size       a list of ints
    """

    name: str
    kind: str
    optional: bool  # may be None
    required: bool
    default: Any
    keyword_only: bool

    @property
    def is_tensor(self) -> bool:
        return self.kind in ("Tensor", "Operand", "Tensors")


class Rule(NamedTuple):
    """A derivative rule for one argument; `kind` is "partial", "adjoint" or "vjp"."""

    kind: str
    function: Callable[..., Any]
    names: tuple[str, ...]  # its parameters after xp


class Sample(NamedTuple):
    """Arguments for one call, from which tests and gradchecks are made.

    `args`: by parameter name; a tensor is a tuple (shape, low, high) of reals drawn uniformly, or a
    `Dense`; everything else stands for itself.
    """

    args: dict[str, Any]
    note: str = ""


class Op:
    """One op: its signature, forward function, rules and everything said about it."""

    def __init__(self, kind: str, forward: Callable[..., Any], **facts: Any) -> None:
        self.kind = kind
        self.forward = forward
        self.name: str = facts.pop("name", None) or forward.__name__
        self.doc = (forward.__doc__ or "").strip()
        self.params = _params(forward)
        self.by_name = {param.name: param for param in self.params}
        self.tensors = tuple(param for param in self.params if param.is_tensor)
        self.rules: dict[str, Rule] = {}
        self.rules_in_place: dict[str, Rule] = {}  # where `name_(x)` saves other things
        # How grad_fn is called: a word, or a function (arguments by name: tensors as their (dtype,
        # rank) pairs, others as values) → word.
        self.node: str | Callable[..., str] = facts.pop("node", "")
        # The same for `name_(x, ...)`, where torch counts that form apart; "" where it does not.
        self.node_in_place: str | Callable[..., str] = facts.pop("node_in_place", "")
        # Whether the in-place form has the derivative, too; torch left it out for some.
        self.derived_in_place: bool = facts.pop("derived_in_place", True)
        # torch makes several nodes where this op makes one, called as the last of them: what lies below is
        # not told. True, or a function (arguments by name: tensors as metas) → bool.
        self.hides: bool | Callable[..., bool] = facts.pop("hides", False)
        # torch's node keeps what it made on the way, beside operands and result: where a write through .data
        # goes unnoticed, its gradient is of both. "recorded": that of this op does so here, once a backward
        # was recorded, where torch has one node.
        self.keeps: bool | str = facts.pop("keeps", False)
        self.dtypes: Any = facts.pop("dtypes", PROMOTE)
        self.inplace: bool = facts.pop("inplace", False)  # `name_(x, ...)` exists
        # How operands of that form may share the written memory: "any", "same" (all of it, arranged in the
        # same way) or "none"; "places": none, but its own elements may share memory, which torch warns of;
        # "marked": these, and operands any; "unchecked": torch does not even look whether its own elements
        # share memory; "ignored": nor does it matter. Or a function of the written dtype → one of these.
        self.overlap: str | Callable[[str], str] = facts.pop("overlap", "same")
        self.view: bool = facts.pop("view", False)  # the output shares memory with the first argument
        # What a call gives: "one" tensor; "tuple", as many as the shapes say; the results by name, each
        # with its dtype ("" for that of the policy); or a function (arguments by name, of which only the
        # static ones say anything) → one of these.
        self.outputs: Any = facts.pop("outputs", "one")
        # A composite that only picks one of several ops, by the arguments that are given.
        self.chooses: bool = facts.pop("chooses", False)
        # Parameter → the one that a tensor in its place means: `max(x, w)` is `max(x, other=w)`.
        self.instead: dict[str, str] = facts.pop("instead", {})
        self.samples: tuple[Sample, ...] = tuple(facts.pop("samples", ()))
        self.kinks: dict[str, Any] = facts.pop("kinks", {})  # "x = 0": {"torch": 0.0, "right": 1.0}
        # The output's shape depends on values (boolean masks), not on shapes alone.
        self.dynamic: bool = facts.pop("dynamic", False)
        # Domains a dtype may have: words "float", "complex", "int", "bool".
        self.accepts: tuple[str, ...] = tuple(facts.pop("accepts", ("float", "complex", "int", "bool")))
        self.refs: tuple[str, ...] = tuple(facts.pop("refs", ()))
        # Checks of arguments that need shapes: tensors are metas (.shape, .dtype), a number in a tensor's
        # place is the number → None or raises ProgramError.
        self.check: Callable[..., None] | None = facts.pop("check", None)
        # The same, for the in-place form alone.
        self.check_in_place: Callable[..., None] | None = facts.pop("check_in_place", None)
        # By how many in-place ops torch makes the result, so that its version starts there: a number, or a
        # function (arguments by name, tensors as metas) → number.
        self.written: Any = facts.pop("written", 0)
        # Of a view op: how the result lies in memory. (shape and strides of the first argument, shape of the
        # result, place among several results; static arguments by name) → (strides, offset in elements of
        # the result); `unit`: how many elements of the result one of the argument makes.
        self.strides: Callable[..., tuple[Sequence[int], int]] | None = facts.pop("strides", None)
        self.unit: float = facts.pop("unit", 1)
        # Of a view op: whether the view shows the numbers otherwise than they are in memory (a conjugate).
        self.turns: bool = facts.pop("turns", False)
        # Whether an operand is broadcast to the first argument's shape, and looked at so, in place.
        self.spreads: bool = facts.pop("spreads", False)
        # Whether the result lies in memory as the operands do, see gradspec.engine.strides: True, the names
        # of those that it follows, the first before the next; or a function (arguments by name, tensors as
        # metas) → one of these.
        self.iterates: Any = facts.pop("iterates", kind == "elementwise")
        # Whether backward gives an operand the output's cotangent itself, as a view of it (arguments by
        # name, tensors as metas). A view op does that anyway.
        self.passes_on: Callable[..., bool] | None = facts.pop("passes_on", None)
        # For some kinds of arguments the op is a composite: (tensors as (dtype, rank) pairs) → None or a
        # body `(F, ...)` as a composite's, with this op's arguments, to run in its place.
        self.expand: Callable[..., Callable[..., Any] | None] | None = facts.pop("expand", None)
        # Warnings of the forward call: (as for check) → (code, text) pairs.
        self.warns: Callable[..., tuple[tuple[str, str], ...]] | None = facts.pop("warns", None)
        # Part of another op's body, or of a recorded backward; not for statements.
        self.internal: bool = facts.pop("internal", False)
        # Tensor arguments that take no part in promotion and are never cast (a condition, an index).
        self.apart: tuple[str, ...] = tuple(facts.pop("apart", ()))
        # It casts to the argument dtype, and a result of integers is a constant; else that is refused where
        # an argument requires grad (dtype-not-differentiable).
        self.casts: bool = facts.pop("casts", False)
        # Tensor arguments that are taken as constants: one that requires grad is refused (no-derivative).
        self.fixed: tuple[str, ...] = tuple(facts.pop("fixed", ()))
        # Complex tensors may require grad; else they are refused so (dtype-unsupported), but not in place.
        self.tracks_complex: bool = facts.pop("tracks_complex", True)
        # The Tensors parameter that takes all further positional arguments (`einsum(eq, a, b)`).
        self.variadic: str = facts.pop("variadic", "")
        if facts:
            raise TypeError(f"op {self.name}: unknown facts {sorted(facts)}")

    @property
    def underivable(self) -> bool:
        """Whether there is a node, but no derivative: backward through it fails."""
        return self.kind not in ("composite", "constant") and not self.rules

    def partial(self, argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register ∂y/∂argument."""
        return self._rule("partial", argument)

    def adjoint(self, argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register the transpose of a map that is linear in argument."""
        return self._rule("adjoint", argument)

    def vjp(
        self, argument: str, *, in_place: bool = False
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register the vector-Jacobian product for argument; `in_place`: of `name_(x, ...)` alone."""
        return self._rule("vjp", argument, self.rules_in_place if in_place else self.rules)

    def chosen(self, arguments: Mapping[str, Any]) -> tuple[Op, Mapping[str, Any]]:
        """The op that a call comes to and its arguments: another one where this op `chooses`, else itself.

        `arguments`: by name, defaults filled in; a tensor may be anything that is not None.
        """
        if not self.chooses:
            return self, arguments
        op, given = self.forward(_Choice(), **arguments)
        return op, {param.name: given.get(param.name, param.default) for param in op.params}

    def results(self, arguments: Mapping[str, Any]) -> Any:
        """What a call gives: "one", "tuple", or the dtypes of its results by their names.

        `arguments`: as for `chosen`.
        """
        op, given = self.chosen(arguments)
        return op.outputs(**given) if callable(op.outputs) else op.outputs

    def result_dtypes(
        self, dtypes: dict[str, Any], statics: dict[str, Any], default: str = "float32"
    ) -> tuple[str | None, str]:
        """(dtype to cast the tensor arguments to, or None to cast nothing; dtype of the output).

        `dtypes`: (dtype, rank) by tensor argument, a list of pairs for Tensors, None or absent for
        one that was not given; `default`: the default float dtype. Arguments in `apart` are never
        cast. Raises ProgramError dtype-unsupported and dtype-mismatch.
        """
        pairs: list[Pair] = []
        for name, given in dtypes.items():
            if given is not None and name not in self.apart:
                pairs += given if isinstance(given, list) else [given]
        policy = self.dtypes
        if callable(policy):
            policy = policy(dtypes, statics)
        compute, out = _by_word(self.name, policy, pairs, default) if isinstance(policy, str) else policy
        domain = _DOMAINS[category(compute or pairs[0][0])]
        if domain not in self.accepts:
            message = f"{self.name} does not take {compute or pairs[0][0]} tensors"
            raise ProgramError("dtype-unsupported", message)
        return compute, out

    def _rule(
        self, kind: str, argument: str, rules: dict[str, Rule] | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        rules = self.rules if rules is None else rules

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            code = function.__code__
            names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
            results = self.outputs if isinstance(self.outputs, dict) else ("y", "y_meta")
            known = {*self.by_name, *(f"{n}_meta" for n in self.by_name), "ct", *results}
            if unknown := [n for n in names if n not in known]:
                raise TypeError(
                    f"op {self.name}: rule for {argument} names {unknown}, which it does not have"
                )
            if argument not in self.by_name or argument in rules:
                raise TypeError(f"op {self.name}: no argument {argument}, or a second rule for it")
            rules[argument] = Rule(kind, function, tuple(names))
            return function

        return register

    def __repr__(self) -> str:
        return f"<op {self.name}>"


class _Choice:
    """The `F` of a body that chooses: a call on it is the op and its arguments."""

    def __getattr__(self, name: str) -> Callable[..., tuple[Op, dict[str, Any]]]:
        op = registry[name]
        return lambda *args, **kwargs: (op, dict(zip(op.by_name, args, strict=False)) | kwargs)


_DOMAINS = ("bool", "int", "float", "complex")  # by dtypes.category


def _by_word(op: str, word: str, pairs: list[Pair], default: str) -> tuple[str | None, str]:
    """The answer of a policy that is a word."""
    if word == KEEP:
        return None, pairs[0][0]
    if word == INDEX:
        return None, "int64"
    if word == SAME:
        first = pairs[0][0]
        if other := next((dtype for dtype, _ in pairs if dtype != first), None):
            raise ProgramError("dtype-mismatch", f"{op} needs operands of one dtype, not {first} and {other}")
        return first, first
    dtype = result_type(pairs, default)
    if word == FLOAT and category(dtype) < 2:
        dtype = default
    return dtype, "bool" if word == COMPARE else dtype


def _params(function: Callable[..., Any]) -> tuple[Param, ...]:
    """Parameters after the first, read from code and annotations (inspect costs more than it gives)."""
    code, notes = function.__code__, function.__annotations__
    positional = code.co_varnames[1 : code.co_argcount]
    keyword = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults: dict[str, Any] = dict(function.__kwdefaults__ or {})
    given = function.__defaults__ or ()
    if given:
        defaults.update(zip(positional[-len(given) :], given, strict=True))
    return tuple(
        Param(
            name=name,
            kind=notes[name].removesuffix("| None").strip(),
            optional=notes[name].endswith("| None"),
            required=name not in defaults,
            default=defaults.get(name),
            keyword_only=name in keyword,
        )
        for name in (*positional, *keyword)
    )


class Registry(Mapping[str, Op]):
    """Op name → Op. A module of ops that was announced is imported when one of them is asked for."""

    def __init__(self) -> None:
        self._ops: dict[str, Op] = {}
        self._homes: dict[str, str] = {}  # op name → the module that adds it

    def announce(self, modules: dict[str, list[str]]) -> None:
        """Say which ops a module adds when it is imported; ops are listed in this order."""
        self._homes.update((name, module) for module, names in modules.items() for name in names)

    def add(self, op: Op) -> Op:
        home = op.forward.__module__
        if op.name in self._ops or self._homes.get(op.name, home) != home:
            raise TypeError(f"op {op.name} is registered twice")
        if op.name not in self._homes and home in self._homes.values():
            raise TypeError(f"op {op.name} of {home} is not among the ops announced for that module")
        self._ops[op.name] = op
        return op

    def __getitem__(self, name: str) -> Op:
        op = self._ops.get(name)
        if op is None:
            import_module(self._homes[name])
            op = self._ops[name]
        return op

    def __contains__(self, name: object) -> bool:
        return name in self._ops or name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter({**self._homes, **self._ops})

    def __len__(self) -> int:
        return len({**self._homes, **self._ops})

    def base_of(self, name: str) -> Op | None:
        """The op of a statement's name; `mul_` is mul in place. None where there is none."""
        op = self.get(name)
        if op is None and name.endswith("_") and not name.endswith("__"):
            op = self.get(name[:-1])
            return op if op is not None and op.inplace else None
        return op


registry = Registry()


def _decorator(kind: str) -> Callable[..., Callable[[Callable[..., Any]], Op]]:
    def with_facts(**facts: Any) -> Callable[[Callable[..., Any]], Op]:
        def decorate(forward: Callable[..., Any]) -> Op:
            return registry.add(Op(kind, forward, **facts))

        return decorate

    return with_facts


composite = _decorator("composite")
linear = _decorator("linear")
elementwise = _decorator("elementwise")
general = _decorator("general")
constant = _decorator("constant")
