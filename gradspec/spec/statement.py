"""Statements: `y = x * 4 + b`, `x[0] = 3.0`, `a, b = topk(x, k=2)`.

`parse_statement` turns a text into instructions, each one op or attribute with every argument bound
to its name, in the order of evaluation.  It knows the ops and no tensor: which binding a name means
is for the program to say, so that a text is parsed once however often it stands in specs.  All that
is wrong with a text is collected, each fault with its characters.
"""

from __future__ import annotations

import _ast
from functools import lru_cache
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import DTYPES
from gradspec.errors import did_you_mean
from gradspec.spec.fold import CONSTANTS, NUMBERS, NotANumber, fold, in_range
from gradspec.spec.instruction import (
    Alias,
    Do,
    Get,
    Instruction,
    MakeLeaf,
    Number,
    Problem,
    Put,
    Statement,
    Temp,
    Use,
)
from gradspec.spec.kinds import (
    KIND_WORDS,
    describe,
    dtype_hint,
    fit,
    is_data,
    is_default,
    is_integers,
    listed,
)
from gradspec.spec.model import Call, IndexSlice
from gradspec.spec.signature import PREFIXES, Signature, explain_unknown, find
from gradspec.spec.syntax import BadText, Offsets, parse

if TYPE_CHECKING:
    from gradspec.ops.registry import Param

__all__ = ["LIMIT", "RESERVED", "name_fault", "parse_statement"]

LIMIT = 10_000  # characters
RESERVED = tuple(CONSTANTS)


@lru_cache(maxsize=16384)
def parse_statement(text: str) -> Statement:
    """The instructions of one statement. What is wrong with it is in `problems`, never raised."""
    try:
        nodes, offsets = parse(text, LIMIT, "statement")
    except BadText as bad:
        problem = Problem("bad-statement", bad.message, bad.offset, bad.width, bad.hint)
        return Statement(text, (), (), 0, (problem,))
    reader = _Reader(offsets)
    reader.read(nodes)
    return Statement(
        text,
        tuple(reader.instructions),
        tuple(reader.targets),
        reader.temps,
        tuple(sorted(reader.problems, key=_place)),
    )


def _place(problem: Problem) -> int:
    return problem.offset


def name_fault(name: str) -> str:
    """Why `name` cannot be a tensor's name, or ''."""
    if name in RESERVED:
        return f'"{name}" is reserved: it is a number'
    if not name.isidentifier():
        return f'"{name}" is no identifier: letters, digits and _, not starting with a digit'
    if iskeyword(name):
        return f'"{name}" is a keyword of Python'
    if name.startswith("_"):
        return f'"{name}" starts with _'
    if not name.isascii():
        from unicodedata import normalize  # Python's parser reads names in this form

        if normalize("NFKC", name) != name:
            return f'"{name}" is not in Unicode\'s normal form NFKC; write "{normalize("NFKC", name)}"'
    return ""


class _Broken:
    """The value of something faulty: fits everywhere, so that one fault is told once."""


_BROKEN = _Broken()
_OPERATORS: dict[type[Any], tuple[str, str]] = {
    _ast.Add: ("+", "add"), _ast.Sub: ("-", "sub"), _ast.Mult: ("*", "mul"), _ast.Div: ("/", "div"),
    _ast.FloorDiv: ("//", "floor_divide"), _ast.Mod: ("%", "remainder"), _ast.Pow: ("**", "pow"),
    _ast.MatMult: ("@", "matmul"), _ast.BitAnd: ("&", "bitwise_and"), _ast.BitOr: ("|", "bitwise_or"),
}  # fmt: skip
_UNARY: dict[type[Any], str] = {_ast.USub: "neg", _ast.UAdd: "positive", _ast.Invert: "bitwise_not"}
_COMPARISONS: dict[type[Any], str] = {
    _ast.Eq: "eq", _ast.NotEq: "ne", _ast.Lt: "lt", _ast.LtE: "le", _ast.Gt: "gt", _ast.GtE: "ge",
}  # fmt: skip
_FOLDED = ("+", "-", "*", "/", "//", "%", "**")
_READ = ("grad", "data")  # attributes that are no op
_OPS = ("T", "mT", "H", "real", "imag")  # attributes that are one
_WRITTEN = {"grad": "a tensor or None", "data": "a tensor", "requires_grad": "True or False"}


class _Reader:
    """One statement on its way from tree to instructions."""

    def __init__(self, offsets: Offsets) -> None:
        self.offsets = offsets
        self.instructions: list[Instruction] = []
        self.targets: list[str] = []
        self.temps = 0
        self.problems: list[Problem] = []

    # Faults

    def bad(self, node: Any, message: str, hint: str = "", code: str = "bad-statement") -> Any:
        """Note a fault; the faulty value."""
        self.problems.append(Problem(code, message, *self.offsets.of(node), hint))
        return _BROKEN

    # Statements

    def read(self, nodes: list[Any]) -> None:
        node = nodes[0]
        if len(nodes) > 1:
            self.bad(nodes[1], "a second statement", "one statement a step")
        elif isinstance(node, _ast.Assign):
            self.assign(node)
        elif isinstance(node, _ast.AugAssign):
            self.augmented(node)
        elif isinstance(node, _ast.Expr):
            before = len(self.instructions)
            value = self.expression(node.value)
            if value is not _BROKEN and len(self.instructions) == before:
                self.bad(node, "this does nothing", "a statement runs an op or binds a name: y = tanh(x)")
        else:
            self.bad(
                node,
                "not a statement of the language",
                "y = op(x), x *= 2, x[0] = 3.0, x.grad = None or a call in place",
            )

    def assign(self, node: Any) -> None:
        target = node.targets[0]
        if len(node.targets) > 1:
            for each in node.targets:
                self.declare(each)
            self.bad(node.targets[1], "a second =", "one assignment a step; y = x gives x a second name")
        elif isinstance(target, _ast.Name):
            self.bind(target, node.value)
        elif isinstance(target, (_ast.Tuple, _ast.List)):
            self.unpack(target, node.value)
        elif isinstance(target, _ast.Subscript):
            value = self.expression(node.value)
            owner = self.tensor(target.value)
            self.set_item(target, owner, self.index(target.slice), value, node.value)
        elif isinstance(target, _ast.Attribute):
            self.set_attribute(target, node.value)
        else:
            self.bad(target, "nothing that can be assigned to")

    def declare(self, node: Any) -> str:
        """The name a target binds ('' for what is none)."""
        if not isinstance(node, _ast.Name):
            self.bad(node, "not a name", "results are bound to names: a, b = topk(x, k=2)")
            return ""
        if fault := name_fault(node.id):
            self.bad(node, fault, code="bad-name")
        elif node.id in self.targets:
            self.bad(node, f'"{node.id}" is bound twice', code="bad-name")
        self.targets.append(node.id)
        return node.id

    def bind(self, target: Any, value_node: Any) -> None:
        name = self.declare(target)
        value = self.expression(value_node)
        if isinstance(value, Use):
            self.instructions.append(Alias(name, value))
        elif isinstance(value, Temp):
            self.name_results((name,))
        elif value is not _BROKEN:
            what = "None" if value is None else "a number" if isinstance(value, NUMBERS) else "not a tensor"
            hint = "write tensor(...) to make one" if isinstance(value, (*NUMBERS, tuple)) else ""
            self.bad(value_node, f"a name means a tensor; this is {what}", hint, "wrong-argument")

    def unpack(self, target: Any, value_node: Any) -> None:
        names = tuple(self.declare(each) for each in target.elts)
        if not names:
            self.bad(target, "no name to bind")
        if not isinstance(value_node, _ast.Call):
            self.expression(value_node)
            self.bad(value_node, "not an op that gives several tensors", "bind one name a step")
            return
        made = self.call(value_node, self.callee(value_node), target)
        if made is not _BROKEN and all(names):
            self.name_results(names)

    def name_results(self, names: tuple[str, ...]) -> None:
        """Let the last instruction bind names in the place of its temporary."""
        last: Any = self.instructions[-1]
        self.instructions[-1] = last._replace(out=names if isinstance(last, Do) else names[0])
        self.temps -= 1

    def augmented(self, node: Any) -> None:
        found = _OPERATORS.get(type(node.op))
        if found is None or found[1] == "matmul":
            self.bad(node, "torch has no such in-place operator", "in place are += -= *= /= //= %= **= &= |=")
            return
        op, target = found[1] + "_", node.target
        if isinstance(target, _ast.Name):
            owner = self.tensor_name(target)
            self.targets.append(target.id)
            if self.run(op, [(target, owner), self.argument(node.value)], node) is not _BROKEN:
                self.name_results((target.id,))
        elif isinstance(target, _ast.Attribute) and target.attr in _READ:
            owner = self.tensor(target.value)
            read = self.get(owner, target.attr)
            changed = self.run(op, [(target, read), self.argument(node.value)], node)
            if _BROKEN not in (owner, changed):
                self.instructions.append(Put(owner, target.attr, changed))
        elif isinstance(target, _ast.Subscript):
            owner, index = self.tensor(target.value), self.index(target.slice)
            part = self.run("__getitem__", [(target.value, owner), (target.slice, index)], target)
            changed = self.run(op, [(target, part), self.argument(node.value)], node)
            self.set_item(target, owner, index, changed, node.value)
        else:
            self.bad(target, "nothing that can be changed in place")

    def set_item(self, target: Any, owner: Any, index: Any, value: Any, value_node: Any) -> None:
        arguments = [(target.value, owner), (target.slice, index), (value_node, value)]
        self.run("__setitem__", arguments, target)

    def set_attribute(self, target: Any, value_node: Any) -> None:
        value = self.expression(value_node)
        owner = self.tensor(target.value)
        name = target.attr
        if name not in _WRITTEN:
            hint = did_you_mean(name, list(_WRITTEN)) or "written are grad, data and requires_grad"
            self.bad(target, f'no attribute "{name}" that can be written', hint)
            return
        is_tensor = isinstance(value, (Use, Temp))
        fits = {
            "grad": is_tensor or value is None,
            "data": is_tensor,
            "requires_grad": isinstance(value, bool),
        }
        if value is not _BROKEN and not fits[name]:
            hint = (
                "write tensor(...) to make one"
                if isinstance(value, NUMBERS) and name != "requires_grad"
                else ""
            )
            self.bad(value_node, f"{name} takes {_WRITTEN[name]}", hint, "wrong-argument")
        elif value is not _BROKEN and owner is not _BROKEN:
            self.instructions.append(Put(owner, name, value))

    # Expressions: a Use or Temp (a tensor), a number, None, a str, Ellipsis, a tuple (a list or tuple
    # as written), or _BROKEN.

    def expression(self, node: Any) -> Any:
        method = getattr(self, f"read_{type(node).__name__}", None)
        if method is not None:
            return method(node)
        if isinstance(node, (_ast.BoolOp, _ast.IfExp)):
            return self.bad(node, "and, or and if have no place in a statement", "& and | work on tensors")
        return self.bad(node, "not part of a statement")

    def read_Name(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        return CONSTANTS[node.id] if node.id in CONSTANTS else self.tensor_name(node)

    def tensor_name(self, node: Any) -> Any:
        if node.id.startswith("_"):
            return self.bad(node, f'"{node.id}" starts with _', code="bad-name")
        return Use(node.id, *self.offsets.of(node))

    def read_Constant(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        value = node.value
        if isinstance(value, bytes):
            return self.bad(node, "bytes have no place in a statement")
        if not in_range(value):
            return self.bad(node, "an integer out of the range of int64")
        infinite = isinstance(value, float) and value == CONSTANTS["inf"]
        if infinite or (isinstance(value, complex) and value.imag == CONSTANTS["inf"]):
            return self.bad(node, "a number out of the range of float64", "write inf for an infinity")
        return value

    def read_Tuple(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        values = tuple(self.expression(each) for each in node.elts)
        return _BROKEN if any(value is _BROKEN for value in values) else values

    read_List = read_Tuple  # noqa: N815  # named after ast's nodes

    def read_Starred(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        return self.bad(node, "a * has no place here", "write the elements out")

    def read_UnaryOp(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        value = self.expression(node.operand)
        kind = type(node.op)
        if kind is _ast.Not:
            return self.bad(node, "not has no place in a statement", "~x or logical_not(x) work on tensors")
        if isinstance(value, NUMBERS):
            if kind is _ast.Invert:
                return self.bad(node, "~ of a number", "write the number")
            return -value if kind is _ast.USub else +value
        return self.run(_UNARY[kind], [(node.operand, value)], node)

    def read_BinOp(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        left, right = self.expression(node.left), self.expression(node.right)
        found = _OPERATORS.get(type(node.op))
        if found is None:
            return self.bad(node, "no operator of the language", "operators are + - * / // % ** @ & |")
        symbol, op = found
        if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
            if symbol not in _FOLDED:
                return self.bad(node, f"{symbol} of two numbers", "write the number")
            try:
                return fold(symbol, left, right)
            except NotANumber as fault:
                return self.bad(node, str(fault))
        return self.run(op, [(node.left, left), (node.right, right)], node, operator=op != "matmul")

    def read_Compare(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        op = _COMPARISONS.get(type(node.ops[0]))
        if len(node.ops) > 1:
            return self.bad(node, "a chain of comparisons", "write (a < b) & (b < c)")
        if op is None:
            return self.bad(
                node, "is and in have no place in a statement", "same_as: in an expect compares objects"
            )
        left, right = self.expression(node.left), self.expression(node.comparators[0])
        if isinstance(left, NUMBERS) and isinstance(right, NUMBERS):
            return self.bad(node, "a comparison of two numbers", "one side must be a tensor")
        return self.run(op, [(node.left, left), (node.comparators[0], right)], node, operator=True)

    def read_Subscript(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        owner = self.tensor(node.value)
        return self.run("__getitem__", [(node.value, owner), (node.slice, self.index(node.slice))], node)

    def read_Attribute(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        name = node.attr
        if name not in (*_READ, *_OPS):
            hint = did_you_mean(name, [*_READ, *_OPS]) or "attributes are grad, data, T, mT, H, real and imag"
            return self.bad(node, f'no attribute "{name}"', hint)
        owner = self.tensor(node.value)
        return self.get(owner, name) if name in _READ else self.run(name, [(node.value, owner)], node)

    def get(self, owner: Any, name: str) -> Any:
        if owner is _BROKEN:
            return _BROKEN
        self.instructions.append(Get(owner, name, temp := self.temp()))
        return temp

    def temp(self) -> Temp:
        self.temps += 1
        return Temp(self.temps - 1)

    def tensor(self, node: Any) -> Any:
        """An expression that must be a tensor."""
        value = self.expression(node)
        if isinstance(value, (Use, Temp)) or value is _BROKEN:
            return value
        return self.bad(node, "not a tensor", code="wrong-argument")

    def argument(self, node: Any) -> tuple[Any, Any]:
        return node, self.expression(node)

    # Indexing: always a tuple, one entry for each position as written.

    def index(self, node: Any) -> Any:
        entries = node.elts if isinstance(node, _ast.Tuple) else [node]
        values = tuple(self.index_entry(each) for each in entries)
        return _BROKEN if any(value is _BROKEN for value in values) else values

    def index_entry(self, node: Any) -> Any:
        if isinstance(node, _ast.Slice):
            parts = [
                None if each is None else self.slice_part(each)
                for each in (node.lower, node.upper, node.step)
            ]
            return _BROKEN if any(part is _BROKEN for part in parts) else IndexSlice(*parts)
        value = self.expression(node)
        if value is None or value is Ellipsis or isinstance(value, (bool, int, Use, Temp, _Broken)):
            return value
        if isinstance(value, tuple) and is_integers(value):
            return value
        hint = "integers, slices, None, ..., lists of integers, and integer or bool tensors"
        return self.bad(node, "this cannot index", hint, "wrong-argument")

    def slice_part(self, node: Any) -> Any:
        value = self.expression(node)
        if value is None or isinstance(value, (Use, Temp, _Broken)) or type(value) is int:
            return value
        return self.bad(node, "a slice takes integers", code="wrong-argument")

    # Calls

    def read_Call(self, node: Any) -> Any:  # noqa: N802  # named after ast's nodes
        return self.call(node, self.callee(node))

    def callee(self, node: Any) -> Signature | None:
        """The op that is called; None (and a fault, except for tensor) where there is none."""
        name = _dotted(node.func)
        if not name:
            self.bad(node.func, "only ops can be called", "write op(x)", "unknown-op")
            return None
        signature = None if name.startswith("_") else find(name)
        if signature is None and name != "tensor":
            owner, _, method = name.rpartition(".")
            if owner and owner.split(".")[0] not in (*PREFIXES, "torch", "nn", "F", "Tensor"):
                hint = (
                    f"write {method}({owner}{', …' if node.args else ''})"
                    if find(method)
                    else explain_unknown(method)
                )
                self.bad(node.func, "ops are functions, not methods", hint, "unknown-op")
            else:
                self.bad(node.func, f'no op "{name}"', explain_unknown(name), "unknown-op")
        return signature

    def call(self, node: Any, signature: Signature | None, target: Any = None) -> Any:
        """A call, whose results go to the names of `target`, or are one tensor without it."""
        if signature is None and isinstance(node.func, _ast.Name) and node.func.id == "tensor":
            return self.make(node)
        arguments = [self.argument(each) for each in node.args]
        keywords: dict[str, tuple[Any, Any]] = {}
        for each in node.keywords:
            if each.arg is None:
                self.bad(each.value, "** has no place here", "write the arguments out")
            elif each.arg in keywords:
                self.bad(each, f"{each.arg} is given twice", code="surplus-argument")
            else:
                keywords[each.arg] = (each, self.expression(each.value))
        if signature is None:
            return _BROKEN
        return self.invoke(signature, arguments, keywords, node.func, whole=node, target=target)

    def count(self, signature: Signature, bound: dict[str, Any], whole: Any, target: Any) -> None:
        """Note a fault where a call gives another number of tensors than the statement takes."""
        name, results = signature.name, signature.results(bound)
        if results == "one":
            if target is not None:
                self.bad(target, f"{name} gives one tensor, not a tuple", f"write y = {name}(…)")
        elif target is None:
            words = "a, b" if results == "tuple" else ", ".join(results)
            hint = f"name its results: {words} = {name}(…)"
            if results == "tuple":
                hint += f", or a, = {name}(…) for one"
            self.bad(whole, f"{name} gives a tuple of tensors", hint)
        elif results != "tuple" and len(results) != len(target.elts):
            names = len(target.elts)
            message = f"{name} gives {len(results)} tensors here, not {names}"
            self.bad(target, message, f"write {', '.join(results)} = {name}(…)")

    def run(self, name: str, arguments: list[tuple[Any, Any]], node: Any, operator: bool = False) -> Any:
        """An op that is written as an operator, an index or an attribute."""
        signature = find(name)
        if signature is None:
            return self.bad(node, f'no op "{name}"', explain_unknown(name), "unknown-op")
        return self.invoke(signature, arguments, {}, node, operator=operator)

    def invoke(
        self,
        signature: Signature,
        arguments: list[tuple[Any, Any]],
        keywords: dict[str, tuple[Any, Any]],
        node: Any,
        *,
        operator: bool = False,
        whole: Any = None,
        target: Any = None,
    ) -> Any:
        """Bind arguments to parameters; the result's Temp, or _BROKEN."""
        before = len(self.problems)
        given = self.assign_arguments(signature, arguments, keywords, node)
        bound: list[tuple[str, Any]] = []
        inputs: list[Use | Temp | Number] = []
        for param in signature.params:
            if param.name not in given:
                continue
            where, value = given[param.name]
            if operator and param.kind == "Tensor":
                param = param._replace(kind="Operand")  # 2 - x
            elif signature.in_place and param is signature.params[0]:
                param = param._replace(kind="Tensor")  # what is changed
            if value is not _BROKEN:
                value = self.convert(param, value, where, signature, inputs)
            if not is_default(param, value):
                bound.append((param.name, value))
        sound = len(self.problems) == before and not any(
            value is _BROKEN for _, value in [*arguments, *keywords.values()]
        )
        if sound or signature.settled:
            self.count(signature, dict(bound), whole, target)
        if not sound or len(self.problems) > before:
            return _BROKEN
        if inputs and all(isinstance(value, Number) for value in inputs):
            hint = "numbers are computed with + - * / // % **; tensor(...) makes a tensor"
            return self.bad(node, f"{signature.name} of numbers alone", hint, "wrong-argument")
        name = signature.name
        if ("inplace", True) in bound:  # relu(x, inplace=True) is relu_(x)
            bound.remove(("inplace", True))
            name += "_"
        call = Call(name, tuple(bound))
        self.instructions.append(Do(call, repr(call), tuple(inputs), (temp := self.temp(),)))
        return temp

    def assign_arguments(
        self, signature: Signature, arguments: list[Any], keywords: dict[str, Any], node: Any
    ) -> dict[str, tuple[Any, Any]]:
        positional = [param for param in signature.params if not param.keyword_only]
        given: dict[str, tuple[Any, Any]] = {}
        if signature.variadic:
            first = [param.name for param in positional].index(signature.variadic)
            arguments = _collect(arguments, first)  # einsum('ij,jk->ik', a, b)
        for param, argument in zip(positional, arguments, strict=False):
            tensor = isinstance(argument[1], (Use, Temp))
            given[(tensor and signature.instead(param.name)) or param.name] = argument
        if len(arguments) > len(positional):
            most = f"takes at most {len(positional)} positional argument{'s' * (len(positional) != 1)}"
            by_name = [param.name for param in signature.params if param.keyword_only]
            hint = f"by name only: {', '.join(by_name)}" if by_name else ""
            if positional and positional[-1].kind in ("Size", "Dims"):
                hint = "sizes and dims are one list: view(x, [2, 3])"
            self.bad(arguments[len(positional)][0], f"{signature.name} {most}", hint, "surplus-argument")
        known = {param.name for param in signature.params}
        for name, (each, value) in keywords.items():
            if name not in known:
                hint = (
                    did_you_mean(name, known)
                    or f"{signature.name} takes {', '.join(_signature_words(signature))}"
                )
                self.bad_keyword(each, f'{signature.name} has no argument "{name}"', hint, "unknown-argument")
            elif name in given:
                self.bad_keyword(each, f"{name} is given twice", "", "surplus-argument")
            else:
                given[name] = (each.value, value)
        for param in signature.params:
            if param.required and param.name not in given:
                hint = f"{signature.name}({', '.join(_signature_words(signature))})"
                self.bad(
                    node, f'{signature.name} needs the argument "{param.name}"', hint, "missing-argument"
                )
        return given

    def bad_keyword(self, node: Any, message: str, hint: str, code: str) -> None:
        """A fault about a keyword's name."""
        offset, _ = self.offsets.of(node)
        self.problems.append(Problem(code, message, offset, len(node.arg), hint))

    def convert(self, param: Param, value: Any, node: Any, signature: Signature, inputs: list[Any]) -> Any:
        """A value as the parameter takes it, tensors appended to `inputs`; notes a fault otherwise."""
        if value is None and (param.optional or (not param.required and param.default is None)):
            return None
        before = len(inputs)
        for kind in param.kind.split(" | "):
            fits, converted = fit(kind, value, inputs)
            if fits:
                return converted
            del inputs[before:]
        kind = param.kind
        if kind == "DType" and isinstance(value, str):
            return self.bad(
                node, f'no dtype "{value}"', did_you_mean(value, list(DTYPES)) or dtype_hint(), "bad-dtype"
            )
        words = " or ".join(KIND_WORDS.get(each, each) for each in kind.split(" | "))
        hint = "write tensor(...) to make one" if kind in ("Tensor", "Operand") and is_data(value) else ""
        return self.bad(
            node,
            f"{param.name} of {signature.name} takes {words}, not {describe(value)}",
            hint,
            "wrong-argument",
        )

    def make(self, node: Any) -> Any:
        """`tensor(data, dtype='float64', requires_grad=True)`."""
        before = len(self.problems)
        data: Any = None
        dtype, requires_grad = None, False
        given = [("data", each, each) for each in node.args[:1]]
        given += [(each.arg, each.value, each) for each in node.keywords]
        for each in node.args[1:]:
            self.bad(
                each,
                "tensor takes one positional argument",
                "dtype= and requires_grad= by name",
                "surplus-argument",
            )
        seen: set[Any] = set()
        for name, value_node, whole in given:
            value = self.expression(value_node)
            if name in seen:
                self.bad(whole, f"{name} is given twice", code="surplus-argument")
            seen.add(name)
            if name == "data":
                data = value
                if value is not _BROKEN and not is_data(value):
                    hint = "clone(x) copies a tensor" if isinstance(value, (Use, Temp)) else ""
                    self.bad(
                        value_node, "tensor takes numbers and nested lists of them", hint, "wrong-argument"
                    )
            elif name == "dtype":
                dtype = value
                if not isinstance(value, str) or value not in DTYPES:
                    hint = did_you_mean(value, list(DTYPES)) if isinstance(value, str) else ""
                    self.bad(value_node, "not a dtype", hint or dtype_hint(), "bad-dtype")
            elif name == "requires_grad":
                requires_grad = value
                if not isinstance(value, bool):
                    self.bad(value_node, "requires_grad takes True or False", code="wrong-argument")
            else:
                hint = did_you_mean(str(name), ["data", "dtype", "requires_grad"])
                self.bad_keyword(whole, f'tensor has no argument "{name}"', hint, "unknown-argument")
        if "data" not in seen:
            self.bad(node.func, 'tensor needs the argument "data"', "tensor([1.0, 2.0])", "missing-argument")
        if len(self.problems) > before or data is _BROKEN:
            return _BROKEN
        offset, width = self.offsets.of(node)
        self.instructions.append(
            MakeLeaf(listed(data), dtype, requires_grad, temp := self.temp(), offset, width)
        )
        return temp


def _signature_words(signature: Signature) -> list[str]:
    return [param.name if param.required else f"{param.name}=…" for param in signature.params]


def _dotted(node: Any) -> str:
    """`linalg.inv` of an attribute chain over a name, else ''."""
    parts: list[str] = []
    while isinstance(node, _ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, _ast.Name) else ""


def _collect(arguments: list[Any], first: int) -> list[Any]:
    """The arguments from `first` on as one list, unless they already are one."""
    rest = arguments[first:]
    if len(rest) == 1 and isinstance(rest[0][1], tuple) and not isinstance(rest[0][1], (Use, Temp)):
        return arguments
    values = tuple(value for _, value in rest)
    broken = any(value is _BROKEN for value in values)
    return [*arguments[:first], (rest[0][0], _BROKEN if broken else values)] if rest else arguments
