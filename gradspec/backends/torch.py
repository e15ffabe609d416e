"""The torch backend: torch itself, asked step by step."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from gradspec.backends.base import NATIVE, UNSUPPORTED, Support, Warned
from gradspec.backends.stepwise import StepwiseBackend
from gradspec.backends.torch_custom import function_class
from gradspec.backends.torch_errors import error_code, warning_code
from gradspec.backends.torch_ops import bound, function_of
from gradspec.dense import Dense
from gradspec.errors import BackendUnavailable, ProgramError, UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.backends.bookkeeping import Function, Replay, Rerun
    from gradspec.spec.model import Call, Program

__all__ = ["TorchBackend"]


class TorchBackend(StepwiseBackend):
    """PyTorch on the CPU, in one thread."""

    name = "torch"

    def __init__(self) -> None:
        super().__init__()
        try:
            import torch
        except ImportError as error:
            hint = f"torch cannot be imported ({error}): pip install gradspec[torch]"
            raise BackendUnavailable(hint) from error
        self.torch = torch
        self._storages: list[Any] = []  # those that were looked at in this run
        self.version = torch.__version__
        self._dtype_names = {str(dtype).removeprefix("torch."): dtype for dtype in _dtypes(torch)}

    def supports(self, feature: str) -> Support:
        """Native, but for ops and dtypes that this torch does not have."""
        kind, _, word = feature.partition(":")
        if kind == "op" and function_of(word) is None:
            return UNSUPPORTED
        if kind == "dtype" and word not in self._dtype_names:
            return UNSUPPORTED
        return NATIVE

    @contextmanager
    def session(self, program: Program) -> Iterator[None]:
        """The program's default dtype, one thread, every warning each time; all put back afterwards."""
        torch = self.torch
        before = torch.get_default_dtype(), torch.get_num_threads(), torch.is_warn_always_enabled()
        with warnings.catch_warnings(record=True) as log, torch.enable_grad():
            warnings.simplefilter("always")
            self.pending = log if log is not None else []
            torch.set_warn_always(True)
            torch.set_num_threads(1)
            torch.set_default_dtype(self._dtype(program.dtype))
            try:
                yield
            finally:
                torch.set_default_dtype(before[0])
                torch.set_num_threads(before[1])
                torch.set_warn_always(before[2])
                self.pending = []
                self._storages.clear()

    def _text(self, tensor: Any) -> str:
        """repr() as it is where the default dtype is float32, whatever the program's is."""
        before = self.torch.get_default_dtype()
        self.torch.set_default_dtype(self.torch.float32)
        try:
            return repr(tensor)
        finally:
            self.torch.set_default_dtype(before)

    def prepare(self, call: Call) -> Callable[[list[Any]], Sequence[Any]]:
        """The call as a function of its inputs."""
        return bound(call)

    def apply(self, call: Any, inputs: list[Any]) -> Sequence[Any]:
        """Run one op."""
        outputs: Sequence[Any] = call(inputs)
        return outputs

    def leaf(self, data: Dense, requires_grad: bool) -> Any:
        """A new leaf."""
        dtype = self._dtype(data.dtype)
        values = data.data if isinstance(data.data, (list, tuple)) else data.flat()
        tensor = self.torch.tensor(values, dtype=dtype).reshape(data.shape).clone()  # a leaf is no view
        return tensor.requires_grad_() if requires_grad else tensor

    def read(self, tensor: Any) -> Dense:
        """The values of a tensor, exactly."""
        plain = tensor.detach().resolve_conj().resolve_neg()
        if plain._is_zerotensor():  # zeros without memory, as second derivatives that vanish
            plain = plain.clone()
        return Dense(self._dtype_word(tensor), tuple(tensor.shape), plain.reshape(-1).tolist())

    def grad_of(self, tensor: Any) -> Any:
        """`.grad` without the warning about non-leaves."""
        count = len(self.pending)
        gradient = tensor.grad
        del self.pending[count:]
        return gradient

    def backward(
        self,
        roots: list[Any],
        gradients: list[Any],
        retain_graph: bool | None,
        create_graph: bool,
        inputs: list[Any] | None,
    ) -> None:
        """torch.autograd.backward."""
        given = None if all(gradient is None for gradient in gradients) else gradients
        with _explained(roots, gradients):
            self.torch.autograd.backward(roots, given, retain_graph, create_graph, inputs=inputs)

    def grad(
        self,
        roots: list[Any],
        wrt: list[Any],
        gradients: list[Any],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[Any]:
        """torch.autograd.grad."""
        given = None if all(gradient is None for gradient in gradients) else gradients
        with _explained(roots, gradients):
            return self.torch.autograd.grad(
                roots,
                wrt,
                given,
                retain_graph,
                create_graph,
                allow_unused=allow_unused,
                materialize_grads=materialize_grads,
            )

    def grad_batched(
        self,
        roots: list[Any],
        wrt: list[Any],
        gradients: list[Any],
        retain_graph: bool | None,
        create_graph: bool,
        allow_unused: bool | None,
        materialize_grads: bool,
    ) -> Sequence[Any]:
        """torch.autograd.grad over a batch; what vmap refuses are gradients without a batch, or of several
        sizes."""
        with _explained(roots, gradients):
            try:
                return self.torch.autograd.grad(
                    roots,
                    wrt,
                    gradients,
                    retain_graph,
                    create_graph,
                    allow_unused=allow_unused,
                    is_grads_batched=True,
                    materialize_grads=materialize_grads,
                )
            except (IndexError, ValueError) as error:
                if "materialize_grads" in str(error):
                    raise
                raise ProgramError("gradient-shape", str(error)) from error

    def snapshot(self, tensor: Any) -> Any:
        """(values, requires_grad); None stays None."""
        return None if tensor is None else (tensor.detach().clone(), tensor.requires_grad)

    def jvp(self, replay: Replay, of: int) -> Any:
        """torch.autograd.forward_ad over the replayed steps; None where torch has no tangent."""
        forward = self.torch.autograd.forward_ad

        def fresh(snapshot: Any) -> Any:
            values, requires_grad = snapshot
            return values.clone().requires_grad_(requires_grad)

        def with_tangent(tensor: Any, tangent: Any) -> Any:
            if tensor.is_complex() == tangent.is_complex():  # cast as a cotangent is to its root's dtype
                tangent = tangent.to(tensor.dtype)
            return forward.make_dual(tensor.contiguous(), tangent)  # of expanded memory it makes none

        with forward.dual_level():
            dual = replay.value(of, fresh, with_tangent)
            tangent = forward.unpack_dual(dual).tangent
            return None if tangent is None else tangent.clone()

    def retain_grad(self, tensor: Any) -> None:
        """Tensor.retain_grad."""
        tensor.retain_grad()

    def zero_grad(self, tensor: Any, set_to_none: bool) -> None:
        """As Module.zero_grad and Optimizer.zero_grad do it."""
        gradient = self.grad_of(tensor)
        if gradient is None:
            return
        if set_to_none:
            tensor.grad = None
            return
        if gradient.grad_fn is not None:
            gradient.detach_()
        else:
            gradient.requires_grad_(False)
        gradient.zero_()

    def block(self, mode: str) -> AbstractContextManager[Any]:
        """A mode of torch."""
        torch = self.torch
        modes: dict[str, Callable[[], AbstractContextManager[Any]]] = {
            "no_grad": torch.no_grad,
            "enable_grad": torch.enable_grad,
            "inference_mode": torch.inference_mode,
            "detect_anomaly": lambda: torch.autograd.set_detect_anomaly(True),  # detect_anomaly() would warn
        }
        if mode not in modes:
            raise UnsupportedFeature(mode)
        return modes[mode]()

    def custom(self, function: Function, inputs: list[Any]) -> Sequence[Any]:
        """A subclass of torch.autograd.Function of that name, applied."""
        outputs = function_class(function.name, function.once).apply(function, *inputs)
        return outputs if isinstance(outputs, tuple) else (outputs,)

    def checkpoint(self, run: Rerun) -> None:
        """torch.utils.checkpoint, not reentrant, over steps that read what is around them."""
        from torch.utils.checkpoint import checkpoint

        first = iter((run,))

        def steps() -> None:
            next(first, run.again)()

        checkpoint(steps, use_reentrant=False, preserve_rng_state=False)

    def hook(self, tensor: Any, function: Callable[[Any], Any], after: str) -> Any:
        """register_hook, or register_post_accumulate_grad_hook."""
        if not after:
            # torch 2.13 crashes where a view of a leaf was written under no_grad and its node is still to be
            # made again; asking for the node makes it.
            _ = tensor.grad_fn
            return tensor.register_hook(function)

        def accumulated(leaf: Any) -> None:
            function(self.grad_of(leaf))

        return tensor.register_post_accumulate_grad_hook(accumulated)

    def hook_node(self, tensor: Any, function: Callable[[list[Any]], None], when: str) -> Any:
        """register_prehook or register_hook of grad_fn, for a leaf of its gradient accumulator."""
        if not tensor.requires_grad:
            raise ProgramError("untracked", "a tensor that does not require grad has no node")
        node = self.torch.autograd.graph.get_gradient_edge(tensor).node
        if when == "before":
            handle = node.register_prehook(lambda outputs: function(list(outputs)))
        else:
            handle = node.register_hook(lambda inputs, _: function(list(inputs)))
        return _Kept(handle, node)

    def remove_hook(self, handle: Any) -> None:
        """Remove a hook."""
        handle.remove()

    def get_attr(self, tensor: Any, name: str) -> Any:
        """An attribute as torch gives it."""
        if name not in ("grad", "data"):
            raise UnsupportedFeature("data-attribute")
        return getattr(tensor, name)

    def set_attr(self, tensor: Any, name: str, value: Any) -> None:
        """Assign an attribute."""
        if name not in ("grad", "data", "requires_grad"):
            raise UnsupportedFeature("data-attribute")
        setattr(tensor, name, value)

    def observe(self, tensor: Any, field: str) -> Any:
        """One field of a tensor."""
        if field in ("is_leaf", "requires_grad", "retains_grad"):
            return bool(getattr(tensor, field))
        if field in ("grad_fn", "next_functions", "nodes"):
            return None if tensor.grad_fn is None else _of_node(tensor.grad_fn, field)
        if field == "dtype":
            return self._dtype_word(tensor)
        if field == "shape":
            return tuple(tensor.shape)
        if field == "version":
            return int(tensor._version)
        if field == "repr":
            return self._text(tensor)
        raise UnsupportedFeature(field)

    def identity(self, tensor: Any) -> Any:
        """The C++ tensor: Python may wrap one anew each time it is read."""
        return tensor._cdata

    def memory(self, tensor: Any) -> Any:
        """The storage object: an empty storage has no address. Kept, so that no other takes its place."""
        storage = tensor.untyped_storage()
        self._storages.append(storage)
        return storage._cdata

    def warning(self, item: Any) -> Warned | None:
        """A recorded Python warning."""
        if isinstance(item.message, DeprecationWarning):  # about torch's own code, not about the program
            return None
        text = str(item.message)
        code = warning_code(text)
        return None if code is None else Warned(code, text)

    def classify(self, error: BaseException) -> str:
        """The code of one of torch's exceptions."""
        return error_code(error)

    def _dtype(self, word: str) -> Any:
        if word not in self._dtype_names:
            raise UnsupportedFeature(f"dtype:{word}", f"this torch has no dtype {word}")
        return self._dtype_names[word]

    def _dtype_word(self, tensor: Any) -> str:
        return str(tensor.dtype).removeprefix("torch.")


class _Kept:
    """A handle that keeps its node: a leaf holds on to its accumulator only while a graph does."""

    def __init__(self, handle: Any, node: Any) -> None:
        self._handle = handle
        self._node = node

    def remove(self) -> None:
        """Remove the hook."""
        self._handle.remove()


@contextmanager
def _explained(roots: list[Any], gradients: list[Any]) -> Iterator[None]:
    """torch trips over its own message where the gradient of a second root does not fit: it looks for
    its number by comparing tensors, which raises "Boolean value of Tensor ... is ambiguous"."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("Boolean value of Tensor"):
            raise
        pairs = [(root, given) for root, given in zip(roots, gradients, strict=False) if given is not None]
        if any(root.shape != given.shape for root, given in pairs):
            raise ProgramError("gradient-shape", "a gradient has another shape than its root") from error
        raise ProgramError("gradient-dtype", "a gradient has a dtype its root cannot take") from error


def _of_node(node: Any, field: str) -> Any:
    """grad_fn, next_functions or nodes of the node that made a tensor."""
    if field == "grad_fn":
        return _bare(node)
    if field == "next_functions":
        edges = [(below and _bare(below), number) for below, number in node.next_functions]
        return tuple((name, number) if number else name for name, number in edges)
    names, seen, waiting = [], {node}, deque([node])
    while waiting:
        node = waiting.popleft()
        names.append(_bare(node))
        for below, _ in node.next_functions:
            if below is not None and below not in seen:
                seen.add(below)
                waiting.append(below)
    return tuple(names)


def _bare(node: Any) -> str:
    """A node's name without its namespace."""
    name: str = node.name()
    return name.rpartition("::")[2]


def _dtypes(torch: Any) -> list[Any]:
    from gradspec.dtypes import DTYPES

    return [getattr(torch, word) for word in DTYPES if hasattr(torch, word)]
