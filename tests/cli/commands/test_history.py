"""``llmstack history``, where it shows less than is recorded."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    from tests.support.program import Program


async def test_a_history_that_is_cut_says_so(llmstack: Program) -> None:
    async with serving(usual_ollama("a:1")) as server:

        async def told(*words: str) -> tuple[str, str]:
            done = await asyncio.to_thread(llmstack, *words, "a:1", "--host", server.url)
            return done.stdout, done.stderr

        for word in ("start", "stop", "start"):
            await told(word)
        documents = [json.loads((await told("history", "--json", "--limit", n))[0]) for n in ("1", "2")]
        assert [(len(each["loads"]), each["more"]) for each in documents] == [(1, True), (2, False)]
        said = "Only the newest is shown: --limit N shows more."
        assert said in (await told("history", "--limit", "1"))[1]
        assert "shown" not in (await told("history"))[1]
