"""`StepwiseBackend`: a backend for engines that run one step at a time.

An engine author writes the small methods below; all bookkeeping is in `bookkeeping.Run`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from gradspec.backends.base import Backend, Observations, Warned
from gradspec.backends.bookkeeping import Run
from gradspec.errors import UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from gradspec.backends.bookkeeping import Function, Replay, Rerun
    from gradspec.dense import Dense
    from gradspec.spec.model import Call, Program

__all__ = ["StepwiseBackend"]

Tensor = Any  # whatever the engine works with


class StepwiseBackend(Backend):
    """Runs a program step by step. One run at a time on one instance.

    Errors: raise `ProgramError` with a code, or anything that `classify` maps; raise
    `UnsupportedFeature` for what the engine does not have. Warnings: append to `pending`, in any
    form that `warning` turns into a `Warned`. A subclass that is faster on many ops at once
    overrides `apply_run`.
    """

    emulates_errors = False  # whether a `ProgramError` is gradspec's finding rather than the engine's

    def __init__(self) -> None:
        self.pending: list[Any] = []

    def run(self, program: Program) -> Observations:
        """Run the whole program; the outcomes hold whatever went wrong."""
        run = Run(self, program)
        self.pending.clear()
        with self.session(program):
            run.start()
            run.steps(program.steps)
        run.close()
        return run.observations

    # What may be overridden.

    def session(self, program: Program) -> AbstractContextManager[Any]:
        """Entered around a run: default dtype, warnings, threads."""
        from contextlib import nullcontext

        return nullcontext()

    def prepare(self, call: Call) -> Any:
        """What `apply` is given of a call, made once a program however often it is run."""
        return call

    def apply_run(self, run: Run, steps: Sequence[Any], start: int) -> int:
        """Run the consecutive Apply steps from `steps[start]` on; the index of the first step not done.

        An override may do some of them, and leave the rest to `run.apply_run(steps, index)`. It
        hands steps whose `at` is in `run.failed` to `run.skip(step)`, reads inputs by
        `run.value(binding)`, and hands what a step throws to `run.fail(at, error, step.out, step)`.
        Where `run.recorded` is a list, each step that was run is appended to it as (step, None).
        """
        return run.apply_run(steps, start)

    def constant(self, number: Any) -> Any:
        """A Python number as `apply` takes it."""
        return number

    def warning(self, item: Any) -> Warned | None:
        """What an entry of `pending` says; None drops it."""
        return item if isinstance(item, Warned) else Warned("unclassified", str(item))

    def classify(self, error: BaseException) -> str:
        """The code of an exception that is no `ProgramError`; "unclassified" where unknown."""
        return "unclassified"

    # What an engine is made of.

    @abstractmethod
    def leaf(self, data: Dense, requires_grad: bool) -> Tensor:
        """A new leaf."""

    @abstractmethod
    def apply(self, call: Any, inputs: list[Any]) -> Sequence[Tensor]:
        """The outputs of an op; `call` is what `prepare` made, inputs are tensors, None and constants."""

    @abstractmethod
    def read(self, tensor: Tensor) -> Dense:
        """The values of a tensor, exactly. The result never changes with the tensor."""

    @abstractmethod
    def grad_of(self, tensor: Tensor) -> Tensor | None:
        """What has accumulated in `.grad`; never warns."""

    @abstractmethod
    def backward(
        self,
        roots: list[Tensor],
        gradients: list[Tensor | None],
        retain_graph: bool | None,
        create_graph: bool,
        inputs: list[Tensor] | None,
    ) -> None:
        """torch.autograd.backward."""

    def grad(
        self,
        roots: list[Tensor],
        wrt: list[Tensor],
        gradients: list[Tensor | None],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[Tensor | None]:
        """torch.autograd.grad."""
        raise UnsupportedFeature("grad-call")

    def grad_batched(
        self,
        roots: list[Tensor],
        wrt: list[Tensor],
        gradients: list[Tensor | None],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[Tensor | None]:
        """torch.autograd.grad with is_grads_batched=True."""
        raise UnsupportedFeature("batched-grads")

    def jvp(self, replay: Replay, of: int) -> Tensor | None:
        """The tangent of binding `of` when `replay` runs again; None where it has none."""
        raise UnsupportedFeature("forward-mode")

    def snapshot(self, tensor: Tensor) -> Any:
        """A copy of a tensor from which `jvp` can make it again."""
        return tensor

    def retain_grad(self, tensor: Tensor) -> None:
        """Let a non-leaf keep its gradient."""
        raise UnsupportedFeature("retain-grad")

    def zero_grad(self, tensor: Tensor, set_to_none: bool) -> None:
        """Remove the gradient of a tensor, or make it zero."""
        raise UnsupportedFeature("zero-grad")

    def block(self, mode: str) -> AbstractContextManager[Any]:
        """no_grad, enable_grad, inference_mode or detect_anomaly."""
        raise UnsupportedFeature({"detect_anomaly": "anomaly"}.get(mode, mode.replace("_", "-")))

    def custom(self, function: Function, inputs: list[Tensor]) -> Sequence[Tensor]:
        """Apply a function with a backward of its own, as torch's autograd.Function does."""
        raise UnsupportedFeature("custom-function")

    def checkpoint(self, run: Rerun) -> None:
        """Run steps by calling `run()`, and let backward call `run.again()` for what they saved."""
        raise UnsupportedFeature("checkpoint")

    def hook(self, tensor: Tensor, function: Callable[[Tensor], Tensor | None], after: str) -> Any:
        """Call `function` with the gradient of `tensor` when it is known, and go on with what it
        returns unless that is None; with after="accumulate" call it with .grad once it is there.
        The result is a handle for `remove_hook`."""
        raise UnsupportedFeature("hooks")

    def hook_node(self, tensor: Tensor, function: Callable[[list[Tensor | None]], None], when: str) -> Any:
        """Call `function` "before" the node that made `tensor` runs with the gradients of its outputs, or
        "after" it with those along its edges; for a leaf the node that adds to its gradient. The result
        is a handle for `remove_hook`."""
        raise UnsupportedFeature("node-hooks")

    def remove_hook(self, handle: Any) -> None:
        """Remove a hook."""
        raise UnsupportedFeature("hooks")

    def get_attr(self, tensor: Tensor, name: str) -> Tensor | None:
        """`tensor.grad` (may warn) or `tensor.data`."""
        raise UnsupportedFeature(f"{name}-attribute")

    def set_attr(self, tensor: Tensor, name: str, value: Any) -> None:
        """`tensor.grad = …`, `tensor.data = …`, `tensor.requires_grad = …`."""
        words = {"grad": "set-grad", "requires_grad": "requires-grad-switch"}
        raise UnsupportedFeature(words.get(name, "data-attribute"))

    @abstractmethod
    def observe(self, tensor: Tensor, field: str) -> Any:
        """is_leaf, requires_grad, retains_grad, grad_fn, next_functions, nodes, dtype, shape, version or
        repr."""

    def identity(self, tensor: Tensor) -> Any:
        """Something hashable, equal for the same tensor object."""
        return id(tensor)

    def memory(self, tensor: Tensor) -> Any:
        """Something hashable, equal for tensors that share memory."""
        raise UnsupportedFeature("memory")
