"""``llmstack start``, ``pin`` and ``chat`` while a card is too hot, and over the limit of loaded models."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.structs import replace
from llmstack_tui.cli import stacks
from llmstack_tui.cli.main import build_parser
from llmstack_tui.cli.output import Failed
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import GuardSettings, Settings
from llmstack_tui.core.open import Core
from llmstack_tui.hardware.readings import Throttle
from llmstack_tui.hosts.errors import Refused
from tests.support.fake_ollama import fake_ollama
from tests.support.machine import FakeMachine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path
    from typing import Literal

    from llmstack_tui.core.options import StackOptions
    from tests.support.fake_ollama import FakeOllama

ONE = GuardSettings(max_loaded=1, idle_stop=timedelta(0))


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "LOOKS_APART_S", 0.05)


class CoreOnMachine(Core):
    """A core on that machine, which remembers in a folder of its own."""

    def __init__(self, settings: Settings, machine: FakeMachine, state_file: Path) -> None:
        super().__init__(settings, {})
        self._machine, self._state_file = machine, state_file

    async def options(self, hosts: Sequence[str], actor: Actor = Actor.USER) -> StackOptions:
        options = await super().options(hosts, actor)
        return replace(options, machine=self._machine, state_file=self._state_file, model_folders=tuple)


@asynccontextmanager
async def core(
    tmp_path: Path, guard: GuardSettings, *throttles: Throttle
) -> AsyncIterator[tuple[Core, FakeOllama]]:
    """A core over one server that has ``a:1`` and ``b:1``."""
    async with fake_ollama(a_1="a", b_1="b") as (fake, server):
        settings = Settings(hosts=(HostSettings(url=server.url, allow="act"),), guard=guard)
        yield CoreOnMachine(settings, FakeMachine(*throttles), tmp_path / "state.db"), fake


async def run(core: Core, *words: str) -> int:
    options = build_parser().parse_args(words)
    code: int = await options.run(core, options)
    return code


# Each way by which a command loads a model.
LOADS = [("start", "b:1"), ("pin", "b:1"), ("chat", "b:1", "Why?")]


@pytest.mark.parametrize("words", LOADS)
async def test_nothing_is_loaded_while_a_card_is_too_hot(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with core(tmp_path, ONE, Throttle.HEAT) as (hot, fake):
        with pytest.raises(Refused, match="throttled_at"):
            await run(hot, *words)
        assert fake.loaded == []


async def test_where_nothing_is_guarded_heat_is_no_reason(tmp_path: Path) -> None:
    async with core(tmp_path, GuardSettings(enabled=False), Throttle.HEAT) as (hot, fake):
        assert await run(hot, "start", "b:1") == 0
        assert fake.loaded == ["b:1"]


@pytest.mark.parametrize(("over_limit", "loaded"), [("refuse", ["a:1"]), ("stop", ["b:1"]), ("ask", ["a:1"])])
async def test_over_the_limit_the_settings_decide(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    over_limit: Literal["refuse", "stop", "ask"],
    loaded: list[str],
) -> None:
    settings = GuardSettings(max_loaded=1, idle_stop=timedelta(0), over_limit=over_limit, others=True)
    async with core(tmp_path, settings) as (limited, fake):
        fake.load("a:1")
        if over_limit == "refuse":
            for words in (LOADS[0], LOADS[2]):
                with pytest.raises(Refused, match="too_many"):
                    await run(limited, *words)
        elif over_limit == "ask":
            # Nobody can be asked, so it is told.
            for words in (*LOADS, ("start", "b:1", "--json")):
                with pytest.raises(Failed, match=r"limit is 1\..* a:1 would be unloaded: --make-room"):
                    await run(limited, *words)
        else:
            assert await run(limited, "start", "b:1") == 0
        assert fake.loaded == loaded
    assert capsys.readouterr().err == ""


async def test_without_a_question_chat_makes_room_as_start_does(tmp_path: Path) -> None:
    async with core(tmp_path, replace(ONE, over_limit="stop", others=True)) as (limited, fake):
        fake.load("a:1")
        assert await run(limited, "chat", "b:1", "Why?") == 0
        assert fake.loaded == ["b:1"]


async def test_a_chat_with_what_is_loaded_is_no_load(tmp_path: Path) -> None:
    async with core(tmp_path, replace(ONE, over_limit="refuse"), Throttle.HEAT) as (limited, fake):
        fake.load("a:1")
        fake.load("b:1")
        assert await run(limited, "chat", "b:1", "Why?") == 0
        assert fake.loaded == ["a:1", "b:1"]


@pytest.mark.parametrize("words", LOADS)
async def test_over_the_limit_room_is_made_if_that_was_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with core(tmp_path, ONE) as (limited, fake):
        fake.load("a:1")
        assert await run(limited, *words, "--make-room") == 0
        assert fake.loaded == ["b:1"]


async def test_what_cannot_make_room_is_named(tmp_path: Path) -> None:
    async with core(tmp_path, ONE) as (limited, fake):
        assert await run(limited, "pin", "a:1") == 0
        with pytest.raises(Failed, match=r"Pinned: a:1\. Nothing else can be unloaded"):
            await run(limited, "start", "b:1", "--make-room")
        assert fake.loaded == ["a:1"]


@pytest.mark.parametrize(
    ("words", "said", "loaded"),
    [
        (LOADS[0], "y\n", ["b:1"]),
        (LOADS[0], "a\n", ["a:1", "b:1"]),
        (LOADS[0], "\n", ["a:1"]),
        (LOADS[1], "a\n", ["a:1", "b:1"]),
        (LOADS[2], "y\n", ["b:1"]),
        (LOADS[2], "a\n", ["a:1", "b:1"]),
        (LOADS[2], "what?\n", ["a:1"]),
    ],
)
async def test_on_a_terminal_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str, loaded: list[str]
) -> None:
    async with core(tmp_path, ONE) as (limited, fake):
        fake.load("a:1")
        answering(monkeypatch, said)
        if loaded == ["a:1"]:
            with pytest.raises(Failed, match="Nothing was loaded"):
                await run(limited, *words)
        else:
            assert await run(limited, *words) == 0
        assert fake.loaded == loaded


@pytest.mark.parametrize(("said", "loaded"), [("y\n", ["a:1", "b:1"]), ("\n", ["a:1"])])
async def test_on_a_terminal_it_is_asked_too_where_nothing_can_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, loaded: list[str]
) -> None:
    async with core(tmp_path, ONE) as (limited, fake):
        assert await run(limited, "pin", "a:1") == 0
        answering(monkeypatch, said)
        if said == "\n":
            with pytest.raises(Failed, match="Nothing was loaded"):
                await run(limited, "start", "b:1")
        else:
            assert await run(limited, "start", "b:1") == 0
        assert fake.loaded == loaded


def answering(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """A person at a terminal says this."""
    answers = StringIO(said)
    monkeypatch.setattr(answers, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", answers)


async def test_below_the_limit_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with core(tmp_path, ONE) as (limited, fake):
        assert await run(limited, "start", "b:1") == 0
        assert fake.loaded == ["b:1"]
    assert capsys.readouterr().err == ""
