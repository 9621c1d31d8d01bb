"""A server of many models that sends some of them, as often as Ollama does, for as long as anybody listens.

By hand and for benchmarks: ``python -m tests.support.many_pulls MODELS``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from tests.support.fake_ollama import FakeOllama
from tests.support.scripted_server import Reply, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.scripted_server import Request, ScriptedServer

LAYER_BYTES, LINE_BYTES = 2**36, 2**20
# Ollama tells this often of each layer that is on its way.
EVERY_S = 0.06


def model_name(number: int) -> str:
    """A registry where nobody is: what a pull costs is not known."""
    return f"127.0.0.1:9/library/m{number:04}:latest"


@dataclass
class ManyPulls(FakeOllama):
    """``lines`` counts what was sent of pulls, a line of each every ``every_s`` seconds."""

    lines: int = 0
    every_s: float = EVERY_S

    async def __call__(self, request: Request) -> Reply:
        if request.path == "/api/pull":
            return Reply(content_type="application/x-ndjson", later=self._pull(str(request.json["model"])))
        return await super().__call__(request)

    async def _pull(self, name: str) -> AsyncIterator[bytes]:
        digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        for sent in count(1):
            yield line(
                f"pulling {digest[7:19]}", digest=digest, total=LAYER_BYTES, completed=sent * LINE_BYTES
            )
            self.lines += 1
            await asyncio.sleep(self.every_s)


def line(status: str, **more: object) -> bytes:
    return json.dumps({"status": status, **more}).encode() + b"\n"


@asynccontextmanager
async def many_pulls(models: int) -> AsyncIterator[tuple[ManyPulls, ScriptedServer]]:
    fake = ManyPulls({model_name(number): f"{number:064x}" for number in range(models)})
    async with serving(fake) as server:
        yield fake, server


async def _main(models: int) -> None:
    async with many_pulls(models) as (_, server):
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
