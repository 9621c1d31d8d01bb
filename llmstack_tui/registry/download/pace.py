"""How fast downloads may be, all together."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Shares so many bytes a second between all who take some.

    A download that may take no more stops reading, and the network then slows its sender down.

    Args:
        bytes_per_s: 0 is no limit.
    """

    def __init__(self, bytes_per_s: int = 0) -> None:
        self._bytes_per_s = bytes_per_s
        self._paid_until_s = 0.0

    async def took(self, count: int) -> None:
        """Return when the next bytes may be taken, after ``count`` have been."""
        if self._bytes_per_s:
            now_s = time.monotonic()
            self._paid_until_s = max(self._paid_until_s, now_s) + count / self._bytes_per_s
            await asyncio.sleep(self._paid_until_s - now_s)
