"""Where the elements of a view lie in the memory of the tensor it is a view of."""

from __future__ import annotations

from copy import copy
from math import prod
from typing import TYPE_CHECKING, Any

from gradspec.dtypes import category, complex_of, real_of
from gradspec.errors import UnsupportedFeature

if TYPE_CHECKING:
    from gradspec.arrays.contract import ArrayLibrary
    from gradspec.engine.kind import Kind

__all__ = ["Places", "Spaces", "numbered"]


class Spaces:
    """The namespaces in which places are used: those of a library, or one that records."""

    __slots__ = ("_library", "_recording")

    def __init__(self, library: ArrayLibrary, recording: Any = None) -> None:
        self._library = library
        self._recording = recording

    def of(self, dtype: str) -> Any:
        """The namespace for arrays of a dtype."""
        return self._recording or self._library.namespace(dtype, zero_dim=False)

    def known(self, array: Any, dtype: str) -> Any:
        """An array of the library as these namespaces take it."""
        return array if self._recording is None else self._recording.known(array, dtype)


def numbered(library: ArrayLibrary, kind: Kind) -> Any:
    """An array of the shape of `kind` whose elements are their own numbers in memory.

    A complex element takes two numbers, as its real and its imaginary part. So a view's op, run on these
    numbers instead of elements, tells where each part of each element of the view lies; a part that the
    view shows with the other sign (`conj`) comes out negative.
    """
    reals = library.namespace("float64", zero_dim=False)
    count = prod(kind.shape) * (2 if _is_complex(kind.dtype) else 1)
    numbers = reals.arange(count, "float64")
    if _is_complex(kind.dtype):
        space = library.namespace("complex128", zero_dim=False)
        pairs = reals.reshape(numbers, (count // 2, 2))
        return space.reshape(space.joined(pairs), kind.shape)
    return reals.reshape(numbers, kind.shape)


class Places:
    """The memory of the elements of a view in a tensor beneath it.

    numbers   where each element lies, for a complex view where its parts lie (an axis of two at the end),
              counted in C order of the tensor beneath, in its real numbers: an int64 array
    turned    which parts are shown with the other sign: an array of bool, None where none is
    """

    __slots__ = ("_complex", "_under_complex", "empty", "numbers", "shape", "size", "turned")

    def __init__(self, library: ArrayLibrary, numbers: Any, view: Kind, under: Kind) -> None:
        """`numbers`: what the view's op made of `numbered(under)`."""
        reals = library.namespace("float64", zero_dim=False)
        self._complex = _is_complex(view.dtype)
        self._under_complex = _is_complex(under.dtype)
        if self._complex:
            numbers = library.namespace("complex128", zero_dim=False).parts(numbers)
        self.numbers = reals.astype(reals.abs(numbers), "int64")
        turned = reals.less(numbers, 0.0)
        self.empty = not prod(view.shape)
        self.turned = turned if not self.empty and reals.any(turned) else None
        self.shape = under.shape
        self.size = prod(under.shape) * (2 if self._under_complex else 1)

    def take(self, spaces: Spaces, whole: Any, dtype: str) -> Any:
        """The view's elements, out of an array of the tensor beneath; `dtype` is that array's."""
        numbers = spaces.known(self.numbers, "int64")
        found = spaces.of(real_of(dtype)).getitem(self._flat(spaces, whole, dtype), (numbers,))
        found = self._signed(spaces, found, dtype)
        return spaces.of(complex_of(dtype)).joined(found) if self._complex else found

    def put(self, spaces: Spaces, whole: Any, part: Any, dtype: str, where: Any = None) -> Any:
        """The tensor beneath with the view's elements, all or some, written; `dtype`: that of `whole`."""
        space, numbers = spaces.of(real_of(dtype)), spaces.known(self.numbers, "int64")
        reals, flat = self._reals(spaces, part, dtype), self._flat(spaces, whole, dtype)
        if where is not None:
            numbers, reals = space.getitem(numbers, (where,)), space.getitem(reals, (where,))
        return self._whole(spaces, space.put(flat, (numbers,), reals), dtype)

    def add(self, spaces: Spaces, part: Any, dtype: str) -> Any:
        """Zeros of the tensor beneath with the view's elements added; `dtype` is the tensor's."""
        if self.empty:
            return spaces.of(dtype).zeros(self.shape, dtype)
        numbers = spaces.known(self.numbers, "int64")
        part = self._reals(spaces, part, dtype)
        flat = spaces.of(real_of(dtype)).put_add((self.size,), (numbers,), part)
        return self._whole(spaces, flat, dtype)

    def in_terms_of(self, other: Places, library: ArrayLibrary) -> Places:
        """These places, counted in another tensor of the same memory.

        Raises:
            UnsupportedFeature: views, where that has not all of them.
        """
        space = library.namespace("int64", zero_dim=False)
        theirs = space.reshape(other.numbers, (prod(space.shape(other.numbers)),))
        count = prod(space.shape(theirs))
        nowhere = space.full((other.size,), -1, "int64")
        found = space.getitem(space.put(nowhere, (theirs,), space.arange(count)), (self.numbers,))
        if not self.empty and space.any(space.less(found, 0)):
            raise UnsupportedFeature("views", "a view of what its base no longer has")
        places = copy(self)
        places.numbers = found
        if other.turned is not None:
            bools = library.namespace("bool", zero_dim=False)
            theirs_turned = bools.getitem(bools.reshape(other.turned, (count,)), (found,))
            mine = bools.zeros(space.shape(found), "bool") if self.turned is None else self.turned
            places.turned = bools.not_equal(mine, theirs_turned)
        shape = space.shape(other.numbers)
        places.shape = shape[:-1] if other._complex else shape
        places.size = count
        places._under_complex = other._complex
        return places

    def _flat(self, spaces: Spaces, whole: Any, dtype: str) -> Any:
        """The tensor beneath as a row of real numbers."""
        if self._under_complex:
            whole = spaces.of(dtype).parts(whole)
        return spaces.of(real_of(dtype)).reshape(whole, (self.size,))

    def _whole(self, spaces: Spaces, flat: Any, dtype: str) -> Any:
        """The tensor beneath from a row of real numbers."""
        space = spaces.of(real_of(dtype))
        if not self._under_complex:
            return space.reshape(flat, self.shape)
        return spaces.of(dtype).joined(space.reshape(flat, (*self.shape, 2)))

    def _reals(self, spaces: Spaces, part: Any, dtype: str) -> Any:
        """A view's elements as real numbers."""
        if self._complex:
            part = spaces.of(complex_of(dtype)).parts(part)
        return self._signed(spaces, part, dtype)

    def _signed(self, spaces: Spaces, numbers: Any, dtype: str) -> Any:
        if self.turned is None:
            return numbers
        space = spaces.of(real_of(dtype))
        return space.where(spaces.known(self.turned, "bool"), space.negative(numbers), numbers)


def _is_complex(dtype: str) -> bool:
    return category(dtype) == 3
