"""Custom functions as subclasses of torch.autograd.Function."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

__all__ = ["function_class"]


@lru_cache(maxsize=256)
def function_class(name: str, once: bool) -> Any:
    """The subclass whose node is called name + Backward. Its first argument is the `Function` to run.

    A class refers to itself, so one is kept for each name rather than made for each call.
    """
    from torch.autograd.function import Function, once_differentiable

    def forward(ctx: Any, function: Any, *inputs: Any) -> Any:
        outputs, saved = function.forward(inputs)
        ctx.function = function
        ctx.save_for_backward(*saved)
        ctx.mark_dirty(*[inputs[k] for k in function.dirty])
        return tuple(outputs)

    def backward(ctx: Any, *cotangents: Any) -> Any:
        function = ctx.function
        # what saves nothing can run twice: asking for it would raise once the graph is freed
        saved = ctx.saved_tensors if function.saves else ()
        return (None, *function.backward(cotangents, saved))

    members = {
        "forward": staticmethod(forward),
        "backward": staticmethod(once_differentiable(backward) if once else backward),
    }
    return type(name, (Function,), members)
