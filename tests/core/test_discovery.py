"""Looking for servers on this machine: one request each, and a setting that keeps what is used."""

from __future__ import annotations

import tomllib
from contextlib import AsyncExitStack

from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.core.discovery import discover
from tests.support.fake_servers import FakeSwap, FakeVLLM
from tests.support.scripted_server import Reply, Then, always, serving

HTML = Reply((b"<html>It works!</html>",), content_type="text/html")


async def test_each_is_asked_once_and_the_setting_keeps_what_is_used() -> None:
    kinds = (
        FakeSwap(),
        FakeVLLM(),
        FakeVLLM(key="a-key-0123456789"),
        always(HTML),
        always(Reply(then=Then.HANG)),
    )
    async with AsyncExitStack() as all_of_them:
        servers = [await all_of_them.enter_async_context(serving(each)) for each in kinds]
        urls = [server.url for server in servers]
        used = HostSettings(url=urls[0], name="mine", api_key_file="/k")
        found = await discover([used], [int(url.rpartition(":")[2]) for url in urls])
        assert [server.asked for server in servers] == [["GET /v1/models"]] * len(servers)
    assert [(each.url, each.server and each.server.server, each.is_used) for each in found.servers] == [
        (urls[0], ServerKind.LLAMA_SWAP, True),
        (urls[1], ServerKind.VLLM, False),
        (urls[2], None, False),
    ]
    assert tomllib.loads(found.setting)["hosts"] == [
        {"url": urls[0], "name": "mine", "api_key_file": "/k"},
        urls[1],
        urls[2],
    ]


async def test_nothing_is_offered_where_nothing_answers() -> None:
    async with serving(always(HTML)) as server:
        found = await discover([], [int(server.url.rpartition(":")[2])])
        assert (found.servers, found.setting) == ((), "")
