"""What a backend can do of a spec, asked once a feature."""

from __future__ import annotations

from typing import Any

from gradspec.backends.base import EMULATED, UNSUPPORTED, Backend
from gradspec.spec.features import features_of_field, features_of_step
from gradspec.spec.model import Program, bodies

__all__ = ["Support"]


class Support:
    """The features of one backend, remembered."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._known: dict[str, str] = {}
        self._visible: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._fields: dict[str, tuple[str, str]] = {}

    def of(self, feature: str) -> str:
        """native, emulated or unsupported."""
        known = self._known.get(feature)
        if known is None:
            known = self._known[feature] = self.backend.supports(feature)
        return known

    def of_field(self, field: str) -> tuple[str, str]:
        """(the worst support of the features that looking at a field needs, the feature)."""
        known = self._fields.get(field)
        if known is None:
            known = self._fields[field] = self._worst(features_of_field(field))
        return known

    def lacks(self, field: str) -> str:
        """The unsupported feature that looking at a field needs, or ""."""
        support, feature = self.of_field(field)
        return feature if support == UNSUPPORTED else ""

    def visible(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        """What to ask of a tensor for the sake of `fields`: those that the backend can see, and beside a
        gradient the dtype and shape of its tensor, which it must have."""
        known = self._visible.get(fields)
        if known is None:
            more = ("dtype", "shape") if "grad" in fields else ()
            wanted = dict.fromkeys((*fields, *more))
            known = self._visible[fields] = tuple(field for field in wanted if not self.lacks(field))
        return known

    def of_program(self, program: Program) -> tuple[dict[int, str], dict[int, str]]:
        """The steps and leaves that are not native: (unsupported, emulated), each `id(step)` → feature."""
        unsupported: dict[int, str] = {}
        emulated: dict[int, str] = {}
        rest: list[Any] = [*program.steps, *program.leaves]
        while rest:
            step = rest.pop()
            for inner in bodies(step):
                rest.extend(inner)
            support, feature = self._worst(features_of_step(program, step))
            if support == UNSUPPORTED:
                unsupported[id(step)] = feature
            elif support == EMULATED:
                emulated[id(step)] = feature
        return unsupported, emulated

    def _worst(self, features: Any) -> tuple[str, str]:
        worst = ("native", "")
        for feature in sorted(features):
            support = self.of(feature)
            if support == UNSUPPORTED:
                return support, feature
            if support == EMULATED:
                worst = (support, feature)
        return worst
