"""What the dashboard says of newer versions, and the keys for them, over a fake stack."""

from __future__ import annotations

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.wording import text
from llmstack_tui.tui.details.screen import DetailsScreen
from llmstack_tui.tui.updates.screen import UpdatesScreen
from llmstack_tui.updates.programs import Program, Release
from tests.support import outdated, seeded
from tests.support.outdated import CURRENT, NOW, STALE, UNKNOWN
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.fakes import FakeServices, FakeStack

STATE = outdated.judged(seeded.typical())
COLUMN = "↑ 4.1 GB"


def toasts(desk: FakeDesk) -> list[str]:
    return [f"{each.title}: {each.message}" for each in desk.toasts]


async def test_the_list_has_a_column_for_them_only_while_there_are_any() -> None:
    async with dashboard(seeded.typical(), size=(80, 24)) as desk:
        assert "Update" not in desk.text.splitlines()[2]
        desk.stack.put(STATE)
        await desk.until_shown(COLUMN, "Update", "2 updates ↑")
        desk.stack.updates.put(outdated.VERDICTS | {"mistral:7b": CURRENT, "smollm2:135m": CURRENT})
        await wait_until(lambda: "↑" not in desk.text)


async def test_where_the_column_has_no_room_the_mark_stays() -> None:
    async with dashboard(STATE, size=(62, 20)) as desk:
        await desk.until_shown("mistral:7b")
        line = next(line for line in desk.text.splitlines() if "mistral:7b" in line)
        assert "↑" in line
        assert COLUMN not in line


async def test_the_header_counts_them_and_says_that_it_checks() -> None:
    async with dashboard(STATE) as desk:
        assert "2 updates ↑" in desk.text.splitlines()[0]
        desk.stack.put(replace(desk.stack.state, checking=True))
        await desk.until_shown("2 updates ↑  checking…")
        await desk.pilot.click("HeaderBar", offset=(105, 0))
        assert isinstance(desk.app.screen, UpdatesScreen)


async def test_news_are_told_once_in_one_toast_and_never_again() -> None:
    stack = FakeStack(STATE)
    async with dashboard(services=FakeServices(stack)) as desk:
        await wait_until(lambda: len(desk.toasts) == 1)
        (said,) = toasts(desk)
        assert said.startswith("2 newer versions: ")
        assert "mistral:7b: weights, template; 4.1 GB" in said
        assert "smollm2:135m: template, licence; at most 12 kB" in said
        assert "V shows what changed." in said
        stack.updates.put({**outdated.VERDICTS, "phi4:14b": replace(STALE, digest="f" * 64)})
        await wait_until(lambda: len(desk.toasts) == 2)
        assert toasts(desk)[-1].startswith("1 newer version: phi4:14b: ")
    again = FakeStack(stack.state)
    again.remembered = stack.remembered
    async with dashboard(services=FakeServices(again)) as desk:
        await desk.until_shown("3 updates ↑")
        await desk.pilot.pause()
        assert desk.toasts == []
        again.updates.put({**outdated.VERDICTS, "phi4:14b": replace(STALE, digest="e" * 64)})
        await wait_until(lambda: len(desk.toasts) == 1)


async def test_nothing_is_told_while_the_registries_are_asked() -> None:
    async with dashboard(replace(STATE, checking=True)) as desk:
        await desk.until_shown("checking…")
        assert desk.toasts == []
        desk.stack.put(replace(desk.stack.state, checking=False))
        await wait_until(lambda: len(desk.toasts) == 1)


async def test_c_checks_and_says_what_came_of_it() -> None:
    async with dashboard(seeded.typical()) as desk:
        desk.stack.updates.found = {"mistral:7b": CURRENT}
        desk.stack.gate.clear()
        await desk.press("c")
        await desk.until_shown("checking…")
        desk.stack.gate.set()
        await wait_until(lambda: toasts(desk) == ["Checked for updates: Everything is up to date."])
        assert ("check",) in desk.stack.calls
        desk.stack.updates.found = {"mistral:7b": CURRENT, "phi4:14b": UNKNOWN}
        await desk.press("c")
        await wait_until(lambda: any(text(*UNKNOWN.problems) in each for each in toasts(desk)))


async def test_the_screen_lists_them_marks_them_and_leaves_them_alone() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("V")
        await desk.until_shown("Updates  2, at most 4.1 GB", "weights, template", "published 3 days ago")
        await desk.press("i")
        await desk.until_shown("this version is left alone", "Updates  1, 4.1 GB")
        assert desk.stack.acts[-1] == ("leave alone", seeded.URL, "smollm2:135m", "version")
        # The cursor stays on it, although it went down.
        await desk.press("i")
        await desk.until_shown("Updates  2, at most 4.1 GB")
        assert desk.stack.calls[-1] == ("offer again", seeded.URL, "smollm2:135m")
        await desk.press("space", "space", "I")
        await wait_until(lambda: len(desk.stack.acts) == 4)
        assert sorted(desk.stack.acts[-2:]) == [
            ("leave alone", seeded.URL, "mistral:7b", "for good"),
            ("leave alone", seeded.URL, "smollm2:135m", "for good"),
        ]
        await desk.until_shown("left alone, published")
        await desk.press("escape")
        assert "left alone" in desk.text
        await desk.press("escape")
        assert desk.app.screen is desk.app.models


async def test_enter_unfolds_what_is_not_known_and_opens_a_model() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("V", "G", "enter")
        await desk.until_shown("nomic-embed-text:latest")
        await desk.press("enter")
        await wait_until(lambda: "nomic-embed-text:latest" not in desk.text)
        await desk.press("g", "enter")
        assert isinstance(desk.app.screen, DetailsScreen)
        await desk.until_shown("smollm2:135m", "there is a newer version", "template, licence", "3 days ago")


async def test_the_screen_follows_what_is_found_meanwhile() -> None:
    async with dashboard(seeded.typical(), clock=lambda: NOW) as desk:
        await desk.press("V")
        await desk.until_shown("No model was compared with its registry yet.")
        desk.stack.put(STATE)
        await desk.until_shown("mistral:7b", "changed here? asks first")
        desk.stack.put(replace(STATE, downloads=(outdated.coming("mistral:7b"),)))
        await desk.until_shown("↓ 43 %")


async def test_the_pane_says_it_in_words() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("j", "j")
        await desk.until_shown("there is a newer version", "weights, template", "12 min ago")


async def test_u_fetches_what_is_newer_and_says_why_the_rest_is_not() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("j", "j", "u")
        await desk.until_shown("↓ waiting")
        assert desk.stack.acts == [("update", seeded.URL, "mistral:7b")]
        await desk.press("u")
        await wait_until(lambda: any("mistral:7b is on its way already." in each for each in toasts(desk)))
        await desk.press("g", "u")
        await wait_until(
            lambda: any(
                "qwen2.5-coder:7b is up to date (checked 12 min ago)." in each for each in toasts(desk)
            )
        )
        assert len(desk.stack.acts) == 1


async def test_u_says_what_nobody_knows_and_what_is_only_here() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("j", "j", "j", "j", "space", "space", "u")
        await wait_until(lambda: any("nobody knows whether" in each for each in toasts(desk)))
        (said,) = (each for each in toasts(desk) if "nobody knows" in each)
        assert "c checks now" in said
        assert "phi4:14b has no newer version. It was created on its machine." in said
        assert desk.stack.acts == []


async def test_what_was_changed_here_is_replaced_only_after_a_question() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("j", "j", "space", "space", "u")
        await desk.until_shown("Replace llama3.2-vision:11b-instruct-q4_K_M?", "system prompt", "is lost")
        await desk.press("enter")  # keeps it
        await wait_until(lambda: desk.stack.acts == [("update", seeded.URL, "mistral:7b")])
        await desk.press("escape", "g", "j", "j", "j", "u")
        await desk.until_shown("Replace llama3.2-vision")
        await desk.press("right", "enter")
        await wait_until(lambda: len(desk.stack.acts) == 2)
        assert desk.stack.acts[-1] == ("update", seeded.URL, "llama3.2-vision:11b-instruct-q4_K_M")


async def test_all_are_fetched_after_one_question_that_says_what_it_costs() -> None:
    async with dashboard(STATE) as desk:
        await desk.press("U")
        await desk.until_shown(
            "Update 2 models?", "at most 4.1 GB to download", "120 GB are free on the disk", "mistral:7b"
        )
        await desk.press("escape")
        assert desk.stack.acts == []
        await desk.press("U")
        await desk.until_shown("Update 2 models?")
        await desk.press("right", "enter")
        await wait_until(lambda: len(desk.stack.acts) == 2)
        assert {act[2] for act in desk.stack.acts} == {"mistral:7b", "smollm2:135m"}
        await desk.press("U")
        await wait_until(lambda: any("Nothing newer is known." in each for each in toasts(desk)))


async def test_a_disk_that_is_too_small_is_said_before() -> None:
    huge = replace(STALE, download=10**15)
    async with dashboard(outdated.judged(seeded.typical(), **{"mistral:7b": huge})) as desk:
        await desk.press("U")
        await desk.until_shown("Only 120 GB are free")


async def test_the_keys_work_on_the_screen_of_updates_too() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("V", "u")
        await desk.until_shown("↓ waiting")
        assert desk.stack.acts == [("update", seeded.URL, "smollm2:135m")]
        await desk.press("U")
        await desk.until_shown("Update 1 model?")


async def test_read_only_fetches_nothing_and_still_checks() -> None:
    async with dashboard(STATE, settings=Settings(read_only=True)) as desk:
        await desk.press("j", "j", "u", "U")
        await wait_until(lambda: any("read-only" in each for each in toasts(desk)))
        await desk.press("c")
        await wait_until(lambda: desk.stack.acts == [("check",)])


OLLAMA = Release(program=Program.OLLAMA, version="0.30.0", asked_at=NOW)


async def test_a_newer_program_is_a_word_in_the_header_and_a_line_on_the_screen() -> None:
    releases = (OLLAMA, Release(program=Program.LLMSTACK, version="99.0", asked_at=NOW))
    async with dashboard(replace(STATE, releases=releases), size=(140, 40)) as desk:
        assert "Ollama 0.30.0, llmstack 99.0 ↑  2 updates ↑" in desk.text.splitlines()[0]
        await desk.press("V")
        await desk.until_shown(
            "Ollama 0.30.0 is out; 127.0.0.1:11434 has 0.24.0.",
            "ollama.com/download",
            "pip install -U llmstack-tui",
        )


async def test_what_is_not_newer_or_not_known_is_no_word_in_the_header() -> None:
    problem = "api.example did not answer in time."
    releases = (
        replace(OLLAMA, version="0.24.0"),
        Release(program=Program.LLMSTACK, asked_at=NOW, problems=(quoted(problem),)),
    )
    async with dashboard(replace(STATE, releases=releases)) as desk:
        assert "Ollama 0.24.0" in desk.text.splitlines()[0]
        assert desk.text.splitlines()[0].count("↑") == 1
        await wait_until(lambda: len(desk.toasts) == 1)
        assert problem not in toasts(desk)[0]
        await desk.press("V")
        await desk.until_shown(problem)


async def test_a_check_that_finds_news_has_one_toast_and_one_that_finds_them_again_counts_them() -> None:
    async with dashboard(seeded.typical()) as desk:
        desk.stack.updates.found = {"mistral:7b": STALE}
        await desk.press("c")
        await wait_until(lambda: len(desk.toasts) == 1)
        await desk.pilot.pause()
        assert [each.title for each in desk.toasts] == ["1 newer version"]
        await desk.press("c")
        await wait_until(lambda: "Checked for updates: 1 model has a newer version." in toasts(desk))


async def test_what_was_told_is_not_told_again_after_its_host_was_away() -> None:
    stack = FakeStack(STATE)
    async with dashboard(services=FakeServices(stack)) as desk:
        await wait_until(lambda: len(desk.toasts) == 1)
        remembered = dict(stack.remembered)
        # Its models are not judged before the host has listed them.
        stack.updates.put({})
        await wait_until(lambda: "↑" not in desk.text)
        stack.updates.put(outdated.VERDICTS)
        await desk.until_shown("2 updates ↑")
        stack.updates.put(outdated.VERDICTS | {"phi4:14b": replace(STALE, digest="f" * 64)})
        await wait_until(lambda: len(desk.toasts) == 2)
        assert toasts(desk)[-1].startswith("1 newer version: phi4:14b")
        assert stack.remembered != remembered
