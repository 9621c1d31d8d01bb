"""What the dashboard says of its servers."""

from __future__ import annotations

from datetime import UTC, datetime

from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.structs import replace
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.state import StackState
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import BadStream, Unreachable
from llmstack_tui.hosts.types import Snapshot
from llmstack_tui.tui.draw import servers as status
from llmstack_tui.tui.view import Moment, View
from llmstack_tui.tui.widgets.header import ServerLine
from tests.support import seeded
from tests.tui.driving import USUAL_KEYS

REFUSED = Unreachable(
    "quoted",
    text="No server answers at http://127.0.0.1:11434. Start it.",
    host=seeded.URL,
    detail="connection refused",
)
NEVER_READ = Snapshot(url=seeded.URL, capabilities=seeded.ALL)


def view(state: StackState | None, at_s: float = 1012.0) -> View:
    return View(state, Moment(datetime.now(UTC), at_s), USUAL_KEYS)


def shown_servers(state: StackState) -> tuple[ServerLine, ...]:
    return status.header_line(view(state), Settings(), read_only=False).servers


def test_the_header_names_kind_version_and_address() -> None:
    assert shown_servers(seeded.typical()) == (ServerLine("Ollama", "127.0.0.1:11434", True, "0.24.0"),)
    builtin = seeded.state(seeded.snapshot(kind=HostKind.BUILTIN))
    assert shown_servers(builtin) == (ServerLine("Built-in engine", "127.0.0.1:11434", True, "0.1.0"),)


def test_a_server_that_was_not_asked_yet_is_neither_here_nor_away() -> None:
    assert shown_servers(seeded.state(NEVER_READ)) == (ServerLine("Server", "127.0.0.1:11434", None),)
    failed = replace(NEVER_READ, error=REFUSED)
    assert shown_servers(seeded.state(failed)) == (ServerLine("Server", "127.0.0.1:11434", False),)


def test_no_banner_while_all_is_well() -> None:
    assert status.banner(view(seeded.typical()), restart=False) == ""
    assert status.banner(view(None), restart=False) == ""


def test_the_banner_says_why_and_how_old_the_figures_are() -> None:
    away = seeded.state(replace(seeded.snapshot(), error=REFUSED))
    assert status.banner(view(away), restart=False) == (
        "Ollama at 127.0.0.1:11434 is not reachable (connection refused). Trying again. "
        "The figures are 12 s old."
    )
    named = status.banner(view(away), restart=False, names={seeded.URL: "GPU [bold]box"})
    assert named.startswith("GPU [bold]box is not reachable (connection refused).")
    assert status.banner(view(away), restart=True).endswith("Press r to start the engine again.")


def test_the_banner_counts_down_to_the_next_try() -> None:
    away = seeded.state(replace(seeded.snapshot(), error=REFUSED, retry_at=1020.0))
    assert "Next try in 8 s. The figures are 12 s old." in status.banner(view(away), restart=False)
    assert "Next try in 1 s. The figures are 20 s old." in status.banner(view(away, 1019.9), restart=False)
    assert "Trying again. The figures are 20 s old." in status.banner(view(away, 1020.0), restart=False)


def test_a_server_that_answers_but_not_as_one_is_not_called_unreachable() -> None:
    wrong = BadStream(
        "quoted", text=f"An answer from {seeded.URL} was not understood: it is a web page.", host=seeded.URL
    )
    away = seeded.state(replace(seeded.snapshot(), error=wrong))
    text = status.banner(view(away), restart=False, names={seeded.URL: "GPU box"})
    assert text == f"GPU box: {words(wrong)} Trying again. The figures are 12 s old."
    assert (
        status.banner(view(away), restart=False) == f"{words(wrong)} Trying again. The figures are 12 s old."
    )


def test_a_server_that_never_answered_has_no_figures() -> None:
    never = seeded.state(replace(NEVER_READ, error=REFUSED))
    assert status.banner(view(never), restart=False) == (
        "No server answers at http://127.0.0.1:11434. Start it. Trying again."
    )
    assert status.message(view(never), status.ConnectionProgress(""))[0] == "No answer yet."


def test_the_wait_for_a_first_list_counts_its_seconds() -> None:
    slow = view(seeded.state(NEVER_READ))
    assert (
        status.message(slow, status.ConnectionProgress("Reading the list…", 1000.0))[0]
        == "Reading the list…  12 s"
    )


def test_several_servers_that_are_away_are_each_named() -> None:
    hosts = tuple(
        seeded.state(replace(seeded.snapshot(url=f"http://10.0.0.{n}:11434"), error=REFUSED)).hosts[0]
        for n in (1, 2)
    )
    text = status.banner(view(StackState(hosts)), restart=False, names={"http://10.0.0.2:11434": "GPU box"})
    assert text == (
        "10.0.0.1:11434 is not reachable (trying again, figures 12 s old). "
        "GPU box is not reachable (trying again, figures 12 s old)."
    )


def test_an_empty_list_says_what_to_do() -> None:
    assert status.message(view(seeded.state(seeded.snapshot())), status.ConnectionProgress("")) == (
        "No models here yet.",
        "Press p to pull one by its name, or to import a GGUF file.",
        "Press 3 for models worth having.",
    )


def test_a_list_that_was_empty_when_its_server_went_says_so() -> None:
    gone = view(seeded.state(replace(seeded.snapshot(), error=REFUSED)))
    assert status.message(gone, status.ConnectionProgress("")) == (
        "No models were here when the server last answered.",
        "Press r to try again now, q to leave.",
    )


def test_a_wait_counts_its_seconds() -> None:
    assert status.message(view(None), status.ConnectionProgress("Looking…", 1011.0)) == ("Looking…",)
    assert status.message(view(None), status.ConnectionProgress("Looking…", 1000.0)) == ("Looking…  12 s",)
    assert status.message(view(None), status.ConnectionProgress("Nothing.")) == ("Nothing.",)


def test_addresses_are_short_where_nothing_is_lost() -> None:
    assert status.address("http://127.0.0.1:11434") == "127.0.0.1:11434"
    assert status.address("https://models.example") == "https://models.example"
    assert status.address("http://models.example/ollama") == "http://models.example/ollama"


def test_the_farewell_is_for_an_engine_that_may_stay() -> None:
    model = seeded.model("a:latest")
    idle = seeded.state(seeded.snapshot((model,), (seeded.running(model),), kind=HostKind.BUILTIN))
    busy = seeded.state(
        seeded.snapshot((model,), (seeded.running(model, requests=1),), kind=HostKind.BUILTIN)
    )
    assert "llmstack engine stop" in status.farewell(idle, seeded.URL)
    assert "answering" not in status.farewell(idle, seeded.URL)
    assert "It is answering a request." in status.farewell(busy, seeded.URL)
    assert status.farewell(idle, "http://127.0.0.1:1") == ""
    assert status.farewell(seeded.state(seeded.snapshot((model,))), seeded.URL) == ""
    assert status.farewell(None, seeded.URL) == ""
