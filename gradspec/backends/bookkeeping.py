"""One run of a program on a stepwise backend: what is bound, how each step ended, what was seen.

Everything here is the same for every engine, so it is done once: a failing step binds nothing, a
step that needs an unbound name is not run, what an unsupported step would have made is unsupported
too, warnings belong to the step that gave cause for them, and nothing an engine throws gets out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.backends.base import Observations, Outcome
from gradspec.errors import GradspecError, ProgramError, UnsupportedFeature
from gradspec.spec.model import (
    Apply,
    Backward,
    Block,
    Custom,
    GetAttr,
    Grad,
    Hook,
    HookLog,
    Jvp,
    Look,
    Make,
    Program,
    Ref,
    RemoveHook,
    RetainGrad,
    SetAttr,
    Watch,
    ZeroGrad,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradspec.backends.stepwise import StepwiseBackend

__all__ = [
    "BEFORE_STEPS", "UNBOUND", "Function", "NotBound", "Replay", "Rerun", "Run", "is_in_place", "makes",
    "needs",
]  # fmt: skip

BEFORE_STEPS = -1  # the `at` of what happens while the leaves are made
TEXT_LIMIT = 2000  # characters of a framework's message that are kept


_ONCE = frozenset((Hook, HookLog, RemoveHook, RetainGrad, Watch))  # what a checkpoint does not do again


class _Unbound:
    """What a binding holds before anything is bound to it."""

    def __repr__(self) -> str:
        return "UNBOUND"


UNBOUND = _Unbound()


class NotBound(GradspecError):
    """A step needs a binding that nothing was bound to."""

    def __init__(self, binding: int, name: str) -> None:
        super().__init__(f'needs "{name or "an intermediate result"}", which was never made')
        self.binding = binding


def is_in_place(op: str) -> bool:
    """Whether an op changes its first input (`mul_`, `__setitem__`)."""
    return op == "__setitem__" or (op.endswith("_") and not op.endswith("__"))


def needs(step: Any) -> Iterator[int]:
    """The bindings a step reads. A block needs nothing itself; a hook what its body reads from outside."""
    kind = type(step)
    if kind is Apply:
        yield from step.inputs
    elif kind in (Backward, Grad):
        yield from step.of
        yield from (step.wrt if kind is Grad else step.inputs or ())
        yield from (entry.binding for entry in step.gradient if isinstance(entry, Ref))
    elif kind is Jvp:
        yield step.of
        for binding, tangent in step.tangents:
            yield binding
            if isinstance(tangent, Ref):
                yield tangent.binding
    elif kind in (RetainGrad, ZeroGrad, Custom):
        yield from step.of
    elif kind is GetAttr:
        yield step.of
    elif kind is SetAttr:
        yield step.of
        if isinstance(step.value, Ref):
            yield step.value.binding
    elif kind is Hook:
        yield step.of
        inside = {step.grad, *_made(step.steps)}
        yield from (b for inner in _flat(step.steps) for b in needs(inner) if b not in inside)
        if step.result not in inside:
            yield step.result


def makes(step: Any) -> tuple[int, ...]:
    """The bindings a step binds."""
    kind = type(step)
    if kind in (Apply, Grad, Custom):
        return tuple(step.out)
    return (step.out,) if kind in (Make, GetAttr, Jvp) else ()


def _flat(steps: Sequence[Any]) -> Iterator[Any]:
    for step in steps:
        yield step
        if type(step) is Block:
            yield from _flat(step.steps)


def _types(steps: Sequence[Any]) -> set[type]:
    """The types of all steps, those inside blocks too."""
    found = set(map(type, steps))
    return found | set(map(type, _flat(steps))) if Block in found else found


def _made(steps: Sequence[Any]) -> set[int]:
    return {binding for step in _flat(steps) for binding in makes(step)}


class Run:
    """The state of one run.

    `values[b]` is what binding b means now (`UNBOUND` before), `calls[c]` the prepared form of
    `program.calls[c]` (None until first used), `failed` the author's steps that did not succeed,
    `recorded` what a jvp will replay (None where the program has none): (step, None), (binding,
    snapshot) and (mode, entered).
    """

    __slots__ = (
        "_grads_unknown", "_handles", "_in_hook", "_keep", "_ran_hooks", "_table", "_tokens", "_why",
        "backend", "calls", "failed", "observations", "program", "recorded", "values",
    )  # fmt: skip

    def __init__(self, backend: StepwiseBackend, program: Program) -> None:
        self.backend = backend
        self.program = program
        self.values: list[Any] = [UNBOUND] * len(program.names)
        self.calls: list[Any] = [None] * len(program.calls)
        self.failed: set[int] = set()
        self.observations = Observations({}, {}, {})
        self._why: dict[int, tuple[str, str]] = {}  # binding → (feature, text) of the unsupported step
        self._grads_unknown: set[int] | None = set()  # bindings; None: those of all tensors
        self._handles: dict[str, Any] = {}
        self._ran_hooks: list[tuple[str, Any]] = []
        self._in_hook = 0
        self._tokens: dict[Any, int] = {}
        self._keep: list[Any] = []  # objects whose identity was observed must not be replaced by others
        self.recorded: list[tuple[Any, Any]] | None = None
        if Jvp in _types(program.steps):
            self.recorded = []
        self._table: dict[type, Callable[[Any], None]] = {
            Apply: self.apply, Make: self._make, GetAttr: self._get_attr, SetAttr: self._set_attr,
            RetainGrad: self._retain_grad, Backward: self._backward, Grad: self._grad, Jvp: self._jvp,
            ZeroGrad: self._zero_grad, Block: self._block, Hook: self._hook, RemoveHook: self._remove_hook,
            Custom: self._custom, Watch: self._watch, HookLog: self._hook_log,
        }  # fmt: skip

    def close(self) -> None:
        """Let go of what refers back here, so that nothing waits for the garbage collector."""
        self._table.clear()
        self._handles.clear()
        self.values.clear()
        self._keep.clear()

    # The loop.

    def start(self) -> None:
        """Bind the constants and make the leaves."""
        values, backend = self.values, self.backend
        for binding, number in self.program.constants.items():
            values[binding] = backend.constant(number)
        for leaf in self.program.leaves:
            try:
                data = leaf.data
                if isinstance(data, Ref):
                    data = backend.read(self.value(data.binding))
                self.bind(leaf.binding, backend.leaf(data, leaf.requires_grad))
            except BaseException as error:
                self.fail(BEFORE_STEPS, error, (leaf.binding,))
        if backend.pending:
            self.collect(BEFORE_STEPS)

    def steps(self, steps: Sequence[Any]) -> None:
        """Run steps in order; whatever one of them throws becomes its outcome."""
        index, count, table, backend = 0, len(steps), self._table, self.backend
        while index < count:
            step = steps[index]
            kind = type(step)
            if kind is Apply:
                index = backend.apply_run(self, steps, index)
                continue
            if step.at in self.failed:
                self.skip(step)
            else:
                try:
                    table[kind](step)
                except BaseException as error:
                    self.fail(step.at, error, makes(step), step)
            if backend.pending and not self._in_hook:
                self.collect(step.at)
            index += 1

    def apply_run(self, steps: Sequence[Any], start: int) -> int:
        """Run the Apply steps from `start` on, one by one; the index of the first step that is none."""
        for index in range(start, len(steps)):
            step = steps[index]
            if type(step) is not Apply:
                return index
            self.apply_one(step)
        return len(steps)

    def apply_one(self, step: Apply) -> None:
        """Run one Apply step; whatever it throws becomes its outcome."""
        if step.at in self.failed:
            self.skip(step)
            return
        try:
            call = self.calls[step.call]
            if call is None or self.recorded is not None:
                self.apply(step)
            else:
                values = self.values
                inputs = [values[binding] for binding in step.inputs]
                for binding, value in zip(step.inputs, inputs, strict=True):
                    if value is UNBOUND:
                        self.value(binding)
                self._bind_outputs(step, self.backend.apply(call, inputs))
        except BaseException as error:
            self.fail(step.at, error, step.out, step)
        if self.backend.pending:
            self.collect(step.at)

    # Binding and failing.

    def value(self, binding: int) -> Any:
        """What a binding means; raises `NotBound`, or `UnsupportedFeature` where that is the reason."""
        value = self.values[binding]
        if value is UNBOUND:
            name = self.program.names[binding]
            if binding in self._why:
                feature, text = self._why[binding]
                raise UnsupportedFeature(feature, f'needs "{name}", which was not made: {text}')
            raise NotBound(binding, name)
        return value

    def call(self, index: int) -> Any:
        """The prepared form of `program.calls[index]`."""
        prepared = self.calls[index]
        if prepared is None:
            prepared = self.calls[index] = self.backend.prepare(self.program.calls[index])
        return prepared

    def bind(self, binding: int, value: Any) -> None:
        """Bind one value that no replay can make again."""
        self.values[binding] = value
        if self.recorded is not None:
            self.recorded.append((binding, self.backend.snapshot(value)))

    def fail(self, at: int, error: BaseException, made: Sequence[int] = (), step: Any = None) -> None:
        """Turn what a step threw into its outcome; KeyboardInterrupt goes on."""
        if isinstance(error, KeyboardInterrupt):
            raise error
        self.failed.add(at)
        text = (str(error).strip() or type(error).__name__)[:TEXT_LIMIT]
        if isinstance(error, UnsupportedFeature):
            outcome = Outcome("unsupported", error.feature, text)
            self._forget(step, error.feature, text)
            for binding in made:
                self._why[binding] = (error.feature, text)
        elif isinstance(error, NotBound):
            outcome = Outcome("not-run", "", text)
        elif isinstance(error, ProgramError):
            outcome = Outcome("error", error.code, text, emulated=self.backend.emulates_errors)
        else:
            outcome = Outcome("error", self._classify(error), text)
        before = self.observations.outcomes.get(at)
        warnings = before.warnings if before is not None else ()
        self.observations.outcomes[at] = outcome._replace(warnings=warnings)

    def skip(self, step: Any) -> None:
        """Leave out a step whose author's step has failed already."""
        outcome = self.observations.outcomes[step.at]
        if outcome.status == "unsupported":
            self.fail(step.at, UnsupportedFeature(outcome.code, outcome.text), makes(step), step)

    def _classify(self, error: BaseException) -> str:
        try:
            return self.backend.classify(error)
        except Exception:  # a classifier that breaks on an odd exception knows none
            return "unclassified"

    def collect(self, at: int) -> None:
        """Give the warnings that are pending to the step `at`."""
        pending = self.backend.pending
        came = [self.backend.warning(item) for item in pending]
        pending.clear()
        warned = tuple(item for item in came if item is not None)
        if warned:
            before = self.observations.outcomes.get(at, Outcome("ok"))
            self.observations.outcomes[at] = before._replace(warnings=before.warnings + warned)

    def _forget(self, step: Any, feature: str, text: str) -> None:
        """What an unsupported step would have changed is not known from here on."""
        kind = type(step)
        if kind is Backward:
            if step.inputs is None:
                self._grads_unknown = None
            elif self._grads_unknown is not None:
                self._grads_unknown.update(step.inputs)
        elif kind is ZeroGrad or (kind is SetAttr and step.name == "grad"):
            if self._grads_unknown is not None:
                self._grads_unknown.update(step.of if kind is ZeroGrad else (step.of,))
        elif kind is Apply and is_in_place(self.program.calls[step.call].op):
            self._forget_value(self.values[step.inputs[0]], feature, text)
        elif kind is SetAttr:
            self._forget_value(self.values[step.of], feature, text)
        elif kind is Custom:
            for k in step.dirty:
                self._forget_value(self.values[step.of[k]], feature, text)
        elif kind is Block:
            for inner in _flat(step.steps):
                self.fail(inner.at, UnsupportedFeature(feature, text), makes(inner), inner)

    def _forget_value(self, changed: Any, feature: str, text: str) -> None:
        """Unbind everything that shares memory with `changed`."""
        if changed is UNBOUND:
            return
        for binding, value in enumerate(self.values):
            if value is changed or (binding not in self.program.constants and self._shares(value, changed)):
                self.values[binding] = UNBOUND
                self._why[binding] = (feature, text)

    def _shares(self, value: Any, other: Any) -> bool:
        if value is UNBOUND or value is None:
            return False
        try:
            return bool(self.backend.memory(value) == self.backend.memory(other))
        except Exception:  # an engine that sees no memory says nothing about sharing
            return False

    # Steps.

    def apply(self, step: Apply) -> None:
        """Run one op and bind its outputs."""
        inputs = [self.value(binding) for binding in step.inputs]
        self._bind_outputs(step, self.backend.apply(self.call(step.call), inputs))
        if self.recorded is not None and not self._in_hook:
            self.recorded.append((step, None))

    def _bind_outputs(self, step: Apply, outputs: Sequence[Any]) -> None:
        values = self.values
        if len(outputs) != len(step.out):
            op = self.program.calls[step.call].op
            count, names = len(outputs), len(step.out)
            raise ProgramError("invalid-argument", f"{op} gives {count} results for {names} names")
        for binding, value in zip(step.out, outputs, strict=True):
            values[binding] = value

    def _make(self, step: Make) -> None:
        self.bind(step.out, self.backend.leaf(step.data, step.requires_grad))

    def _get_attr(self, step: GetAttr) -> None:
        self.bind(step.out, self.backend.get_attr(self._tensor(step.of), step.name))

    def _set_attr(self, step: SetAttr) -> None:
        value = self.value(step.value.binding) if isinstance(step.value, Ref) else step.value
        self.backend.set_attr(self._tensor(step.of), step.name, value)
        if step.name == "grad" and self._grads_unknown:
            self._grads_unknown.discard(step.of)

    def _retain_grad(self, step: RetainGrad) -> None:
        for binding in step.of:
            self.backend.retain_grad(self._tensor(binding))

    def _backward(self, step: Backward) -> None:
        inputs = None if step.inputs is None else [self._tensor(binding) for binding in step.inputs]
        roots = [self._tensor(binding) for binding in step.of]
        gradients = [self._array(entry) for entry in step.gradient]
        self.backend.backward(roots, gradients, step.retain_graph, step.create_graph, inputs)

    def _grad(self, step: Grad) -> None:
        results = self.grad_results(step)
        for binding, value in zip(step.out, results, strict=True):
            self.values[binding] = value
        if self.recorded is not None and not self._in_hook:
            self.recorded.append((step, None))

    def grad_results(self, step: Grad) -> Sequence[Any]:
        """What a grad step makes of the values bound now."""
        grad = self.backend.grad_batched if step.is_grads_batched else self.backend.grad
        return grad(
            [self._tensor(binding) for binding in step.of],
            [self._tensor(binding) for binding in step.wrt],
            [self._array(entry) for entry in step.gradient],
            step.retain_graph,
            step.create_graph,
            step.allow_unused,
            step.materialize_grads,
        )

    def _jvp(self, step: Jvp) -> None:
        for binding in needs(step):
            self._tensor(binding)
        tangents = {binding: self._array(entry) for binding, entry in step.tangents}
        recorded = self._leading({step.of, *tangents}, self.recorded or [])
        replay = Run(self.backend, self.program)
        replay.calls = self.calls
        for binding in self.program.constants:
            replay.values[binding] = self.values[binding]
        before, self.recorded = self.recorded, None  # the replay records nothing
        try:
            result = self.backend.jvp(Replay(replay, recorded, tangents), step.of)
        finally:
            self.recorded = before
            replay.close()
        self.bind(step.out, result)

    def _leading(self, wanted: set[int], recorded: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        """What was recorded, without the steps that do not lead to the wanted bindings. Where something is
        changed in place any step may: then all of it."""
        calls = self.program.calls
        if any(type(what) is Apply and is_in_place(calls[what.call].op) for what, _ in recorded):
            return recorded
        kept = []
        for what, data in reversed(recorded):
            if not isinstance(what, str):
                made = (what,) if isinstance(what, int) else what.out
                if wanted.isdisjoint(made):
                    continue
                wanted |= set() if isinstance(what, int) else set(needs(what))
            kept.append((what, data))
        return kept[::-1]

    def _zero_grad(self, step: ZeroGrad) -> None:
        for binding in step.of:
            self.backend.zero_grad(self._tensor(binding), step.set_to_none)
            if step.set_to_none and self._grads_unknown:
                self._grads_unknown.discard(binding)

    def _block(self, step: Block) -> None:
        if step.mode == "checkpoint":
            self.backend.checkpoint(Rerun(self, step.steps))
            return
        recorded = self.recorded
        with self.backend.block(step.mode):
            if recorded is not None:
                recorded.append((step.mode, True))
            self.inner(step.steps)
            if recorded is not None:
                recorded.append((step.mode, False))

    def inner(self, steps: Sequence[Any]) -> None:
        """Run the steps of a block: each with an outcome of its own, but not in the body of a hook."""
        self.steps(steps) if not self._in_hook else self.raw(steps)

    def raw(self, steps: Sequence[Any]) -> None:
        """Run steps and let go what they throw: the body of a hook or function."""
        for step in steps:
            self._table[type(step)](step)

    def body(self, steps: Sequence[Any], given: dict[int, Any]) -> None:
        """Run the body of a hook or function on the bindings it is given; what it made before is gone."""
        values = self.values
        for binding in _made(steps):
            values[binding] = UNBOUND
        for binding, value in given.items():
            values[binding] = value
        self._in_hook += 1
        try:
            self.raw(steps)
        finally:
            self._in_hook -= 1

    def again(self, steps: Sequence[Any], enough: Callable[[], bool] | None) -> bool:
        """Run the steps of a checkpoint a second time, up to where `enough()`; whether it came to that.
        What looks or is put on was done the first time, and a step that failed then is left out."""
        for step in steps:
            kind = type(step)
            if kind in _ONCE or step.at in self.failed:
                continue
            if kind is not Block:
                self._table[kind](step)
            elif step.mode == "checkpoint":
                self.backend.checkpoint(Rerun(self, step.steps, within=True))
            else:
                with self.backend.block(step.mode):
                    if self.again(step.steps, enough):
                        return True
            if enough is not None and enough():
                return True
        return False

    def _custom(self, step: Custom) -> None:
        outputs = self.backend.custom(Function(self, step), [self._tensor(binding) for binding in step.of])
        for binding, value in zip(step.out, outputs, strict=True):
            self.values[binding] = value
        if self.recorded is not None and not self._in_hook:
            self.recorded.append((step, None))

    # Hooks.

    def _hook(self, step: Hook) -> None:
        for binding in needs(step):
            self.value(binding)
        if step.of_node:
            when = "before" if step.before else "after"
            self._handles[step.name] = self.backend.hook_node(
                self._tensor(step.of), self._watching(step), when
            )
            return

        def ran(gradient: Any) -> Any:
            """The hook as the engine calls it: the gradient to go on with, None for the one given."""
            self._ran_hooks.append((step.name, None if gradient is None else self.backend.read(gradient)))
            if not step.steps and step.result == step.grad:
                return None
            self.body(step.steps, {step.grad: gradient})
            result = self.value(step.result)
            names = self.program.names
            for binding in (step.grad, *_made(step.steps)):
                if names[binding] == names[step.grad]:  # nobody is to hold the gradient any more
                    self.values[binding] = UNBOUND
            return None if result is gradient or step.after else result

        self._handles[step.name] = self.backend.hook(self._tensor(step.of), ran, step.after)

    def _watching(self, step: Hook) -> Callable[[list[Any]], None]:
        """A hook on a node, which leaves the gradients as they are."""

        def ran(gradients: list[Any]) -> None:
            read = self.backend.read
            seen = tuple([None if gradient is None else read(gradient) for gradient in gradients])
            self._ran_hooks.append((step.name, seen))
            self.body(step.steps, {})

        return ran

    def _remove_hook(self, step: RemoveHook) -> None:
        if step.name not in self._handles:
            raise NotBound(-1, step.name)
        self.backend.remove_hook(self._handles[step.name])

    def _hook_log(self, step: HookLog) -> None:
        self.observations.hooks[step.at] = list(self._ran_hooks)
        self._ran_hooks.clear()

    # Observing.

    def _watch(self, step: Watch) -> None:
        self.observations.seen[step.at] = seen = []
        first: BaseException | None = None
        for look in step.looks:
            fields, error = self._look(look)
            seen.append(fields)
            first = first or error
        if first is not None:
            try:
                raise first
            finally:
                del first, error  # the frame would hold what holds the frame

    def _look(self, look: Look) -> tuple[dict[str, Any], BaseException | None]:
        backend = self.backend
        value = self.values[look.binding]
        if value is UNBOUND:
            why = self._why.get(look.binding)
            return ({"missing": True} if why is None else {"missing": True, "unsupported": why[0]}), None
        unknown = self._grads_unknown is None or look.binding in self._grads_unknown
        try:
            if look.path == "grad" and value is not None:
                if unknown:
                    return {}, None
                value = backend.grad_of(value)
        except UnsupportedFeature:
            return {}, None
        except Exception as error:
            return {}, error.with_traceback(None)  # its frames would hold it in turn
        if value is None:
            return {"none": True}, None
        seen: dict[str, Any] = {}
        first: BaseException | None = None
        for field in look.fields:
            if field == "grad" and unknown and not look.path:
                continue
            try:
                seen[field] = self._field(value, field)
            except UnsupportedFeature:
                continue
            except Exception as error:
                first = first or error.with_traceback(None)
        return seen, first

    def _field(self, tensor: Any, field: str) -> Any:
        backend = self.backend
        if field == "value":
            return backend.read(tensor)
        if field == "grad":
            gradient = backend.grad_of(tensor)
            return None if gradient is None else backend.read(gradient)
        if field == "same_as":
            return self._token("object", backend.identity(tensor), tensor)
        if field == "shares_memory_with":
            return self._token("memory", backend.memory(tensor), tensor)
        return backend.observe(tensor, field)

    def _token(self, kind: str, mark: Any, tensor: Any) -> int:
        self._keep.append(tensor)
        return self._tokens.setdefault((kind, mark), len(self._tokens))

    # Operands.

    def _tensor(self, binding: int) -> Any:
        value = self.value(binding)
        if value is None:
            raise ProgramError("invalid-argument", f'"{self.program.names[binding]}" is None here')
        return value

    def _array(self, entry: Any) -> Any:
        """The tensor of a Dense, a Ref or None."""
        if entry is None:
            return None
        return self._tensor(entry.binding) if isinstance(entry, Ref) else self.backend.leaf(entry, False)


class Function:
    """A custom function as an engine calls it: tensors in, tensors out.

    `dirty` are the places of the inputs that forward changes; `once`: what backward gives cannot be
    differentiated; `saves` how many tensors forward saves.
    """

    __slots__ = ("_run", "_step", "dirty", "name", "once", "saves")

    def __init__(self, run: Run, step: Custom) -> None:
        self._run = run
        self._step = step
        self.name = step.name
        self.dirty = step.dirty
        self.once = step.once
        self.saves = len(step.save)

    def forward(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The outputs, and what is to be saved for backward. Raises what a step throws."""
        run, step = self._run, self._step
        run.body(step.forward, dict(zip(step.args, inputs, strict=True)))
        return [run.value(b) for b in step.results], [run.value(b) for b in step.save]

    def backward(self, cotangents: Sequence[Any], saved: Sequence[Any]) -> list[Any]:
        """The gradient of each input, None for none. Raises what a step throws."""
        run, step = self._run, self._step
        given = dict(zip(step.grads, cotangents, strict=True))
        run.body(step.backward, given | dict(zip(step.saved, saved, strict=True)))
        return [None if b is None else run.value(b) for b in step.returns]


class Rerun:
    """The steps of a checkpoint as an engine calls them: once by `run()`, in backward by `again()`."""

    __slots__ = ("_run", "_steps", "_within")

    def __init__(self, run: Run, steps: Sequence[Any], within: bool = False) -> None:
        self._run = run
        self._steps = steps
        self._within = within  # a checkpoint in one that runs again

    def __call__(self) -> None:
        """Run the steps, each with an outcome of its own."""
        if self._within:
            self._run.again(self._steps, None)
        else:
            self._run.inner(self._steps)

    def again(self, enough: Callable[[], bool] | None = None) -> None:
        """Run them again, up to where `enough()`, on what they read from outside as it is now; names mean
        afterwards what they meant before. Raises what a step throws."""
        run = self._run
        before = {binding: run.values[binding] for binding in _made(self._steps)}
        for binding in before:
            run.values[binding] = UNBOUND
        run._in_hook += 1
        try:
            run.again(self._steps, enough)
        finally:
            run._in_hook -= 1
            for binding, value in before.items():
                run.values[binding] = value


class Replay:
    """The steps run so far, to be run again with tangents; what `StepwiseBackend.jvp` is given."""

    __slots__ = ("_recorded", "_run", "tangents")

    def __init__(self, run: Run, recorded: list[tuple[Any, Any]], tangents: dict[int, Any]) -> None:
        self._run = run
        self._recorded = recorded
        self.tangents = tangents

    def value(self, of: int, fresh: Callable[[Any], Any], with_tangent: Callable[[Any, Any], Any]) -> Any:
        """What binding `of` means when everything is run again.

        `fresh(snapshot)` makes a tensor of a snapshot, `with_tangent(tensor, tangent)` the dual of
        one that has a tangent; it gets it once, when it is made.
        """
        from contextlib import ExitStack

        run, backend = self._run, self._run.backend
        modes: list[ExitStack] = []
        waiting = dict(self.tangents)
        try:
            for what, data in self._recorded:
                if isinstance(what, int):
                    run.values[what] = None if data is None else fresh(data)
                    made: Sequence[int] = (what,)
                elif isinstance(what, str):
                    if data:
                        modes.append(ExitStack())
                        modes[-1].enter_context(backend.block(what))
                    else:
                        modes.pop().close()
                    continue
                else:
                    run._table[type(what)](what)
                    made = what.out
                for binding in made:
                    if binding in waiting:
                        run.values[binding] = with_tangent(run.values[binding], waiting.pop(binding))
        finally:
            while modes:
                modes.pop().close()
        return run.value(of)
