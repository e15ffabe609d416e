"""The embedded backends: gradspec's own engine over an array library."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from gradspec.backends.base import NATIVE, UNSUPPORTED, Warned
from gradspec.backends.stepwise import StepwiseBackend
from gradspec.engine.backward import leads_to
from gradspec.engine.checkpoint import checkpoint
from gradspec.engine.custom import apply_custom
from gradspec.engine.machine import Machine
from gradspec.engine.passes import Passes
from gradspec.engine.plan import fill, holes
from gradspec.engine.printing import tensor_text
from gradspec.engine.tape import Engine
from gradspec.errors import ProgramError, UnsupportedFeature
from gradspec.ops import registry
from gradspec.ops.recording import Recorder
from gradspec.spec.model import Apply, IndexSlice, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradspec.arrays.contract import ArrayLibrary
    from gradspec.backends.bookkeeping import Function, Replay, Rerun, Run
    from gradspec.dense import Dense
    from gradspec.engine.tape import Table
    from gradspec.spec.model import Call, Program

__all__ = ["TapeBackend"]

Tables = tuple["Table", "Table"]  # of one call: without recording, with it


class _InPlace:
    """A call that changes its first input: `run(inputs)` gives that tensor back. `tables`: the plans of an
    op's in-place form, None for a statement that is no op."""

    def __init__(self, run: Callable[[list[int]], int], tables: Tables | None = None) -> None:
        self.run = run
        self.tables = tables


class TapeBackend(StepwiseBackend):
    """Runs programs on the tape engine. Tensors are numbers: the slots they were made at."""

    library: ArrayLibrary
    missing: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(self.library, registry.base_of)
        self.machine = Machine(self.engine)
        self.passes = Passes(self.machine, Recorder)
        self._begin()

    def _begin(self) -> None:
        self.passes.close()
        self.machine.close()
        self.machine = Machine(self.engine)
        self.passes = Passes(self.machine, Recorder)
        self.pending = self.machine.tape.warned
        self._dual = False
        self._duals: list[tuple[int, int]] = []  # the tensors of a replay that have tangents, and these

    def supports(self, feature: str) -> str:
        if feature.startswith("op:"):
            name = feature[3:]
            return NATIVE if name in STATEMENT_FORMS or registry.base_of(name) is not None else UNSUPPORTED
        return UNSUPPORTED if feature in self.missing else NATIVE

    # The session.

    @contextmanager
    def session(self, program: Program) -> Iterator[None]:
        self.engine.default = program.dtype
        self._begin()
        with self.quiet():
            try:
                yield
            finally:
                self._begin()  # the tape goes with its run

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keeps the array library from warning of floating-point events."""
        yield

    def warning(self, item: Any) -> Warned:
        return Warned(*item)

    @contextmanager
    def block(self, mode: str) -> Iterator[None]:
        tape = self.machine.tape
        if mode == "inference_mode":
            with self.machine.inference_mode():
                yield
            return
        before = tape.recording, tape.anomaly
        if mode in ("no_grad", "enable_grad"):
            # forward mode does not ask whether gradients are recorded
            tape.recording = mode == "enable_grad" or self._dual
        elif mode == "detect_anomaly":
            tape.anomaly = True
        else:
            raise UnsupportedFeature(mode.replace("_", "-"))
        try:
            yield
        finally:
            tape.recording, tape.anomaly = before

    # Ops.

    def constant(self, number: Any) -> Any:
        return None if number is None else self.machine.tape.number(number)

    def _tables(self, op: str, args: tuple[tuple[str, Any], ...]) -> Tables:
        return self.engine.tables(op, args)

    def prepare(self, call: Call) -> Tables | _InPlace:
        """The plans of a call without and with recording, or how to run it in place."""
        if call.op in STATEMENT_FORMS:
            return _InPlace(STATEMENT_FORMS[call.op](self, call))
        op = registry.base_of(call.op)
        if op is None:
            raise UnsupportedFeature(f"op:{call.op}", f"no op {call.op} here")
        if op.name == call.op:
            return self._tables(call.op, call.args)
        return self._changing(call.op, call.args, op.overlap)

    def _changing(
        self, op: str, args: tuple[tuple[str, Any], ...], overlap: str | Callable[[str], str]
    ) -> _InPlace:
        """A call of an op's in-place form."""
        tables = self._tables(op, args)

        def change(inputs: list[int]) -> int:
            return self.machine.change(tables[self.machine.tape.recording], inputs, overlap=overlap)

        return _InPlace(change, tables)

    def _setitem(self, call: Call) -> Callable[[list[int]], int]:
        """`x[index] = value`: by parts of the index that select alone a view is written into; integer and
        bool arrays write at places."""
        args = dict(call.args)
        index, value = args["index"], args["value"].k
        if any(type(part) in (Slot, tuple, bool) for part in _parts(index)):
            written = tuple((name, args[name]) for name in ("input", "index", "value"))
            put = self._tables("index_write", (*written[:2], ("values", args["value"])))
            return lambda inputs: self._put(put, index, value, inputs)
        get = self._tables("__getitem__", (("input", Slot(0)), ("index", index)))
        written = (("input", Slot(0)), ("value", Slot(1)))
        copy, fill = self._tables("copy_", written), self._tables("fill_all_", written)
        machine = self.machine

        def run(inputs: list[int]) -> int:
            recording = machine.tape.recording
            others = [tensor for k, tensor in enumerate(inputs) if k != value]
            whole = _is_whole(_parts(index), machine.kind(inputs[0]).shape)
            plans = get[recording], copy[recording], fill[recording]
            machine.assign(*plans, others, inputs[value], whole=whole)
            return inputs[0]

        return run

    def _put(self, put: Tables, index: Any, value: int, inputs: list[int]) -> int:
        """Write at places. What an index selects without arrays is a view, into which the arrays write."""
        from gradspec.ops.recorded import is_one_under_a_mask  # a family of ops is loaded when it is used

        machine, recording = self.machine, self.machine.tape.recording
        kinds = [machine.kind(tensor) for tensor in inputs]
        basic, arrays = _by_parts(_parts(index), kinds)
        # one number at the places of a mask is read first, and the mask may be the tensor itself
        masked = is_one_under_a_mask(fill(arrays, kinds.__getitem__), kinds[value])
        overlap = "filled" if masked else "places"
        if _is_whole(basic, kinds[0].shape):
            return machine.change(put[recording], inputs, overlap=overlap)
        get = self._tables("__getitem__", (("input", Slot(0)), ("index", basic)))
        part = self._tables("index_write", (("input", Slot(0)), ("index", arrays), ("values", Slot(value))))
        (view,) = machine.apply(get[recording], inputs[:1])
        try:
            machine.change(part[recording], (view, *inputs[1:]), overlap=overlap)
        finally:
            machine.memory.forget(view)
        return inputs[0]

    def _requires_grad(self, call: Call) -> Callable[[list[int]], int]:
        wanted = bool(dict(call.args).get("requires_grad", True))

        def run(inputs: list[int]) -> int:
            self.machine.set_requires_grad(inputs[0], wanted)
            return inputs[0]

        return run

    def _detach(self, call: Call) -> Callable[[list[int]], int]:
        def run(inputs: list[int]) -> int:
            self.machine.detach_in_place(inputs[0])
            return inputs[0]

        return run

    def apply(self, call: Any, inputs: list[Any]) -> Sequence[int]:
        if None in inputs:
            call, inputs = self._without_none(call, inputs)
        if type(call) is tuple:
            return self.machine.apply(call[self.machine.tape.recording], inputs)
        return (call.run(inputs),)

    def _without_none(self, call: Any, inputs: list[Any]) -> tuple[Any, list[int]]:
        """A call and its inputs without the names that hold None, where the op can do without them.

        Raises:
            ProgramError: invalid-argument where it cannot.
        """
        tables = call if type(call) is tuple else call.tables
        if tables is None:
            raise ProgramError("invalid-argument", "an operand is None")
        table = tables[0]
        places = {old: new for new, old in enumerate(k for k, one in enumerate(inputs) if one is not None)}
        args = []
        for name, template in table.args:
            if any(k not in places for k in holes(template)):
                optional = hasattr(template, "k") and table.op.by_name[name].optional
                if not optional or table.op.chooses:
                    raise ProgramError("invalid-argument", f"{name} of {table.op.name} is None")
                template = None
            args.append((name, fill(template, lambda k: Slot(places[k]))))
        given = [one for one in inputs if one is not None]
        if type(call) is tuple:
            return self._tables(table.op.name, tuple(args)), given
        return self._changing(f"{table.op.name}_", tuple(args), table.op.overlap), given

    def apply_run(self, run: Run, steps: Sequence[Any], start: int) -> int:
        """Run consecutive ops. Those that need nothing but a plan that is there take the short path."""
        tape = self.machine.tape
        memory = tape.memory
        if run.recorded is not None or not memory.is_quiet() or tape.inferred:
            return run.apply_run(steps, start)
        values, kinds = tape.values, tape.kinds
        new_value, new_kind, new_node, new_ins = (
            values.append,
            kinds.append,
            tape.nodes.append,
            tape.ins.append,
        )
        bound, recording = run.values, tape.recording
        tables: list[Any] = [call[recording].plain if type(call) is tuple else None for call in run.calls]
        index, count = start, len(steps)
        while index < count:
            first = k = len(values)
            try:
                # a step that is no op does not look like one: it ends in the except below, nothing done
                for call, inputs, out, _ in islice(steps, index, None):
                    if len(inputs) == 2:
                        a, b = inputs
                        i = bound[a]
                        j = bound[b]
                        forward, kind, node = tables[call][kinds[i], kinds[j]]
                        new_value(forward(values[i], values[j]))
                        new_ins((i, j))
                    else:
                        (a,) = inputs
                        i = bound[a]
                        forward, kind, node = tables[call][kinds[i]]
                        new_value(forward(values[i]))
                        new_ins((i,))
                    new_kind(kind)
                    new_node(node)
                    bound[out[0]] = k
                    k += 1
                return count
            except (LookupError, TypeError, ValueError, ProgramError):
                # no plan yet, another number of operands, a name without a tensor, an error: the long path
                index += k - first
                step = steps[index]
                if step.__class__ is not Apply:
                    return index
                if run.calls[step.call] is None:
                    tables[step.call] = plain = self._known(run, step.call)
                    if plain:
                        continue
                run.apply_one(step)
                if not memory.is_quiet():
                    return run.apply_run(steps, index + 1)
                prepared = run.calls[step.call]
                tables[step.call] = prepared[recording].plain if type(prepared) is tuple else None
                index += 1
        return count

    def _known(self, run: Run, call: int) -> Any:
        """The plain plans that earlier programs have left of a call that this one makes first."""
        try:
            prepared = run.call(call)
        except Exception:  # the step's own outcome, when it is run
            return None
        return prepared[self.machine.tape.recording].plain if type(prepared) is tuple else None

    # Tensors.

    def leaf(self, data: Dense, requires_grad: bool) -> int:
        return self.machine.leaf(self.library.load(data), data.dtype, requires_grad)

    def read(self, tensor: int) -> Dense:
        dense: Dense = self.library.dump(self.machine.value(tensor), self.machine.kind(tensor).dtype)
        return dense

    def grad_of(self, tensor: int) -> int | None:
        return self.machine.grads.get(tensor)

    def retain_grad(self, tensor: int) -> None:
        self.machine.retain_grad(tensor)

    def zero_grad(self, tensor: int, set_to_none: bool) -> None:
        self.machine.zero_grad(tensor, set_to_none)

    def backward(
        self, roots: Any, gradients: Any, retain_graph: bool | None, create_graph: bool, inputs: Any
    ) -> None:
        self.passes.backward(roots, gradients, True if self._dual else retain_graph, create_graph, inputs)

    def grad(
        self,
        roots: Any,
        wrt: Any,
        gradients: Any,
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[int | None]:
        if self._dual:  # a step that is replayed: its tangent is found through the graph that it walks
            retain_graph = create_graph = True
        return self.passes.grad(
            roots, wrt, gradients, retain_graph, create_graph, allow_unused, materialize_grads
        )

    def grad_batched(
        self,
        roots: Any,
        wrt: Any,
        gradients: Any,
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[int | None]:
        if self._dual:
            retain_graph = create_graph = True
        return self.passes.grad_batched(
            roots, wrt, gradients, retain_graph, create_graph, allow_unused, materialize_grads
        )

    def custom(self, function: Function, inputs: list[int]) -> Sequence[int]:
        if self._dual and self._have_tangents(inputs):
            raise ProgramError("no-derivative", f"{function.name} has no derivative in forward mode")
        return apply_custom(self.machine, function, inputs)

    def _have_tangents(self, tensors: list[int]) -> bool:
        """Whether a tensor of a replay depends on one that was given a tangent."""
        duals = [dual for dual, _ in self._duals]
        slots = {self.machine.slot(tensor) for tensor in tensors}
        reached = leads_to(self.machine.tape, duals, max(slots)) | {*duals}
        return not slots.isdisjoint(reached)

    def checkpoint(self, run: Rerun) -> None:
        if self.machine.tape.recording:
            checkpoint(self.machine, run)
        else:
            run()

    def hook(self, tensor: int, function: Callable[[int | None], int | None], after: str) -> Any:
        if not after:
            return self.machine.hook(tensor, function)
        machine = self.machine

        def accumulated(leaf: int) -> None:
            function(machine.grads.get(leaf))

        return machine.hook_after(tensor, accumulated)

    def hook_node(self, tensor: int, function: Callable[[list[int | None]], None], when: str) -> Any:
        return self.machine.hook_node(tensor, function, when)

    def remove_hook(self, handle: Callable[[], None]) -> None:
        handle()

    def get_attr(self, tensor: int, name: str) -> int | None:
        return self.machine.read_grad(tensor) if name == "grad" else self.machine.data(tensor)

    def set_attr(self, tensor: int, name: str, value: Any) -> None:
        if name == "grad":
            self.machine.set_grad(tensor, value)
        elif name == "requires_grad":
            self.machine.assign_requires_grad(tensor, bool(value))
        elif value is None:
            raise ProgramError("invalid-argument", ".data is a tensor, not None")
        else:
            self.machine.set_data(tensor, value)

    # Forward mode: the transpose of the transpose.

    def snapshot(self, tensor: int | None) -> Any:
        if tensor is None:
            return None
        kind = self.machine.kind(tensor)
        return self.machine.value(tensor), kind

    def jvp(self, replay: Replay, of: int) -> int | None:
        """vjp is linear in its cotangent; its own vjp along the tangents is the jvp. Kinks and
        conventions are those of backward."""
        machine, tape = self.machine, self.machine.tape
        duals = self._duals = []

        def fresh(snapshot: Any) -> int:
            value, kind = snapshot
            return tape.array(value, kind.dtype, grad=kind.grad)

        def with_tangent(tensor: int, tangent: int) -> int:
            mine, given = machine.kind(tensor), machine.kind(tangent)
            if mine.shape != given.shape:
                raise ProgramError(
                    "shape-mismatch",
                    f"a tangent of shape {list(given.shape)} for a tensor of {list(mine.shape)}",
                )
            if mine.dtype[:5] in ("int8", "int16", "int32", "int64", "uint8", "bool"):
                raise ProgramError("dtype-not-differentiable", f"a {mine.dtype} tensor has no tangent")
            dual = tape.array(machine.value(tensor), mine.dtype, grad=True)
            duals.append((dual, tangent))
            return dual

        recording, tape.recording, self._dual = tape.recording, True, True
        try:
            output = replay.value(of, fresh, with_tangent)
            if output is None:
                raise ProgramError("invalid-argument", "what the derivative is asked of is None")
            if not machine.requires_grad(output):
                return None
            kind = machine.kind(output)
            seed = tape.array(machine.space(kind).zeros(kind.shape), kind.dtype, grad=True)
            wrt = [dual for dual, _ in duals]
            pulled = self.passes.grad([output], wrt, [seed], None, True, True, False)
            pairs = [(g, tangent) for g, (_, tangent) in zip(pulled, duals, strict=True) if g is not None]
            if not pairs:
                return None
            pairs = [pair for pair in pairs if machine.requires_grad(pair[0])]
            if not pairs:
                return tape.array(machine.space(kind).zeros(kind.shape), kind.dtype)  # flat, as sign is
            (result,) = self.passes.grad(
                [g for g, _ in pairs], [seed], [tangent for _, tangent in pairs], None, False, True, True
            )
            if result is not None and (result in machine.memory.views or any(result == t for _, t in pairs)):
                kind = machine.kind(result)  # a tensor of its own
                return tape.array(machine.value(result), kind.dtype)
            return result
        finally:
            tape.recording, self._dual, self._duals = recording, False, []

    # Observing.

    def observe(self, tensor: int, field: str) -> Any:
        machine = self.machine
        if field == "is_leaf":
            return machine.is_leaf(tensor)
        if field == "requires_grad":
            return machine.requires_grad(tensor)
        if field == "retains_grad":
            return tensor in machine.retains
        if field == "grad_fn":
            return machine.grad_fn(tensor)
        if field == "next_functions":
            return machine.next_functions(tensor)
        if field == "nodes":
            return machine.nodes(tensor)
        if field == "version":
            return machine.memory.version(tensor)
        if field == "repr":
            name = machine.grad_fn(tensor)
            return tensor_text(self.read(tensor), grad_fn=name, requires_grad=machine.requires_grad(tensor))
        kind = machine.kind(tensor)
        if field == "dtype":
            return kind.dtype
        if field == "shape":
            return kind.shape
        raise UnsupportedFeature(field)

    def identity(self, tensor: int) -> int:
        return tensor

    def memory(self, tensor: int) -> int:
        return self.machine.memory.identity(tensor)


def _parts(index: Any) -> tuple[Any, ...]:
    return index if type(index) is tuple else (index,)


def _by_parts(parts: tuple[Any, ...], kinds: list[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as what selects without arrays, full slices in their places, and the arrays for the rest."""
    basic: list[Any] = []
    arrays: list[Any] = []
    for part in parts:
        if type(part) in (Slot, tuple, bool):
            mask = type(part) is Slot and kinds[part.k].dtype in ("bool", "uint8")
            axes = len(kinds[part.k].shape) if mask else 0 if type(part) is bool else 1
            basic += [IndexSlice()] * axes
            arrays.append(part)
        else:
            basic.append(part)
            if part is Ellipsis or type(part) is not int:
                arrays.append(Ellipsis if part is Ellipsis else IndexSlice())
    return tuple(basic), tuple(arrays)


def _is_whole(parts: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Whether an index of slices and ... leaves out no element: then no view is written, but the tensor."""
    slices = [part for part in parts if part is not Ellipsis]
    if any(type(part) is not IndexSlice for part in slices) or len(slices) > len(shape):
        return False
    ahead = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    sizes = [*shape[:ahead], *shape[len(shape) - len(slices) + ahead :]]
    # a start below 0 counts as a cut even where nothing is cut off
    return all(
        slice(*part).indices(size) == (0, size, 1) and (part.start or 0) >= 0
        for part, size in zip(slices, sizes, strict=True)
    )


# Statements that change a tensor and are no op with an underscore: name → how they are prepared.
STATEMENT_FORMS: dict[str, Callable[[TapeBackend, Any], Callable[[list[int]], int]]] = {
    "__setitem__": TapeBackend._setitem,
    "requires_grad_": TapeBackend._requires_grad,
    "detach_": TapeBackend._detach,
}
