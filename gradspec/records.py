"""`NamedTuple` as typing has it, without what typing does for every class when it is made.

typing compiles each annotation and a constructor for each class, which was a seventh of a cold
`gradspec run`.  Here a class costs little more than any other, and its constructor is compiled when
it has been called often: most records of a short run are made a few times.  Modules that use this
need `from __future__ import annotations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    try:
        from _collections import _tuplegetter as _getter  # what collections.namedtuple reads its fields with
    except ImportError:
        from operator import itemgetter

        def _getter(index: int, doc: str) -> property:
            return property(itemgetter(index), doc=doc)

    _OFTEN = 50  # calls; compiling takes as long as some hundred

    class _Record(tuple):
        """What all records share."""

        __slots__ = ()
        _fields: tuple[str, ...] = ()
        _field_defaults: dict[str, Any] = {}  # noqa: RUF012  # read only
        _shown = "()"

        @classmethod
        def _make(cls, values: Any) -> _Record:
            return cls(*values)

        def _replace(self, **changes: Any) -> _Record:
            made = tuple.__new__(self.__class__, map(changes.pop, self._fields, self))
            if changes:
                raise TypeError(f"{self.__class__.__name__} has no field {', '.join(changes)}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            return self.__class__.__name__ + self._shown % self

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    class _Maker(type):
        """Makes an ordinary class, a tuple with names, of a body that is written as for typing."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            body.update((field, _getter(index, "")) for index, field in enumerate(fields))
            body.update(__slots__=(), _fields=fields, _field_defaults=defaults, __match_args__=fields)
            body["_shown"] = f"({', '.join([f'{field}=%r' for field in fields])})"
            made = type.__new__(type, name, (_Record,), body)
            made.__new__ = staticmethod(_first_constructor(made))
            return made

    def _first_constructor(record: type) -> Any:
        """`__new__` of a record until it is clear that compiling one pays."""
        fields, defaults = record._fields, record._field_defaults
        calls = 0

        def new(cls: type, /, *values: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            left = fields[len(values) :]
            if calls < _OFTEN and len(values) + len(left) == len(fields) and named.keys() <= {*left}:
                known = {**defaults, **named}
                try:
                    return tuple.__new__(cls, (*values, *[known[field] for field in left]))
                except KeyError:
                    pass  # one is missing, as the constructor will say
            constructor = _constructor(record)
            if calls >= _OFTEN:
                record.__new__ = staticmethod(constructor)
            return constructor(cls, *values, **named)

        return new

    def _constructor(record: type) -> Any:
        """`__new__` of a record, with its fields as parameters."""
        taken = "".join(f", {field}" for field in record._fields)
        given = "".join(f"{field}, " for field in record._fields)
        made = eval(f"lambda _cls{taken}: _new(_cls, ({given}))", {"_new": tuple.__new__})
        made.__defaults__ = tuple(record._field_defaults.values())
        made.__name__ = "__new__"
        made.__qualname__ = f"{record.__qualname__}.__new__"
        return made

    class NamedTuple(metaclass=_Maker):
        """A base class: its subclass is a tuple whose items are the annotated names of its body."""
