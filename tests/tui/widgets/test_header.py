"""The top line at every width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import EngineSettings, Settings
from llmstack_tui.core import wording
from llmstack_tui.hardware.profile import detect
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.widgets.header import HeaderLine, ServerLine, header_content
from tests.support import seeded
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from llmstack_tui.tui.draw.marks import Marks

OLLAMA = ServerLine("Ollama", "127.0.0.1:11434", True, "0.24.0")
ONE = HeaderLine(servers=(OLLAMA,), profile="nvidia_8gb", limit=2, notes=("read-only",), clock="12:01")
THREE = replace(
    ONE,
    servers=(
        OLLAMA,
        ServerLine("Ollama", "192.168.1.7:11434", False),
        ServerLine("Built-in engine", "127.0.0.1:11435", None, "0.1.0"),
    ),
)


def text(line: HeaderLine, width: int, marks: Marks = UNICODE) -> str:
    return header_content(line, width, marks).plain


@pytest.mark.parametrize("width", range(60, 201))
@pytest.mark.parametrize("line", [ONE, THREE])
def test_what_matters_most_is_at_every_width(line: HeaderLine, width: int) -> None:
    shown = header_content(line, width, UNICODE)
    assert shown.cell_length == width
    for word in ("llmstack", "read-only", "12:01"):
        assert word in shown.plain
    assert ("not reachable" in shown.plain) == (line is THREE)


def test_it_drops_parts_as_it_gets_narrower() -> None:
    assert text(ONE, 100).split() == [
        *("llmstack", "●", "Ollama", "0.24.0", "127.0.0.1:11434", "read-only"),
        *("nvidia_8gb", "·", "limit", "2", "12:01"),
    ]
    assert "0.24.0" not in text(ONE, 80)
    assert "limit 2" in text(ONE, 80)
    assert "limit" not in text(ONE, 75)
    assert "127.0.0.1:11434" in text(ONE, 60)
    assert "nvidia_8gb" not in text(ONE, 60)


def test_more_servers_than_have_room_are_counted() -> None:
    assert "Ollama  192.168.1.7:11434  not reachable" in text(THREE, 160)
    assert "3 servers  1 not reachable" in text(THREE, 60)
    assert "3 servers  read-only" in text(replace(THREE, servers=(OLLAMA,) * 3, limit=None), 45)


@pytest.mark.parametrize("width", range(12))
def test_no_width_is_too_small(width: int) -> None:
    assert header_content(THREE, width, ASCII).cell_length >= 0
    assert text(THREE, 10, ASCII).isascii()


async def test_the_profile_and_why_it_is_this_one() -> None:
    state = seeded.two_cards()
    profile = detect(state.machine)  # type: ignore[arg-type]
    async with dashboard(replace(state, profile=profile), size=(120, 600)) as desk:
        assert "nvidia_20gb · limit 2" in desk.text.splitlines()[0]
        assert wording.text(profile.reason) in str(desk.app.models.header.tooltip)
        await desk.press("?")
        await desk.until_shown("This machine", "nvidia_20gb. ")


async def test_the_limit_of_the_settings_counts_for_more() -> None:
    state = seeded.two_cards()
    profile = detect(state.machine)  # type: ignore[arg-type]
    settings = Settings(engine=EngineSettings(max_loaded=1))
    async with dashboard(replace(state, profile=profile), settings=settings) as desk:
        assert "nvidia_20gb · limit 1" in desk.text.splitlines()[0]
        assert "The settings allow 1 model loaded at once." in str(desk.app.models.header.tooltip)
