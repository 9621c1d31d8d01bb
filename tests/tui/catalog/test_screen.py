"""The catalog on the screen: found, sorted, opened, and pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.rules import EntryFit
from llmstack_tui.catalog.service import load_catalog
from llmstack_tui.catalog.types import Offer, Use
from llmstack_tui.config.settings import Settings
from llmstack_tui.registry.errors import RegistryUnreachable
from llmstack_tui.tui.catalog.list import CatalogColumn, CatalogOrder, CatalogQuery, catalog_rows, make_shelf
from llmstack_tui.tui.downloads.actions import offer_text
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.catalog.entry import EntryScreen
    from llmstack_tui.tui.catalog.screen import CatalogScreen
    from tests.tui.driving import FakeDesk

SHELF = make_shelf(load_catalog())
CODER = "qwen2.5-coder:7b"


def state() -> StackState:
    """On a machine with a card of 8 GB."""
    return seeded.on_card(seeded.typical())


async def opened(desk: FakeDesk, first: str = CODER) -> CatalogScreen:
    await desk.press("3")
    await desk.until_shown(first, "room for models here")
    screen: CatalogScreen = desk.app.screen  # type: ignore[assignment]
    return screen


def names(**how: object) -> list[str]:
    return [row.key for row in catalog_rows(SHELF, CatalogQuery(**how))]  # type: ignore[arg-type]


def test_what_is_found_has_all_words_and_the_use() -> None:
    assert names(text="coder qwen 7b")[0] == CODER
    assert "mistral:7b" not in names(use=Use.CODE)
    assert {*names(use=Use.EMBEDDING)} == {
        entry.name for entry in SHELF.catalog.entries if Use.EMBEDDING in entry.uses
    }


@pytest.mark.parametrize("column", CatalogColumn)
def test_every_order_has_all_of_them_and_its_reverse(column: CatalogColumn) -> None:
    there, back = names(order=CatalogOrder(column)), names(order=CatalogOrder(column, reverse=True))
    assert {*there} == {*back} == {entry.name for entry in SHELF.catalog.entries}
    assert there != back


def test_the_smallest_download_comes_first_and_the_unknown_last() -> None:
    sizes = {entry.name: entry.file.bytes for entry in SHELF.catalog.entries}
    listed = [sizes[name] for name in names(order=CatalogOrder(CatalogColumn.DOWNLOAD))]
    assert listed == sorted(listed)
    for reverse in (False, True):
        rows = catalog_rows(SHELF, CatalogQuery(order=CatalogOrder(CatalogColumn.SPEED, reverse)))
        unknown = [row.figures[CatalogColumn.SPEED] is None for row in rows]
        assert unknown == sorted(unknown)


def test_what_is_not_known_is_no_no() -> None:
    assert {row.fit for row in catalog_rows(SHELF, CatalogQuery())} == {EntryFit.UNKNOWN}
    rows = {row.key: row for row in catalog_rows(SHELF, CatalogQuery(budget=8_100_000_000))}
    assert (rows[CODER].fits, rows["mistral:7b"].fits, rows["qwen2.5-coder:32b"].fits) == (
        "fits",
        "tight",
        "no",
    )


def test_a_variant_that_is_installed_marks_its_entry() -> None:
    rows = {row.key: row for row in catalog_rows(SHELF, CatalogQuery(installed=SHELF.keys[CODER]))}
    assert rows[CODER].installed
    assert not rows["mistral:7b"].installed


def test_the_speed_is_that_of_the_card_of_this_machine_where_it_is_known() -> None:
    query = CatalogQuery(card="NVIDIA GeForce RTX 3060")
    row = next(row for row in catalog_rows(SHELF, query) if "RTX 3060" in row.speed)
    entry = SHELF.entry(row.key)
    assert entry is not None
    assert any(speed.card == "RTX 3060" for speed in entry.speeds)


async def test_it_is_searched_as_one_types() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        await desk.press("slash")
        await desk.type("embed 3")
        await wait_until(lambda: len(screen.list.rows) < 10)
        assert "Catalog" in desk.text
        assert screen.is_current  # 3 was a letter of the search
        await desk.press("enter", "escape")
        await wait_until(lambda: len(screen.list.rows) == len(SHELF.catalog.entries))
        await desk.press("f", "f")
        await desk.until_shown(", code")
        await desk.press("escape")
        assert screen.is_current
        await desk.press("escape")
        assert desk.app.models.is_current


async def test_a_click_on_a_heading_sorts() -> None:
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        await desk.press("o")
        await desk.pilot.click("Headings", offset=(40, 0))
        smallest_first = names(order=CatalogOrder(CatalogColumn.DOWNLOAD))
        await wait_until(lambda: [row.key for row in screen.list.rows] == smallest_first)
        await desk.press("O")
        await wait_until(lambda: [row.key for row in screen.list.rows] == smallest_first[::-1])


async def test_an_entry_tells_what_its_registry_tells() -> None:
    async with dashboard(state()) as desk:
        await opened(desk)
        desk.stack.catalog.tagged = ("7b", "latest", "[/red]bad", "7b-base")
        desk.stack.catalog.offers["qwen2.5-coder:latest"] = Offer(
            name="qwen2.5-coder:latest", digest="5a", download=77_000_000
        )
        await desk.press("enter")
        await desk.until_shown("Variants", "Q4_K_M", "fits", "Tags of the registry: 2", "2025-10-03")
        screen: EntryScreen = desk.app.screen  # type: ignore[assignment]
        assert "bad" not in desk.text
        screen.list.move_to("qwen2.5-coder:latest")
        await desk.until_shown("77 MB")
        await desk.press("p")
        await desk.until_shown("Download qwen2.5-coder:latest?", "77 MB to download")
        await desk.press("right", "enter")
        await wait_until(lambda: ("pull", seeded.URL, "qwen2.5-coder:latest") in desk.stack.calls)
        await desk.until_shown("is in the queue")


async def test_a_registry_without_a_list_says_where_there_is_one() -> None:
    async with dashboard(state()) as desk:
        await opened(desk)
        await desk.press("enter")
        await desk.until_shown("lists no tags", "https://ollama.com/library/qwen2.5-coder/tags")


async def test_a_registry_that_is_away_is_a_sentence_and_leaving_gives_up() -> None:
    async with dashboard(state()) as desk:
        await opened(desk)
        desk.stack.catalog.gate.clear()
        await desk.press("enter")
        await desk.until_shown("Asking registry.ollama.ai")
        await desk.press("escape")
        await wait_until(lambda: not any(worker.group == "ask" for worker in desk.app.workers))
        desk.stack.catalog.gate.set()
        desk.stack.catalog.failure = RegistryUnreachable("registry.too_late", host="registry.ollama.ai")
        await desk.press("enter")
        await desk.until_shown("registry.ollama.ai did not answer in time.", "Q4_K_M")
        desk.stack.catalog.failure = None
        await desk.press("r")
        await desk.until_shown("lists no tags")


async def test_the_question_names_size_disk_and_memory_and_not_now_is_first() -> None:
    async with dashboard(state()) as desk:
        await opened(desk)
        await desk.press("p")
        await desk.until_shown(
            "4.7 GB to download", "120 GB left, and 115 GB afterwards", "it fits", "installed"
        )
        await desk.press("enter")
        assert not [call for call in desk.stack.calls if call[0] == "pull"]


def test_a_disk_that_is_too_small_is_said() -> None:
    text = offer_text("a", 10**15, "", state(), [seeded.URL, "http://far:11434"])
    assert "that is too little" in text
    assert "other machines" in text
    assert "not known" in offer_text("a", None, "", state(), [seeded.URL])


async def test_of_several_hosts_one_is_chosen_and_none_that_may_not_be() -> None:
    far, look = "http://far:11434", "http://look:11434"
    first = state()
    others = [
        replace(first.hosts[0], snapshot=replace(first.hosts[0].snapshot, url=url)) for url in (far, look)
    ]
    unable = replace(first.hosts[0].snapshot, url="http://un:1", capabilities=~Capability.PULL)
    hosts = (*first.hosts, *others, replace(first.hosts[0], snapshot=unable))
    async with dashboard(replace(first, hosts=hosts)) as desk:
        desk.stack.look_only = frozenset({look})
        await opened(desk)
        await desk.press("p")
        await desk.until_shown("To 127.0.0.1:11434", "To far:11434")
        assert "look:11434" not in desk.text.split("Not now")[1].splitlines()[0]
        await desk.press("right", "right", "enter")
        await wait_until(lambda: ("pull", far, CODER) in desk.stack.calls)


async def test_nothing_is_pulled_where_nothing_may_be_changed() -> None:
    async with dashboard(state(), settings=Settings(read_only=True)) as desk:
        await opened(desk)
        await desk.press("p")
        await desk.until_shown("read-only.")
        assert desk.stack.acts == []


async def test_every_size_in_ascii_too() -> None:
    for size in ((60, 16), (80, 24), (200, 60)):
        async with dashboard(state(), size=size, unicode=False) as desk:
            await opened(desk)
            assert desk.text.isascii()
            await desk.press("enter")
            await desk.until_shown("lists no tags")
            assert desk.text.isascii()
            assert max(map(len, desk.text.splitlines())) <= size[0]


async def test_the_order_is_remembered_from_session_to_session() -> None:
    by_download = names(order=CatalogOrder(CatalogColumn.DOWNLOAD))
    async with dashboard(state()) as desk:
        screen = await opened(desk)
        await desk.press("o", "o", "o")
        await wait_until(lambda: [row.key for row in screen.list.rows] == by_download)
        await desk.press("O")
        remembered = desk.stack.remembered
    services = FakeServices(FakeStack(state()))
    services.stack.remembered = remembered
    async with dashboard(services=services) as desk:
        screen = await opened(desk, by_download[-1])
        assert [row.key for row in screen.list.rows] == by_download[::-1]
        # What is chosen now is kept from now on.
        await desk.press("O")
        await wait_until(lambda: [row.key for row in screen.list.rows] == by_download)
    assert services.stack.remembered["catalog.order"] == {"column": "download", "reverse": False}


@pytest.mark.parametrize("remembered", [{"column": "colour"}, [], None, {"reverse": "yes"}])
async def test_an_order_that_is_none_is_forgotten(remembered: object) -> None:
    services = FakeServices(FakeStack(state()))
    services.stack.remembered["catalog.order"] = remembered
    async with dashboard(services=services) as desk:
        screen = await opened(desk)
        assert [row.key for row in screen.list.rows] == names()
