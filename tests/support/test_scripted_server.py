"""The scripted server leaves no connection open, however early its client left."""

from __future__ import annotations

import asyncio
import gc
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.scripted_server import always, document, serving


async def turn() -> None:
    """Return when everything that is due now on the event loop has run."""
    loop = asyncio.get_running_loop()
    turned = loop.create_future()
    loop.call_soon(turned.set_result, None)
    await turned


@pytest.mark.parametrize("turns", range(4))
async def test_a_client_that_leaves_at_once_leaves_no_open_connection(turns: int) -> None:
    async with serving(always(document({}))) as server:
        client = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0))
        # How far the event loop has come with accepting it.
        for _ in range(turns):
            await turn()
        client.close()
    # An open one would be a ResourceWarning, which is an error here.
    gc.collect()
