"""What the engine needs to know of an op: the words of gradspec.ops.registry, as types.

The engine stands below the ops and knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

__all__ = ["OpLike", "ParamLike", "RuleLike"]


class RuleLike(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def function(self) -> Callable[..., Any]: ...
    @property
    def names(self) -> tuple[str, ...]: ...


class ParamLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def default(self) -> Any: ...
    @property
    def is_tensor(self) -> bool: ...


class OpLike(Protocol):
    name: str
    kind: str
    forward: Callable[..., Any]
    params: Any  # tuple[ParamLike, ...]
    by_name: Any  # dict[str, ParamLike]
    rules: Any  # dict[str, RuleLike]
    rules_in_place: Any  # dict[str, RuleLike]
    node: Any
    node_in_place: Any
    derived_in_place: bool
    outputs: Any
    chooses: bool
    hides: Any
    keeps: bool | str
    dynamic: bool
    view: bool
    apart: tuple[str, ...]
    fixed: tuple[str, ...]
    tracks_complex: bool
    casts: bool
    check: Callable[..., None] | None
    check_in_place: Callable[..., None] | None
    written: Any  # int, or a function that gives one
    iterates: Any  # bool, names of parameters, or a function that gives one of these
    spreads: bool
    overlap: str | Callable[[str], str]
    strides: Callable[..., tuple[Sequence[int], int]] | None
    unit: float
    turns: bool
    passes_on: Callable[..., bool] | None
    expand: Callable[..., Callable[..., Any] | None] | None
    warns: Callable[..., tuple[tuple[str, str], ...]] | None

    def results(self, arguments: Any) -> Any: ...

    def result_dtypes(
        self, dtypes: dict[str, Any], statics: dict[str, Any], default: str
    ) -> tuple[str | None, str]: ...
