"""A value that changes, for those who want to follow it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_T = TypeVar("_T")


class LatestValue(Generic[_T]):
    """The newest value, until `close`.

    Attributes:
        value: the newest.
        defect: what has ended the making of new values, if something has.
    """

    def __init__(self, value: _T) -> None:
        self.value = value
        self.defect: BaseException | None = None
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, value: _T) -> None:
        self.value = value
        self._announce()

    def fail(self, defect: BaseException) -> None:
        """No new values come any more; of several defects the first counts."""
        self.defect = self.defect or defect
        self._announce()

    def close(self) -> None:
        self._closed = True
        self._announce()

    async def watch(self) -> AsyncGenerator[_T, None]:
        """The value now, and then each new one until it closes. A slow reader gets only the newest.

        Raises:
            BaseException: the defect, if there is one.
        """
        seen: object = self
        while not self._closed:
            changed = self._changed
            if self.defect is not None:
                raise self.defect
            if self.value is not seen:
                seen = self.value
                yield self.value
            else:
                await changed.wait()

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
