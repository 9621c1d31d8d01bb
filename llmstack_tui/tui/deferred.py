"""Work that begins when it is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

P = ParamSpec("P")
T = TypeVar("T")


class Later(Generic[P, T]):
    """The awaitable that ``function(*args, **kwargs)`` would be.

    A worker may be cancelled before it begins, for instance by the end of the program. A coroutine would be
    left over then, never awaited.
    """

    def __init__(
        self, function: Callable[P, Coroutine[object, object, T]], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        self._begin: Callable[[], Coroutine[object, object, T]] = lambda: function(*args, **kwargs)

    def __await__(self) -> Generator[object, object, T]:
        return self._begin().__await__()
