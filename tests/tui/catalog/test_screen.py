"""The catalog on the screen: found, sorted, opened, and pulled.

Over fakes are a machine with a card, several hosts, and a registry that is slow to answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog import service
from llmstack_tui.catalog.rules import EntryFit
from llmstack_tui.catalog.service import load_catalog
from llmstack_tui.catalog.types import EntryKind, Use
from llmstack_tui.config.settings import Settings
from llmstack_tui.registry.errors import RegistryUnreachable
from llmstack_tui.tui.catalog.list import CatalogColumn, CatalogOrder, CatalogQuery, catalog_rows, make_shelf
from llmstack_tui.tui.downloads.actions import offer_text
from tests.support import seeded
from tests.support.catalogs import catalog_of
from tests.support.registry import Fault
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard, real_dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.catalog.entry import EntryScreen
    from llmstack_tui.tui.catalog.screen import CatalogScreen
    from tests.support.registry import Registry
    from tests.tui.driving import Desk

SHELF = make_shelf(load_catalog())
CODER = "qwen2.5-coder:7b"


def state() -> StackState:
    """On a machine with a card of 8 GB."""
    return seeded.on_card(seeded.typical())


async def opened(desk: Desk, first: str = CODER) -> CatalogScreen:
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
    there, back = (
        names(order=CatalogOrder(column, reverse), budget=8_000_000_000) for reverse in (False, True)
    )
    assert {*there} == {*back} == {entry.name for entry in SHELF.catalog.entries}
    assert there != back


def test_the_smallest_download_comes_first_and_the_unknown_last() -> None:
    sizes = {entry.name: entry.file.bytes if entry.file else None for entry in SHELF.catalog.entries}
    listed = [sizes[name] for name in names(order=CatalogOrder(CatalogColumn.DOWNLOAD))]
    known = [size for size in listed if size is not None]
    assert listed == sorted(known) + [None] * (len(listed) - len(known))
    for reverse in (False, True):
        rows = catalog_rows(SHELF, CatalogQuery(order=CatalogOrder(CatalogColumn.SPEED, reverse)))
        unknown = [row.figures[CatalogColumn.SPEED] is None for row in rows]
        assert unknown == sorted(unknown)


def test_the_kind_has_what_runs_in_both_places() -> None:
    local, cloud, both = (set(names(kind=kind)) for kind in EntryKind)
    assert (
        local & cloud
        == both
        == {entry.name for entry in SHELF.catalog.entries if entry.kind is EntryKind.BOTH}
    )
    assert local | cloud == set(names())


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
        await desk.press("c", "c")
        await desk.until_shown(", code, cloud", "tags of 2026-08-22")
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
        await desk.until_shown(", by download")
        await desk.press("O")
        largest_first = names(order=CatalogOrder(CatalogColumn.DOWNLOAD, reverse=True))
        await wait_until(lambda: [row.key for row in screen.list.rows] == largest_first)


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
    async with real_dashboard(settings=Settings(read_only=True)) as desk:
        await opened(desk)
        await desk.press("p")
        await desk.until_shown("read-only.")
        assert "/api/pull" not in {path for path, _ in desk.ollama.asked}


async def test_an_entry_lists_what_its_registry_has_and_pulls_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.publish("library/tiny", b"w" * 9_000)
    registry.publish("library/tiny:7b", b"w" * 77_000, pushed_at_s=1_759_492_800)
    registry.publish("library/tiny:[/red]bad", b"w")
    name = registry.listed("library/tiny")
    monkeypatch.setattr(service, "load_catalog", lambda: catalog_of(name, version.size))
    async with real_dashboard() as desk:
        await opened(desk, "a test")
        await desk.press("enter")
        await desk.until_shown("Variants", "Tags of the registry: 1")
        screen: EntryScreen = desk.app.screen  # type: ignore[assignment]
        other = registry.listed("library/tiny:7b")
        screen.list.move_to(other)
        await desk.until_shown("77 kB", "2025-10-03")
        assert "bad" not in desk.text
        await desk.press("p")
        await desk.until_shown("Download ", "77 kB to download")
        await desk.press("enter")  # "Not now" has the focus
        await wait_until(lambda: desk.app.screen is screen)
        assert other not in desk.ollama.installed
        await desk.press("p")
        await desk.until_shown("Download ")
        await desk.press("right", "enter")
        await wait_until(lambda: other in desk.ollama.installed)
        await desk.until_shown("is in the queue")


async def test_a_registry_that_fails_is_a_sentence_and_is_asked_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = registry.listed("library/tiny")
    monkeypatch.setattr(service, "load_catalog", lambda: catalog_of(name, 9_000))
    registry.faults.append(Fault(status=401, body=b""))
    async with real_dashboard() as desk:
        await opened(desk, "a test")
        await desk.press("enter")
        await desk.until_shown("does not show", "F16")
        registry.faults.clear()
        registry.publish("library/tiny", b"w" * 9_000)
        await desk.press("r")
        await wait_until(lambda: "does not show" not in desk.text)


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
    by_download, largest_first = (
        names(order=CatalogOrder(CatalogColumn.DOWNLOAD, reverse)) for reverse in (False, True)
    )
    for before, keys, after in (
        (names(), ("o", "o", "o", "O"), largest_first),
        # What is chosen now is kept from now on.
        (largest_first, ("O",), by_download),
        (by_download, (), by_download),
    ):
        async with real_dashboard() as desk:
            screen = await opened(desk, before[0])
            await wait_until(lambda: [row.key for row in screen.list.rows] == before)  # noqa: B023
            await desk.press(*keys)
            await wait_until(lambda: [row.key for row in screen.list.rows] == after)  # noqa: B023


@pytest.mark.parametrize("remembered", [{"column": "colour"}, [], None, {"reverse": "yes"}])
async def test_an_order_that_is_none_is_forgotten(remembered: object) -> None:
    services = FakeServices(FakeStack(state()))
    services.stack.remembered["catalog.order"] = remembered
    async with dashboard(services=services) as desk:
        screen = await opened(desk)
        assert [row.key for row in screen.list.rows] == names()
