"""`FunctionalBackend`: a backend for frameworks that differentiate pure functions.

Such a framework knows no leaves, no graph and no `.grad`; it takes the vjp of a function.  Here the
dataflow of the program is kept as it runs, and for each backward a function is built of the tensors
whose gradients are wanted: the leaves, and the intermediates that retain theirs (one adds −0.0 of its
dtype to such an intermediate and differentiates by that; +0.0 would turn −0.0 into 0.0).

Values and derivatives are the framework's.  Accumulation, retention, flags, warnings, the refusal of
arguments that torch refuses (by the registry's checks and dtype policies), what is absent
rather than zero (reachability in the dataflow) and what a backward frees (from the registry's rules,
whose parameter names are the saved tensors) are emulated, and declared so.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradspec.backends.base import EMULATED, NATIVE, UNSUPPORTED, Support, Warned
from gradspec.backends.bookkeeping import is_in_place
from gradspec.backends.dataflow import Node, Variable, downstream, evaluate, executed, saved_edges
from gradspec.backends.operation import Operation
from gradspec.backends.stepwise import StepwiseBackend
from gradspec.dense import Dense
from gradspec.dtypes import category, is_differentiable
from gradspec.errors import ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradspec.backends.bookkeeping import Replay
    from gradspec.spec.model import Call, Program

__all__ = ["FunctionalBackend"]

Array = Any
FREED = (
    "Trying to go backward a second time through values that an earlier backward freed; "
    "retain_graph=True keeps them"
)
UNDERIVABLE = "an op on the way has no derivative"
NON_LEAF = "the .grad of a tensor is read that is no leaf and does not retain its gradient"
CYCLE = "backward(create_graph=True) makes tensors and their gradients refer to each other"
HIDDEN = "an op's result is used in its own derivative, where no function can be differentiated by it"
UNKNOWN = "which of its values a differentiated derivative still has cannot be known from outside"
_OURS = "done by gradspec around a framework of pure functions"
_ABSENT = "a framework of pure functions has no such thing"
_EMULATED = (
    "backward-inputs", "detach", "enable-grad", "grad-attribute", "identity", "leaf-in-program", "no-grad",
    "requires-grad-switch", "retain-grad", "retain-graph", "set-grad", "warnings", "zero-grad",
)  # fmt: skip
_MISSING = (
    "anomaly", "batched-grads", "checkpoint", "custom-function", "data-attribute", "grad-fn", "graph",
    "hooks", "in-place", "inference-mode", "memory", "node-hooks", "post-accumulate-hooks", "repr",
    "version", "views",
)  # fmt: skip


class FunctionalBackend(StepwiseBackend):
    """The author gives arrays, ops and `vjp`; see the abstract methods.

    `operations` maps op names to functions of the framework's arrays (traced ones while a vjp is
    taken) and plain Python arguments, by torch's parameter names, defaults left out; `unsupported`
    maps features to the reason why they are missing.
    """

    emulates_errors = True
    operations: Mapping[str, Callable[..., Any]]
    unsupported: Mapping[str, str] = {}

    def __init__(self) -> None:
        super().__init__()
        self._recording = True
        self._numbers = 0
        self._default = "float32"

    # What an author writes.

    @abstractmethod
    def array(self, data: Dense) -> Array:
        """The framework's array; raises `UnsupportedFeature` for a dtype it does not have."""

    @abstractmethod
    def dense(self, array: Array) -> Dense:
        """The values of an array that is not traced."""

    @abstractmethod
    def dtype_of(self, array: Array) -> str:
        """The dtype of an array, traced or not, as a word."""

    @abstractmethod
    def shape_of(self, array: Array) -> tuple[int, ...]:
        """The shape of an array, traced or not."""

    @abstractmethod
    def cast(self, array: Array, dtype: str) -> Array:
        """`array` in another dtype, differentiably; complex to real drops the imaginary part."""

    @abstractmethod
    def add(self, a: Array, b: Array) -> Array:
        """a + b for arrays of one shape and dtype, differentiably."""

    @abstractmethod
    def vjp(
        self, function: Callable[[list[Array]], list[Array]], primals: list[Array]
    ) -> tuple[list[Array], Callable[[list[Array]], list[Array]]]:
        """The outputs of `function` at `primals`, and the map from their cotangents to those of the
        primals, in torch's convention for complex numbers. Differentiable itself where primals are traced."""

    # What is declared.

    def supports(self, feature: str) -> Support:
        """Ops and dtypes as the author gave them; bookkeeping is emulated."""
        if feature in self.unsupported or feature in _MISSING:
            return UNSUPPORTED
        kind, _, word = feature.partition(":")
        if feature == "op:requires_grad_":
            return EMULATED
        if kind == "op":
            return NATIVE if word in self.operations else UNSUPPORTED
        return EMULATED if feature in _EMULATED else NATIVE

    def reason(self, feature: str) -> str:
        """Why a feature is not native."""
        if feature in self.unsupported:
            return self.unsupported[feature]
        return _ABSENT if feature in _MISSING else _OURS if feature in _EMULATED else ""

    # The run.

    @contextmanager
    def session(self, program: Program) -> Iterator[None]:
        """The program's default dtype, and recording."""
        self._default, self._recording, self._numbers = program.dtype, True, 0
        yield

    @contextmanager
    def block(self, mode: str) -> Iterator[None]:
        """no_grad and enable_grad."""
        if mode not in ("no_grad", "enable_grad"):
            feature = {"detect_anomaly": "anomaly"}.get(mode, mode.replace("_", "-"))
            raise UnsupportedFeature(feature, self.reason(feature))
        before, self._recording = self._recording, mode == "enable_grad"
        try:
            yield
        finally:
            self._recording = before

    def prepare(self, call: Call) -> Any:
        """The call over arrays, or the name of a step that only sets a flag."""
        if call.op == "requires_grad_":
            return dict(call.args).get("requires_grad", True)
        if is_in_place(call.op):
            raise UnsupportedFeature("in-place", self.reason("in-place"))
        if call.op not in self.operations:
            feature = f"op:{call.op}"
            raise UnsupportedFeature(feature, self.reason(feature) or f"{self.name} has no {call.op}")
        return Operation(self, call, self.operations[call.op])

    def apply(self, call: Any, inputs: list[Any]) -> Sequence[Variable]:
        """Run one op now, and remember it where a gradient may be wanted."""
        if isinstance(call, bool):
            self.set_attr(inputs[0], "requires_grad", call)
            return (inputs[0],)
        if None in inputs:
            raise ProgramError("invalid-argument", "an operand is None")
        values = [one.array if isinstance(one, Variable) else one for one in inputs]
        call.check(values)
        outputs = call.run(values, self._default)
        if call.may_return_input:
            for one in inputs:
                if isinstance(one, Variable) and outputs[0] is one.array:
                    return (one,)
        inputs = [values[k] if k in call.lent else one for k, one in enumerate(inputs)]
        tracked = self._recording and call.differentiable
        return self._made(call, inputs, outputs, tracked)

    def _made(
        self, call: Operation, inputs: list[Any], outputs: Sequence[Array], tracked: bool
    ) -> list[Variable]:
        through = [one for one in inputs if isinstance(one, Variable) and one.requires_grad]
        made = [Variable(array, False) for array in outputs]
        flows = [is_differentiable(self.dtype_of(one.array)) for one in made]
        if tracked and through and any(flows):
            default = self._default
            kept = [
                one if not isinstance(one, Variable) or one.requires_grad else one.array for one in inputs
            ]  # what carries no gradient is kept as the values it has now
            node = Node(
                self._next(), kept, lambda arrays, _: call.run(arrays, default), made, call.saves(kept, made)
            )
            node.underivable = call.underivable
            for variable, flow in zip(made, flows, strict=True):
                variable.requires_grad, variable.node = flow, node if flow else None
        elif call.gives_view and isinstance(inputs[0], Variable) and inputs[0].requires_grad:
            for variable in made:  # as in torch, even under no_grad a view needs one where its base does
                variable.requires_grad = True
        return made

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    # Tensors.

    def leaf(self, data: Dense, requires_grad: bool) -> Variable:
        """A new leaf."""
        if requires_grad and not is_differentiable(data.dtype):
            raise ProgramError("dtype-not-differentiable", f"a {data.dtype} tensor cannot require grad")
        return Variable(self.array(data), requires_grad)

    def read(self, tensor: Variable) -> Dense:
        """The values of a tensor."""
        return self.dense(tensor.array)

    def grad_of(self, tensor: Variable) -> Variable | None:
        """What has accumulated."""
        if tensor.grad_hidden:
            raise UnsupportedFeature("double-backward", HIDDEN)
        return tensor.grad

    def observe(self, tensor: Variable, field: str) -> Any:
        """is_leaf, requires_grad, retains_grad, dtype and shape."""
        if field == "is_leaf":
            return tensor.node is None
        if field == "requires_grad":
            return tensor.requires_grad
        if field == "retains_grad":
            return tensor.retains
        if field == "dtype":
            return self.dtype_of(tensor.array)
        if field == "shape":
            return self.shape_of(tensor.array)
        raise UnsupportedFeature(field)

    def get_attr(self, tensor: Variable, name: str) -> Variable | None:
        """`.grad`, with the warning."""
        if name != "grad":
            raise UnsupportedFeature("data-attribute", self.reason("data-attribute"))
        if tensor.node is not None and not tensor.retains and tensor.grad is None:
            self.pending.append(Warned("non-leaf-grad", NON_LEAF))
        return tensor.grad

    def set_attr(self, tensor: Variable, name: str, value: Any) -> None:
        """`.grad` and `.requires_grad`."""
        if name == "grad":
            self._check_grad(tensor, value)
            tensor.grad, tensor.grad_hidden = value, False
        elif name == "requires_grad":
            if tensor.node is not None and not value:
                raise ProgramError("non-leaf-requires-grad", "only a leaf can stop requiring grad")
            if value and not is_differentiable(self.dtype_of(tensor.array)):
                raise ProgramError("dtype-not-differentiable", "an integer tensor cannot require grad")
            tensor.requires_grad = bool(value)
        else:
            raise UnsupportedFeature("data-attribute", self.reason("data-attribute"))

    def _check_grad(self, tensor: Variable, value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, Variable):
            raise ProgramError("invalid-argument", "a gradient is a tensor or None")
        if value is tensor:
            raise ProgramError("gradient-is-self", "a tensor cannot be its own gradient")
        if self.shape_of(value.array) != self.shape_of(tensor.array):
            raise ProgramError("gradient-shape", "the gradient has another shape than its tensor")
        if self.dtype_of(value.array) != self.dtype_of(tensor.array):
            raise ProgramError("gradient-dtype", "the gradient has another dtype than its tensor")

    def retain_grad(self, tensor: Variable) -> None:
        """Keep the gradient of a non-leaf from now on."""
        if not tensor.requires_grad:
            raise ProgramError("untracked", "retain_grad on a tensor that needs no gradient")
        tensor.retains = tensor.node is not None

    def zero_grad(self, tensor: Variable, set_to_none: bool) -> None:
        """Remove the gradient, or make it zero in place."""
        if set_to_none:
            tensor.grad_hidden = False
        if set_to_none or tensor.grad is None:
            tensor.grad = None
        else:
            grad = tensor.grad
            grad.array, grad.node, grad.requires_grad = self._full(grad.array, 0.0), None, False

    def _full(self, like: Array, number: float) -> Array:
        dtype, shape = self.dtype_of(like), self.shape_of(like)
        dense = Dense(dtype, shape, ())
        if category(dtype) == 3:
            dense.data = [complex(number, number if number == 0.0 else 0.0)] * dense.size
        else:
            dense.data = [number] * dense.size
        return self.array(dense)

    # Backward.

    def backward(
        self,
        roots: list[Variable],
        gradients: list[Variable | None],
        retain_graph: bool | None,
        create_graph: bool,
        inputs: list[Variable] | None,
    ) -> None:
        """torch.autograd.backward, by one vjp."""
        if inputs is not None and not inputs:
            raise ProgramError("no-inputs", "inputs= is empty")
        cotangents = self._cotangents(roots, gradients)
        for one in inputs or ():
            if not one.requires_grad:
                raise ProgramError("untracked", "an input of backward needs no gradient")
            one.retains = one.node is not None
        if create_graph:
            self.pending.append(Warned("create-graph-cycle", CYCLE))
        self._execute(roots, cotangents, retain_graph, create_graph, inputs, [])

    def grad(
        self,
        roots: list[Variable],
        wrt: list[Variable],
        gradients: list[Variable | None],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[Variable | None]:
        """torch.autograd.grad, by one vjp."""
        if materialize_grads and allow_unused is False:
            raise ProgramError("conflicting-arguments", "materialize_grads goes with allow_unused")
        if not wrt:
            raise ProgramError("no-inputs", "there is nothing to differentiate by")
        cotangents = self._cotangents(roots, gradients)
        if any(not one.requires_grad for one in wrt):
            raise ProgramError("untracked", "grad by a tensor that needs no gradient")
        found = self._execute(roots, cotangents, retain_graph, create_graph, None, wrt)
        if not allow_unused and not materialize_grads and None in found:
            which = found.index(None)
            raise ProgramError("unused-input", f"the roots do not depend on input {which}")
        if materialize_grads:
            return [
                Variable(self._full(one.array, 0.0), create_graph) if grad is None else grad
                for one, grad in zip(wrt, found, strict=True)
            ]
        return found

    def _cotangents(self, roots: list[Variable], gradients: list[Variable | None]) -> list[Variable]:
        """One cotangent a root, in the root's dtype; ones where none is given."""
        found: list[Variable] = []
        for root, given in zip(roots, gradients, strict=False):
            dtype, shape = self.dtype_of(root.array), self.shape_of(root.array)
            if given is not None:
                own = self.dtype_of(given.array)
                if self.shape_of(given.array) != shape:
                    raise ProgramError("gradient-shape", "the gradient has another shape than its root")
                if (category(own) == 3) != (category(dtype) == 3):
                    raise ProgramError("gradient-dtype", f"a {own} gradient for a {dtype} root")
                found.append(given if own == dtype else Variable(self.cast(given.array, dtype), False))
            elif root.requires_grad:
                if Dense(dtype, shape, ()).size != 1:
                    raise ProgramError("not-scalar", "the root has several elements and no gradient is given")
                if category(dtype) == 3:
                    raise ProgramError("complex-root", "the root is complex and no gradient is given")
                found.append(Variable(self._full(root.array, 1.0), False))
        for number, root in enumerate(roots):
            if not root.requires_grad:
                raise ProgramError("untracked", f"root {number} needs no gradient")
        if len(found) != len(roots):
            raise ProgramError("gradient-count", f"{len(found)} gradients for {len(roots)} roots")
        return found

    def _execute(
        self,
        roots: list[Variable],
        cotangents: list[Variable],
        retain_graph: bool | None,
        create_graph: bool,
        inputs: list[Variable] | None,
        wrt: list[Variable],
    ) -> list[Variable | None]:
        """Run a backward: accumulate, free, and give the gradients by `wrt` (None where unreachable)."""
        nodes, reached = executed(roots, wrt or inputs)
        if inputs is not None:  # the nodes that made them run too, though nothing of theirs is needed
            own = {one.node for one in inputs if one.node is not None and one in reached}
            nodes = sorted({*nodes, *own}, key=lambda node: node.number)
        retain = create_graph if retain_graph is None else retain_graph
        gone = next(
            (node for node in reversed(nodes) if node.underivable or (node.freed and node.saves.any)), None
        )
        if gone is not None and gone.inner and not gone.underivable:
            raise UnsupportedFeature("double-backward", UNKNOWN)
        stop = None if gone is None else gone.number
        made = {output for node in nodes for output in node.outputs}
        if len(roots) == 1:  # it is given its cotangent even where nothing else of the graph is needed
            reached = list(dict.fromkeys([*reached, *roots]))
        # a leaf may have been switched off since
        accumulate = [one for one in reached if (one.node is None and one.requires_grad) or one.retains]
        if wrt:
            accumulate = [one for one in accumulate if one.node is not None]
        elif inputs is not None:
            accumulate = [one for one in accumulate if one in inputs or one.node is not None]
        if stop is not None:  # only what was complete before the freed node was reached
            accumulate = [one for one in accumulate if _complete_at(one, nodes) >= stop]
        accumulate = self._visible(accumulate, wrt, nodes)
        wanted = list(dict.fromkeys([*accumulate, *(one for one in wrt if one in reached and stop is None)]))
        if create_graph:
            results: dict[Variable, Variable] = {
                one: self._graph_gradient(one, roots, cotangents, nodes) for one in wanted
            }
        else:
            arrays = self._gradients(wanted, roots, cotangents, nodes, made)
            results = {one: Variable(array, False) for one, array in zip(wanted, arrays, strict=True)}
        for one in accumulate:
            self._accumulate(one, results[one], create_graph)
        if not retain:
            for node in nodes:
                node.freed = node.freed or stop is None or node.number > stop
        if gone is not None:
            code, text = ("no-derivative", UNDERIVABLE) if gone.underivable else ("graph-freed", FREED)
            raise ProgramError(code, text)
        return [results.get(one) for one in wrt]

    def _visible(self, accumulate: list[Variable], wrt: list[Variable], nodes: list[Node]) -> list[Variable]:
        """What of these a framework can differentiate by.

        A derivative that was itself differentiated may use the result of an op (exp′ = y). torch counts
        that as a use of y; a framework of functions has it inside the op, where nothing can be added.
        """
        inner = {one for node in nodes for one in node.inner}
        hidden = {one for one in inner if one.node is not None and one.node.saves_own(one)}
        if any(one in hidden for one in wrt):
            raise UnsupportedFeature("double-backward", HIDDEN)
        for one in accumulate:
            one.grad_hidden = one.grad_hidden or one in hidden
        return [one for one in accumulate if one not in hidden]

    def _gradients(
        self, wanted: list[Variable], roots: list[Variable], cotangents: list[Variable], nodes: list[Node],
        made: set[Variable],
    ) -> list[Array]:  # fmt: skip
        """d(roots · cotangents)/d(wanted): leaves by themselves, intermediates by a −0.0 added to them."""
        if not wanted:
            return []

        def function(primals: list[Array]) -> list[Array]:
            given = dict(zip(wanted, primals, strict=True))
            env = {one: array for one, array in given.items() if one not in made}
            added = {one: array for one, array in given.items() if one in made}
            evaluate(nodes, env, added, self.add)
            return [env.get(root, root.array) for root in roots]

        primals = [self._full(one.array, -0.0) if one in made else one.array for one in wanted]
        _, pullback = self.vjp(function, primals)
        found = pullback([one.array for one in cotangents])
        return [self._like(array, one) for array, one in zip(found, wanted, strict=True)]

    def _like(self, array: Array, variable: Variable) -> Array:
        """A gradient in its tensor's dtype."""
        dtype = self.dtype_of(variable.array)
        return array if self.dtype_of(array) == dtype else self.cast(array, dtype)

    def _graph_gradient(
        self, wanted: Variable, roots: list[Variable], cotangents: list[Variable], nodes: list[Node]
    ) -> Variable:
        """The gradient by one tensor as a function of what it was computed from."""
        through = downstream(wanted, nodes)
        inner = {output for node in through for output in node.outputs}
        outside = [
            one for node in through for one in node.inputs if isinstance(one, Variable) and one not in inner
        ]
        boundary = list(dict.fromkeys([wanted, *outside, *cotangents, *(r for r in roots if r not in inner)]))

        def function(arrays: Sequence[Array], added: dict[Variable, Array]) -> list[Array]:
            known = dict(zip(boundary, arrays, strict=True))

            def forward(primals: list[Array]) -> list[Array]:
                env = {**known, wanted: primals[0]}
                evaluate(through, env, added, self.add)
                return [env[root] for root in roots]

            _, pullback = self.vjp(forward, [known[wanted]])
            [found] = pullback([known[one] for one in cotangents])
            return [self._like(found, wanted)]

        made = Variable(function([one.array for one in boundary], {})[0], False)
        edges = saved_edges(wanted, roots, cotangents, through)
        if edges:
            made.requires_grad = True
            saves = any(one not in cotangents for one in edges)  # products with what was saved
            made.node = Node.of_gradient(self._next(), boundary, function, made, edges, saves)
            made.node.inner = frozenset(inner)
        return made

    def _accumulate(self, tensor: Variable, grad: Variable, create_graph: bool) -> None:
        if tensor.grad is None:
            tensor.grad = grad
        elif create_graph or tensor.node is not None:  # a new tensor
            tensor.grad = self._sum(tensor.grad, grad)
        else:  # into the tensor that is there
            tensor.grad.array = self.add(tensor.grad.array, grad.array)

    def _sum(self, a: Variable, b: Variable) -> Variable:
        made = Variable(self.add(a.array, b.array), False)
        if a.requires_grad or b.requires_grad:
            made.requires_grad = True
            edges = [one for one in (a, b) if one.requires_grad]
            made.node = Node.of_gradient(
                self._next(), [a, b], lambda arrays, _: [self.add(arrays[0], arrays[1])], made, edges, False
            )
        return made

    # Forward mode: only where the author has it.

    def snapshot(self, tensor: Variable | None) -> Any:
        """(values, requires_grad)."""
        return None if tensor is None else (tensor.array, tensor.requires_grad)

    def jvp(self, replay: Replay, of: int) -> Variable | None:
        """Unsupported unless a subclass has it."""
        raise UnsupportedFeature("forward-mode", self.reason("forward-mode"))


def _complete_at(variable: Variable, nodes: list[Node]) -> int:
    """The number of the node with which a gradient is handed over: its own for an intermediate, the
    last one to be run that uses it for a leaf."""
    if variable.node is not None:
        return variable.node.number
    return min((node.number - 1 for node in nodes if variable in node.edges), default=1 << 62)
