"""What stands around the parts of one spec while it is built: its document, its names, its arrays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import real_of
from gradspec.errors import did_you_mean
from gradspec.spec.array import Arrays
from gradspec.spec.assemble import Assembler
from gradspec.spec.model import Ref
from gradspec.spec.statement import name_fault
from gradspec.spec.told import step_text

if TYPE_CHECKING:
    from gradspec.dense import Dense
    from gradspec.errors import Place
    from gradspec.spec.document import Document
    from gradspec.spec.model import Expectation, Gradcheck, Repeat, StepExpectation

__all__ = ["Scope"]

Path = tuple[Any, ...]


class Scope:
    """One spec for one dtype, as far as it has been read.

    `dtype` may be complex: floating data of tensors and cotangents is then complex, while the
    program's default dtype, and what is expected without a dtype of its own, are its real part's.
    `names` maps what the author can write to bindings; `at` is the number of the step being read.
    """

    def __init__(self, document: Document, id: str, dtype: str) -> None:
        self.document = document
        self.dtype = dtype
        self.assembler = Assembler(id, real_of(dtype))
        self.names: dict[str, int] = {}
        self.unbound: dict[str, int] = {}  # name → line of the failing step that would have bound it
        self.hidden: dict[str, str] = {}  # name that is not known in a function → what to do about it
        self.made: set[int] = set()  # bindings of leaves
        self.requiring: list[int] = []  # bindings of the tensors that require grad
        self.hooks: dict[str, int] = {}  # hook name → `at`
        self.node_hooks: set[str] = set()  # those of them that are on nodes
        self.declared: set[str] = set()  # dtypes that tensors declare
        directory = os.path.dirname(document.file)
        self.arrays = Arrays(self.fault, dtype, self.resolve, directory)
        self.expected = Arrays(self.fault, real_of(dtype), self.resolve, directory)
        self.places: list[Place] = []
        self.texts: list[str] = []
        self.notes: dict[int, str] = {}
        self.judged: dict[int, StepExpectation] = {}
        self.expectations: list[Expectation] = []
        self.gradchecks: list[Gradcheck] = []
        self.repeats: list[Repeat] = []
        self.rounds: list[tuple[int, int]] = []  # (which round, of how many) of each repeat being read
        self.faulty = False
        self._known: dict[Any, Any] = {}  # what every round of a repeat says alike

    @property
    def at(self) -> int:
        return len(self.places) - 1

    def close(self) -> None:
        """Read no more arrays. They know the scope, and the circle would keep the document alive until
        the garbage collector looked through all of it."""
        del self.arrays, self.expected

    def fault(self, code: str, message: str, path: Path, **pointing: Any) -> None:
        """Note a fault, unless the same one is known (a spec is read once for each of its dtypes)."""
        self.faulty = True
        fault = self.document.fault(code, message, path, **pointing)
        if not any(known.code == code and known.place == fault.place for known in self.document.faults):
            self.document.faults.append(fault)

    def told(self, path: Path, verb: str, content: Any) -> tuple[Place, str]:
        """The place of the step at `path` and what it is called in messages, in a repeat with its round."""
        known = self._known.get((path, "step"))
        if known is None:
            known = self.document.place(path), step_text(verb, content)
            if self.rounds:
                self._known[path, "step"] = known
        place, text = known
        if self.rounds:
            text = f"{text} (round {', '.join(f'{k} of {times}' for k, times in self.rounds)})"
        return place, text

    def place(self, path: Path) -> Place:
        """The place of the value at `path`."""
        if not self.rounds:
            return self.document.place(path)
        if path not in self._known:
            self._known[path] = self.document.place(path)
        return self._known[path]  # type: ignore[no-any-return]  # places alone are put there

    def resolve(self, name: str, path: Path, **pointing: Any) -> int | None:
        """The binding a name means here, or None after noting unknown-name."""
        found = self.names.get(name)
        if found is None:
            hint = did_you_mean(name, list(self.names))
            if name in self.unbound:
                hint = f"the step of line {self.unbound[name]} must fail, so it binds no name"
            elif name in self.hidden:
                hint = self.hidden[name]
            elif not self.names:
                hint = "there is no tensor yet"
            self.fault("unknown-name", f'no tensor "{name}" here', path, hint=hint, **pointing)
        return found

    def bind(self, name: str, path: Path) -> int:
        """A new binding that `name` means from here on."""
        if fault := name_fault(name):
            self.fault("bad-name", fault, path)
        self.names[name] = binding = self.assembler.binding(name)
        return binding

    def tensors(self, view: Any, path: Path) -> tuple[int, ...] | None:
        """The bindings of a name or a list of names; None after noting faults."""
        if not isinstance(view, list):
            one = self.resolve(view, path)
            return None if one is None else (one,)
        found = [self.resolve(name, (*path, index)) for index, name in enumerate(view)]
        known = tuple(binding for binding in found if binding is not None)
        return known if len(known) == len(found) else None

    def array(self, view: Any, path: Path) -> tuple[Dense | Ref | None, bool]:
        """An array and whether it names no dtype of its own; None after noting a fault."""
        return self._read(self.arrays, view, path)

    def expected_array(self, view: Any, path: Path) -> tuple[Dense | Ref | None, bool]:
        """The same for an array that is expected."""
        return self._read(self.expected, view, path)

    def _read(self, arrays: Arrays, view: Any, path: Path) -> tuple[Dense | Ref | None, bool]:
        if not self.rounds:
            return arrays.read(view, path)
        key = (path, arrays is self.expected)
        known: tuple[Dense | Ref | None, bool] | None = self._known.get(key)
        if known is None:
            known = arrays.read(view, path)
            if not isinstance(known[0], Ref):  # which tensor a name means changes from round to round
                self._known[key] = known
        return known
