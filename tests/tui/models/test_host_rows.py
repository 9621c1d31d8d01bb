"""Several hosts in one list: their lines, and how they are folded."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from llmstack_tui.base.structs import replace
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.state import HostState, StackState
from llmstack_tui.hosts.errors import NoTunnel, Unreachable
from llmstack_tui.tui.draw.marks import UNICODE
from llmstack_tui.tui.models.arrangement import (
    HostRow,
    ModelColumn,
    ModelOrder,
    active_count,
    host_rows,
    listed_rows,
    matching,
)
from llmstack_tui.tui.models.rows import Rows
from llmstack_tui.tui.models.suggestions import HintRow
from llmstack_tui.tui.view import Moment
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from llmstack_tui.hosts.errors import HostError
    from llmstack_tui.hosts.types import Snapshot

NOW = Moment(datetime.now(UTC), 1000.0)
BOX, FAR = "http://gpu-box:11434", "https://far.example.com"
SETTINGS = Settings(hosts=(HostSettings(url=seeded.URL), HostSettings(url=BOX, name="The box")))


def hosts(*snapshots: Snapshot) -> StackState:
    return StackState(tuple(HostState(each, seeded.models_of(each)) for each in snapshots))


def three() -> StackState:
    """One here, one that is called something, and one that is away."""
    here = replace(seeded.typical().hosts[0].snapshot, latency_s=0.0123)
    models = tuple(map(seeded.model, ("big:70b", "a:7b")))
    box = replace(seeded.snapshot(models, (seeded.running(models[0]),), url=BOX), latency_s=0.25)
    far = seeded.snapshot((seeded.model("x:1b"),), url=FAR)
    return hosts(here, box, replace(far, error=Unreachable("quoted", text="No.", host=FAR), latency_s=0.1))


def told(state: StackState, **also: object) -> tuple[HostRow, ...]:
    return host_rows(state, Rows().make(state, NOW, UNICODE), names={BOX: "The box"}, **also)  # type: ignore[arg-type]


def drawn(desk: FakeDesk) -> list[str]:
    """The lines of the list: hosts by their URL, models by their name."""
    lines = (line for line in desk.app.models.list.rows if not isinstance(line, HintRow))
    return [line.url if isinstance(line, HostRow) else line.name for line in lines]


def test_one_host_has_no_line() -> None:
    assert told(seeded.typical()) == ()


def test_a_host_is_told_with_what_matters_most_first() -> None:
    here, box, far = told(three(), look_only={BOX})
    assert (here.name, here.reachable, here.trouble) == ("127.0.0.1:11434", True, "")
    assert here.facts == ("7 models, 2 active", "Ollama 0.24.0", "12 ms")
    assert box.name == "The box"
    assert box.facts == ("2 models, 1 active", "read-only", "Ollama 0.24.0", "250 ms", "gpu-box:11434")
    assert (far.name, far.reachable, far.trouble) == (FAR, False, "not reachable")
    assert far.facts == ("1 model, 0 active", "Ollama 0.24.0")


def test_a_host_that_was_not_asked_yet_says_so_and_one_without_models_too() -> None:
    new = replace(seeded.snapshot(url=BOX), read_at=None, server=None)
    box, empty = told(hosts(new, seeded.snapshot(url=FAR)))
    assert (box.reachable, box.trouble, box.facts) == (None, "no answer yet", ("gpu-box:11434",))
    assert empty.facts[0] == "no models"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "<1 ms"), (0.0016, "2 ms"), (0.9996, "1.0 s"), (2.34, "2.3 s")]
)
def test_latencies(seconds: float, text: str) -> None:
    state = three()
    host = state.hosts[0]
    slow = replace(host, snapshot=replace(host.snapshot, latency_s=seconds))
    assert told(StackState((slow, *state.hosts[1:])))[0].facts[-1] == text


def test_names_of_one_process_count_once_and_say_whose_it_is() -> None:
    one = seeded.model("one:latest")
    two = replace(one, name="two:latest")
    state = hosts(seeded.snapshot((one, two), (seeded.running(one),)))
    rows = Rows().make(state, NOW, UNICODE)
    assert [row.word for row in rows] == ["active", "with one:latest"]
    assert [row.pin for row in rows] == ["≡", "≡"]
    assert rows[1].memory == ""
    assert active_count(rows) == 1


def test_each_host_is_sorted_for_itself() -> None:
    state = three()
    rows = Rows().make(state, NOW, UNICODE)
    found = listed_rows(rows, told(state), ModelOrder(ModelColumn.NAME), folded={seeded.URL})
    assert [each.name for each in found] == [
        "127.0.0.1:11434", "The box", "a:7b", "big:70b", FAR, "x:1b",
    ]  # fmt: skip
    assert [each.folded for each in found if isinstance(each, HostRow)] == [True, False, False]


def test_hosts_without_anything_that_was_looked_for_are_left_out() -> None:
    state = three()
    found = matching(Rows().make(state, NOW, UNICODE), "big")
    assert [each.key for each in listed_rows(found, told(state), ModelOrder(), only_found=True)] == [
        (BOX, ""),
        (BOX, "big:70b"),
    ]


async def test_it_begins_on_a_model_and_the_lines_of_hosts_can_be_reached() -> None:
    async with dashboard(three(), settings=SETTINGS) as desk:
        assert desk.app.models.selected == (seeded.URL, "qwen2.5-coder:7b")
        assert "Models  10, 3 active" in desk.text
        await desk.press("k")
        assert desk.app.models.list.model is None
        assert desk.app.models.selected_host == seeded.URL


async def test_keys_fold_and_unfold() -> None:
    async with dashboard(three(), settings=SETTINGS) as desk:
        models = desk.app.models.list
        await desk.press("j", "j", "left")
        assert models.cursor == 0
        await desk.press("left")
        assert drawn(desk) == [seeded.URL, BOX, "big:70b", "a:7b", FAR, "x:1b"]
        assert "▸ ● 127.0.0.1:11434  7 models, 2 active" in desk.text
        await desk.press("j", "enter")
        assert drawn(desk) == [seeded.URL, BOX, FAR, "x:1b"]
        assert "Models  10, 3 active" in desk.text
        await desk.press("right", "right")
        assert desk.app.models.selected == (BOX, "big:70b")
        await desk.press("right", "k", "right", "k", "k", "right")
        assert len(drawn(desk)) == 13


async def test_a_click_on_a_host_folds_it_and_on_a_model_does_not() -> None:
    async with dashboard(three(), settings=SETTINGS) as desk:
        await desk.pilot.click("#models", offset=(10, 8))
        await desk.pilot.pause()
        assert desk.app.models.selected_host == BOX
        assert drawn(desk)[8:] == [BOX, FAR, "x:1b"]
        await desk.pilot.click("#models", offset=(10, 3))
        assert len(drawn(desk)) == 11


async def test_keys_of_models_do_nothing_on_the_line_of_a_host() -> None:
    async with dashboard(three(), settings=SETTINGS) as desk:
        await desk.press("k")
        await desk.press("a", "d", "x", "space", "escape")
        assert desk.stack.acts == []
        assert len(desk.app.screen_stack) == 1
        await desk.press("left", "j", "y")
        assert desk.app.clipboard == f"{BOX}/v1"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (None, "connecting through SSH"),
        (NoTunnel("quoted", text="Lost.", host="ssh://box"), "no SSH connection"),
        (Unreachable("quoted", text="Off.", host="ssh://box"), "not reachable"),
    ],
)
def test_a_server_over_ssh_says_what_its_connection_does(error: HostError | None, says: str) -> None:
    far = replace(seeded.snapshot((), url="ssh://box"), read_at=None, error=error)
    row = next(each for each in told(hosts(far, seeded.snapshot((), url=BOX))) if each.name == "ssh://box")
    assert row.trouble == says


async def test_for_a_server_over_ssh_the_command_is_copied_that_opens_it_to_others() -> None:
    far = seeded.snapshot((seeded.model("x:1b"),), url="ssh://ada@box:22?server=127.0.0.1:80")
    async with dashboard(hosts(far), settings=SETTINGS) as desk:
        await desk.press("y")
        assert desk.app.clipboard == "ssh -N -L 80:127.0.0.1:80 -p 22 ada@box"
        await wait_until(lambda: "http://127.0.0.1:80/v1" in desk.text)


async def test_what_is_found_is_shown_also_in_a_host_that_is_folded() -> None:
    async with dashboard(three(), settings=SETTINGS) as desk:
        await desk.press("left", "left", "slash")
        await desk.type("phi")
        await wait_until(lambda: drawn(desk) == [seeded.URL, "phi4:14b"])
        assert "Models  1 of 10" in desk.text
        await desk.press("enter", "escape")
        assert drawn(desk)[:2] == [seeded.URL, BOX]


async def test_a_model_that_is_wanted_is_unfolded() -> None:
    async with dashboard(three(), settings=SETTINGS) as desk:
        await desk.press("left", "left")
        desk.app.select(seeded.URL, "phi4:14b")
        assert desk.app.models.selected == (seeded.URL, "phi4:14b")


async def test_the_order_and_the_folds_are_remembered() -> None:
    stack = FakeStack(three())
    async with dashboard(services=FakeServices(stack), settings=SETTINGS) as desk:
        await desk.press("o", "O", "left", "left")
        assert len(drawn(desk)) == 6
    async with dashboard(services=FakeServices(stack), settings=SETTINGS) as desk:
        await wait_until(lambda: drawn(desk) == [seeded.URL, BOX, "big:70b", "a:7b", FAR, "x:1b"])
        assert "Name ▼" in desk.text


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("unicode", [True, False])
async def test_lines_of_hosts_fit_every_size(size: tuple[int, int], unicode: bool) -> None:
    for name in ("[bold]x[/red]" * 30, "نموذج" * 60, "🦙" * 300, "\x1b[31m" * 60):
        settings = Settings(hosts=(HostSettings(url=BOX, name=name[:40]),))
        models = tuple(seeded.model((each * 300)[:300]) for each in (name, "ن", "👨‍👩‍👧", "[bold]", "\x07"))
        state = hosts(seeded.snapshot(models), seeded.snapshot(models, url=BOX))
        async with dashboard(state, size=size, unicode=unicode, settings=settings) as desk:
            shown = desk.app.models.list
            inner = shown.scrollable_content_region.width
            assert {cell_len(shown.render_line(y).text) for y in range(shown.size.height)} == {inner}
            assert "\x1b" not in desk.text


def _tick(maker: Rows, state: StackState, monotonic_s: float) -> float:
    """Seconds of the processor that it takes to find out what is listed."""
    began = time.thread_time()
    rows = maker.make(state, Moment(NOW.now, monotonic_s), UNICODE)
    listed_rows(matching(rows, ""), host_rows(state, rows, names={}), ModelOrder(ModelColumn.SIZE))
    return time.thread_time() - began


def _took_s(state: StackState) -> float:
    """One tick in which nothing is new: the least of several."""
    maker = Rows()
    _tick(maker, state, 999.0)
    return min(_tick(maker, state, 1000.0 + second) for second in range(8))


def test_a_tick_in_which_nothing_is_new_costs_little() -> None:
    def of(count: int) -> StackState:
        names = [f"model-{number:04}:latest" for number in range(count)]
        return hosts(
            *(seeded.snapshot(tuple(map(seeded.model, names)), url=url) for url in (seeded.URL, BOX, FAR))
        )

    few, many = _took_s(of(100)), _took_s(of(1000))
    assert few < 0.005
    # Ten times as many, and some more for memory that is farther away.
    assert many < 30 * few
