"""The torch machine over a tape: tensors with a `.grad`, retaining, backward and grad.

A tensor is known by the slot it was made at.  What few tensors have stands in tables beside the
tape, so that a tensor without it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category, is_differentiable
from gradspec.engine.backward import leads_to, walk
from gradspec.engine.tape import Tape, Traced
from gradspec.errors import ProgramError

if TYPE_CHECKING:
    from gradspec.engine.kind import Kind
    from gradspec.engine.tape import Engine

__all__ = ["Machine"]

NON_LEAF_GRAD = "reading .grad of a non-leaf that does not retain it; call retain_grad() first"
CYCLE = "backward(create_graph=True) makes a reference cycle between a tensor and its gradient; grad() does not"


class Machine:
    """One program's tensors. `recorder(tape)` gives the namespace that records, for create_graph."""

    def __init__(self, engine: Engine, recorder: Callable[[Tape], Any]) -> None:
        self.tape = Tape(engine)
        self.grads: dict[int, int | None] = {}  # tensor → its .grad, a tensor
        self.retains: set[int] = set()
        self._recorder = recorder

    # What a tensor is.

    def kind(self, tensor: int) -> Kind:
        kind: Kind = self.tape.kinds[tensor]
        return kind

    def is_leaf(self, tensor: int) -> bool:
        return self.tape.nodes[tensor] is None

    def requires_grad(self, tensor: int) -> bool:
        return self.kind(tensor).grad

    def grad_fn(self, tensor: int) -> str | None:
        """The node's name; None for a leaf."""
        node = self.tape.nodes[tensor]
        return None if node is None else node.name

    def leaf(self, value: Any, dtype: str, requires_grad: bool) -> int:
        """A new leaf. Raises ProgramError dtype-not-differentiable."""
        if requires_grad:
            _differentiable(dtype)
        return self.tape.array(value, dtype, grad=requires_grad)

    def set_requires_grad(self, tensor: int, wanted: bool) -> None:
        """requires_grad_(). Raises ProgramError non-leaf-requires-grad, dtype-not-differentiable."""
        kind = self.kind(tensor)
        if not self.is_leaf(tensor):
            if not wanted:
                raise ProgramError(
                    "non-leaf-requires-grad", "requires_grad of a non-leaf cannot be switched off; use detach()"
                )
            return
        if wanted:
            _differentiable(kind.dtype)
        self.tape.kinds[tensor] = self.tape.engine.kinds.with_grad(kind, wanted)

    # .grad

    def read_grad(self, tensor: int) -> int | None:
        """`tensor.grad` in a statement: warns where torch does."""
        grad = self.grads.get(tensor)
        if grad is None and not self.is_leaf(tensor) and tensor not in self.retains:
            self.tape.warned.append(("non-leaf-grad", NON_LEAF_GRAD))
        return grad

    def set_grad(self, tensor: int, grad: int | None) -> None:
        """`tensor.grad = grad`. Raises ProgramError gradient-is-self, gradient-shape, gradient-dtype."""
        if grad is not None:
            mine, given = self.kind(tensor), self.kind(grad)
            if grad == tensor:
                raise ProgramError("gradient-is-self", "a tensor cannot be its own grad")
            if given.dtype != mine.dtype:
                raise ProgramError("gradient-dtype", f"a {mine.dtype} tensor cannot have a {given.dtype} grad")
            if given.shape != mine.shape:
                raise ProgramError(
                    "gradient-shape", f"a tensor of shape {list(mine.shape)} cannot have a grad of {list(given.shape)}"
                )
        self.grads[tensor] = grad

    def zero_grad(self, tensor: int, set_to_none: bool) -> None:
        """Remove a gradient, or set it to zero (in place) if there is one."""
        grad = self.grads.get(tensor)
        if grad is None:
            return
        if set_to_none:
            self.grads[tensor] = None
        else:
            self._overwrite(grad, self._space(self.kind(grad)).zeros_like(self.tape.values[grad]))

    def retain_grad(self, tensor: int) -> None:
        """Keep this tensor's gradient too. Raises ProgramError untracked."""
        if not self.requires_grad(tensor):
            raise ProgramError("untracked", "retain_grad() needs a tensor with requires_grad=True")
        if not self.is_leaf(tensor):
            self.retains.add(tensor)

    # Backward.

    def backward(
        self,
        roots: Sequence[int],
        gradients: Sequence[int | None],
        retain_graph: bool | None,
        create_graph: bool,
        inputs: Sequence[int] | None,
    ) -> None:
        """torch.autograd.backward.

        Raises:
            ProgramError: no-inputs, gradient-count, gradient-shape, gradient-dtype, not-scalar,
                complex-root, untracked, graph-freed, no-derivative and what hooks raise.
        """
        if inputs is not None and not inputs:
            raise ProgramError("no-inputs", "inputs= is empty: there is nothing to accumulate into")
        recorder = self._recorder(self.tape) if create_graph else None
        seeds = self._seeds(roots, gradients, recorder)
        for tensor in inputs or ():
            self.retain_grad(tensor)
        if create_graph:
            self.tape.warned.append(("create-graph-cycle", CYCLE))
        within = None if inputs is None else leads_to(self.tape, inputs, max(seeds, default=-1))
        chosen = None if inputs is None else set(inputs)
        arrived, mode = None, self.tape.recording
        self.tape.recording = create_graph
        try:
            arrived = walk(
                self.tape, seeds,
                retain_graph=create_graph if retain_graph is None else retain_graph,
                recorder=recorder, within=within, visit=self._visits(chosen) or None,
            )  # fmt: skip
            for leaf, ct in arrived.items():
                if self.kind(leaf).grad and (chosen is None or leaf in chosen):
                    self._accumulate(leaf, ct)
        finally:
            self.tape.recording = mode
        if arrived.error is not None:
            raise arrived.error

    def grad(
        self,
        roots: Sequence[int],
        wrt: Sequence[int],
        gradients: Sequence[int | None],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> list[int | None]:
        """torch.autograd.grad; None for an input that was not reached and may be.

        Raises:
            ProgramError: as backward, and unused-input, conflicting-arguments.
        """
        if materialize_grads and allow_unused is False:
            raise ProgramError("conflicting-arguments", "materialize_grads=True contradicts allow_unused=False")
        allow_unused = materialize_grads if allow_unused is None else allow_unused
        recorder = self._recorder(self.tape) if create_graph else None
        seeds = self._seeds(roots, gradients, recorder)
        for tensor in wrt:
            if not self.requires_grad(tensor):
                raise ProgramError("untracked", "grad() with respect to a tensor that does not require grad")
        caught: dict[int, Any] = {}

        def catch(tensor: int) -> Callable[[Any], Any]:
            def keep(ct: Any) -> Any:
                caught[tensor] = ct
                return ct

            return keep

        visits = self._visits(None)
        for tensor in dict.fromkeys(wrt):
            first, keep = visits.get(tensor), catch(tensor)
            visits[tensor] = keep if first is None else _then(first, keep)
        mode, self.tape.recording = self.tape.recording, create_graph
        try:
            arrived = walk(
                self.tape, seeds,
                retain_graph=create_graph if retain_graph is None else retain_graph,
                recorder=recorder, within=leads_to(self.tape, wrt, max(seeds, default=-1)), visit=visits,
            )  # fmt: skip
        finally:
            self.tape.recording = mode
        if arrived.error is not None:
            raise arrived.error
        results: list[int | None] = []
        for tensor in wrt:
            if tensor in caught:
                results.append(self._slot(caught[tensor], self.kind(tensor)))
            elif materialize_grads:
                kind = self.kind(tensor)
                results.append(self.tape.array(self._space(kind).zeros(kind.shape), kind.dtype))
            elif allow_unused:
                results.append(None)
            else:
                raise ProgramError(
                    "unused-input", "the roots do not depend on one of the inputs; allow_unused=True gives None for it"
                )
        return results

    def _seeds(self, roots: Sequence[int], gradients: Sequence[int | None], recorder: Any) -> dict[int, Any]:
        """The first cotangents by slot, checked as torch checks them."""
        if len(gradients) != len(roots):
            raise ProgramError("gradient-count", f"{len(roots)} roots, but {len(gradients)} gradients")
        cts = [self._seed(root, gradient, recorder) for root, gradient in zip(roots, gradients, strict=True)]
        for root in roots:
            if not self.requires_grad(root):
                raise ProgramError("untracked", "backward from a tensor that does not require grad and has no grad_fn")
        seeds: dict[int, Any] = {}
        for root, ct in zip(roots, cts, strict=True):
            add = (recorder or self._space(self.kind(root))).add
            seeds[root] = add(seeds[root], ct) if root in seeds else ct
        return seeds

    def _seed(self, root: int, gradient: int | None, recorder: Any) -> Any:
        kind, space = self.kind(root), self._space(self.kind(root))
        if gradient is None:
            if not kind.grad:
                return None  # reported as untracked once all shapes are checked
            if self.size(root) != 1:
                raise ProgramError(
                    "not-scalar", f"a root of shape {list(kind.shape)} needs gradient=; only one element may go without"
                )
            if category(kind.dtype) == 3:
                raise ProgramError("complex-root", "a complex root needs gradient=")
            value = space.ones(kind.shape)
            return value if recorder is None else Traced(self.tape, self.tape.array(value, kind.dtype))
        given = self.kind(gradient)
        if given.shape != kind.shape:
            raise ProgramError(
                "gradient-shape", f"the gradient has shape {list(given.shape)}, its root {list(kind.shape)}"
            )
        if (category(given.dtype) == 3) != (category(kind.dtype) == 3):
            raise ProgramError("gradient-dtype", f"a {given.dtype} gradient for a {kind.dtype} root")
        if recorder is not None:
            return recorder.astype(Traced(self.tape, gradient), kind.dtype)
        value = self.tape.values[gradient]
        return value if given.dtype == kind.dtype else self._space(given).astype(value, kind.dtype)

    def _visits(self, chosen: set[int] | None) -> dict[int, Callable[[Any], Any]]:
        """What happens at single slots on the way: retained gradients."""
        return {
            tensor: self._retainer(tensor) for tensor in self.retains if chosen is None or tensor in chosen
        }

    def _retainer(self, tensor: int) -> Callable[[Any], Any]:
        def retain(ct: Any) -> Any:
            old = self.grads.get(tensor)
            if isinstance(ct, Traced):
                ops = self.tape.ops
                total = ops.clone(ct) if old is None else ops.add(Traced(self.tape, old), ct)
                self.grads[tensor] = total.slot
            else:
                kind = self.kind(tensor)
                value = ct if old is None else self._space(kind).add(self.tape.values[old], ct)
                self.grads[tensor] = self.tape.array(value, kind.dtype)
            return ct

        return retain

    def _accumulate(self, leaf: int, ct: Any) -> None:
        """Add what arrived at a leaf to its .grad: in place, unless the sum itself is recorded."""
        old = self.grads.get(leaf)
        kind = self.kind(leaf)
        if old is None:
            self.grads[leaf] = self._slot(ct, kind)
        elif isinstance(ct, Traced):
            self.grads[leaf] = self.tape.ops.add(Traced(self.tape, old), ct).slot
        else:
            self._overwrite(old, self._space(kind).add(self.tape.values[old], ct))

    def _overwrite(self, tensor: int, value: Any) -> None:
        """Write a new value into a tensor, outside of any graph."""
        self.tape.values[tensor] = value

    def _slot(self, ct: Any, kind: Kind) -> int:
        """A tensor for a cotangent."""
        return ct.slot if isinstance(ct, Traced) else self.tape.array(ct, kind.dtype)

    # Helpers.

    def size(self, tensor: int) -> int:
        count = 1
        for length in self.kind(tensor).shape:
            count *= length
        return count

    def _space(self, kind: Kind) -> Any:
        return self.tape.engine.library.namespace(kind.dtype, zero_dim=not kind.shape)


def _then(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda ct: second(first(ct))


def _differentiable(dtype: str) -> None:
    if not is_differentiable(dtype):
        raise ProgramError(
            "dtype-not-differentiable", f"only floating and complex tensors can require grad, not {dtype}"
        )
