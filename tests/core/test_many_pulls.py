"""Twenty pulls at once, of a server of many models: little is told and written, however much is said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstack_tui.core import Stack
from llmstack_tui.downloads.types import DownloadState
from llmstack_tui.ollama.client import OllamaHost
from tests.support.many_pulls import many_pulls, model_name
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import pytest

    from llmstack_tui.downloads.types import Download
    from llmstack_tui.store.tables.downloads import DownloadRow

MODELS, PULLS, LINES = 1_000, 20, 4_000


async def test_what_servers_say_is_told_and_written_a_few_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        many_pulls(MODELS) as (fake, server),
        Stack([OllamaHost(server.url)], parallel_pulls=PULLS, installed_every_s=60) as stack,
    ):
        names = [model_name(number) for number in range(PULLS)]
        await stack.downloads.update(server.url, names)

        def all_move() -> bool:
            downloads = stack.state.downloads
            return len(downloads) == PULLS and all(
                each.state is DownloadState.RUNNING and each.completed for each in downloads
            )

        await wait_until(all_move, 60)
        runner = stack.downloads._runner
        told: list[tuple[Download, ...]] = []
        written: list[DownloadRow] = []
        tell, save = runner._on_change, runner._save

        def tell_and_count(downloads: tuple[Download, ...]) -> None:
            told.append(downloads)
            tell(downloads)

        def save_and_count(row: DownloadRow) -> None:
            written.append(row)
            save(row)

        monkeypatch.setattr(runner, "_on_change", tell_and_count)
        monkeypatch.setattr(runner, "_save", save_and_count)
        fake.every_s = 0.02
        begin, before = time.monotonic(), fake.lines
        await wait_until(lambda: fake.lines - before >= LINES, 60)
        # Four times a second, and once for each pull; on a slow machine they only grow fewer.
        took_s = time.monotonic() - begin
        assert 1 <= len(told) <= took_s / 0.25 + 2
        assert PULLS <= len(written) <= PULLS * (took_s + 2)
        # And what is told is as it is.
        done = {each.model: each.completed for each in stack.state.downloads}
        await wait_until(lambda: all(each.completed > done[each.model] for each in stack.state.downloads))
