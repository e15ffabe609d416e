"""From a file that has the right shape to its specs: `build_document`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradspec.dense import Dense
from gradspec.dtypes import COMPLEX, FLOATING, is_differentiable
from gradspec.spec.expect import tolerance
from gradspec.spec.model import Leaf, Spec
from gradspec.spec.scope import Scope
from gradspec.spec.statement import name_fault
from gradspec.spec.steps import build_steps

if TYPE_CHECKING:
    from gradspec.spec.document import Document

__all__ = ["build_document"]

Path = tuple[Any, ...]


def build_document(document: Document) -> list[Spec]:
    """The specs of a file, one for each dtype of each, in the order of the text.

    The view has the shape that the schema demands.  Everything else that is wrong is appended to
    `document.faults`, all of it; the specs are then incomplete and not to be run.
    """
    view = document.view
    if "specs" not in view:
        return _Source(document, view, {}, ()).build()
    defaults = view.get("defaults") or {}
    specs: list[Spec] = []
    for index, each in enumerate(view["specs"]):
        specs += _Source(document, each, defaults, ("specs", index)).build()
    return specs


class _Source:
    """One spec as written. A key it lacks is looked up in `defaults`; what it has replaces them whole."""

    def __init__(
        self, document: Document, view: dict[str, Any], defaults: dict[str, Any], path: Path
    ) -> None:
        self.document, self.view, self.defaults, self.path = document, view, defaults, path

    def get(self, key: str, otherwise: Any = None) -> Any:
        found = self.view.get(key, self.defaults.get(key))
        return otherwise if found is None else found

    def where(self, key: str) -> Path:
        return (*self.path, key) if key in self.view or key not in self.defaults else ("defaults", key)

    def build(self) -> list[Spec]:
        name = self.get("id", "")
        if "dtype" in self.view:
            several = self.view.get("dtypes")  # the spec's own dtype wins over dtypes of the defaults
        else:
            several = self.get("dtypes")
        if "dtype" in self.view and several is not None:
            self._fault(
                "conflicting-keys", "a spec has dtype or dtypes, not both", self.where("dtypes"), key=True
            )
        if several is None:
            return [self._build(name, self._dtype(self.get("dtype", "float32"), self.where("dtype")))]
        dtypes = [self._dtype(dtype, (*self.where("dtypes"), index)) for index, dtype in enumerate(several)]
        return [self._build(f"{name}@{dtype}", dtype) for dtype in dtypes]

    def _fault(self, code: str, message: str, path: Path, **pointing: Any) -> None:
        self.document.faults.append(self.document.fault(code, message, path, **pointing))

    def _dtype(self, dtype: str, path: Path) -> str:
        if dtype in (*FLOATING, *COMPLEX):
            return dtype
        hint = f"these are {', '.join((*FLOATING, *COMPLEX))}"
        self._fault("bad-dtype", f'"{dtype}" is no dtype of floating data', path, hint=hint)
        return "float32"

    def _build(self, id: str, dtype: str) -> Spec:
        scope = Scope(self.document, id, dtype)
        for name, view in self.get("tensors", {}).items():
            _leaf(scope, name, view, (*self.where("tensors"), name))
        steps = build_steps(scope, self.get("steps", []), self.where("steps"))
        declared = tuple(sorted(scope.declared - {dtype}))
        scope.close()
        return Spec(
            id=id,
            file=self.document.file,
            line=self.document.place((*self.path, "id"), key=True).line,
            title=self.get("title", ""),
            doc=self.get("doc", ""),
            tags=tuple(self.get("tags", ())),
            refs=_words(self.get("refs", ())),
            provenance=self.get("provenance", ""),
            dtype=dtype,
            dtypes=(dtype, *declared),
            tolerance=tolerance(scope, self.get("tolerance"), self.where("tolerance")),
            program=scope.assembler.program(steps, len(scope.places)),
            expectations=tuple(scope.expectations),
            judged=scope.judged,
            gradchecks=tuple(scope.gradchecks),
            places=tuple(scope.places),
            texts=tuple(scope.texts),
            notes=scope.notes,
            scope=self.get("scope", "core"),
            repeats=tuple(scope.repeats),
        )


def _words(view: Any) -> tuple[str, ...]:
    return (view,) if isinstance(view, str) else tuple(view)


def _leaf(scope: Scope, name: str, view: Any, path: Path) -> None:
    """A tensor of `tensors:`; its name is bound even where its data is faulty."""
    data, _ = scope.array(view, path)
    requires_grad = isinstance(view, dict) and bool(view.get("requires_grad"))
    if isinstance(view, dict) and isinstance(view.get("dtype"), str):
        scope.declared.add(view["dtype"])
    if requires_grad and isinstance(data, Dense) and not is_differentiable(data.dtype):
        hint = "write its numbers with a point, or give it a floating dtype"
        scope.fault(
            "bad-dtype", f"{data.dtype} data cannot require grad", (*path, "requires_grad"), hint=hint
        )
    binding = scope.assembler.binding(name)
    _bind(scope, name, binding, path)
    scope.made.add(binding)
    if requires_grad:
        scope.requiring.append(binding)
    if data is not None:
        scope.assembler.leaves.append(Leaf(binding, data, requires_grad))


def _bind(scope: Scope, name: str, binding: int, path: Path) -> None:
    if fault := name_fault(name):
        scope.fault("bad-name", fault, path, key=True)
    scope.names[name] = binding
