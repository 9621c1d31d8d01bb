"""From a state to the lines of the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import StackState
from llmstack_tui.fit.memory import Basis, Estimate
from llmstack_tui.fit.verdict import Fitted, Room, verdict
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.lifecycle.actions import Act, ActKind
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.store.tables.figures import Speed
from llmstack_tui.tui.draw.marks import ASCII, UNICODE
from llmstack_tui.tui.models.rows import ModelRow, Rows
from llmstack_tui.tui.view import Moment
from tests.support import seeded


def now() -> Moment:
    return Moment(datetime.now(UTC), 1000.0)


def rows(state: StackState) -> dict[str, ModelRow]:
    return {row.name: row for row in Rows().make(state, now(), UNICODE)}


def test_an_active_model_has_the_servers_figure_and_its_time() -> None:
    row = rows(seeded.typical())["qwen2.5-coder:7b"]
    assert (row.mark, row.size, row.memory, row.word) == ("●", "4.7 GB", "5.1 GB", "active")
    assert row.leaves in {"4:11", "4:12"}


def test_an_inactive_model_takes_no_memory_and_leaves_never() -> None:
    row = rows(seeded.typical())["mistral:7b"]
    assert (row.mark, row.memory, row.word, row.leaves) == ("○", "", "inactive", "")


def test_a_cloud_model_has_no_size() -> None:
    row = rows(seeded.typical())["gpt-oss:120b-cloud"]
    assert (row.mark, row.size, row.memory, row.word) == ("☁", "", "", "cloud")
    assert row.note == "on ollama.com"


def test_a_model_that_cannot_be_used_has_the_reason_and_needs_no_memory() -> None:
    cut = replace(seeded.model("cut:latest"), unusable=quoted("The manifest is not JSON."))
    state = seeded.state(seeded.snapshot((cut,)))
    estimate = Estimate(total=10**9, basis=Basis.FORMULA, parts=None, context_length=4096)
    fits = {"cut:latest": Fitted(estimate, None)}
    row = rows(StackState((replace(state.hosts[0], fits=fits),)))["cut:latest"]
    assert (row.word, row.note, row.memory) == ("unusable", "The manifest is not JSON.", "")


def test_what_the_server_does_not_say_is_unknown() -> None:
    unknown = seeded.model("unknown:latest", size=None, quantization=None)
    loaded = replace(seeded.running(unknown), size=None, expires_at=None)
    row = rows(seeded.state(seeded.snapshot((unknown,), (loaded,))))["unknown:latest"]
    assert (row.size, row.memory, row.leaves, row.quantization) == ("?", "?", "?", "")


def test_a_busy_model_says_so() -> None:
    assert rows(seeded.typical())["smollm2:135m"].word == "active, busy"


def loaded(**told: object) -> StackState:
    """One loaded model, and what its status says beyond that."""
    model = seeded.model("a:latest")
    host = seeded.state(seeded.snapshot((model,), (seeded.running(model),))).hosts[0]
    return StackState((replace(host, models=(replace(host.models[0], **told),)),))  # type: ignore[arg-type]


def test_an_idle_model_counts_its_time() -> None:
    maker, state = Rows(), loaded(idle_since_s=849.0)
    at = datetime.now(UTC)
    words = [maker.make(state, Moment(at, 1000.0 + s), UNICODE)[0].word for s in (0.0, 0.9, 1.0, 3600.0)]
    assert words == ["idle 2:31", "idle 2:31", "idle 2:32", "idle 1 h 02"]
    # The clock of the machine may stand still in a test, but never goes backwards on the screen.
    assert rows(loaded(idle_since_s=1001.0))["a:latest"].word == "idle 0:00"


def test_an_idle_model_that_nobody_looked_at_before_says_at_least() -> None:
    state = loaded(idle_since_s=849.0, idle_at_least=True)
    assert rows(state)["a:latest"].word == "idle 2:31+"
    assert Rows().make(state, now(), ASCII)[0].word == "idle 2:31+"


def test_of_a_server_that_is_away_nobody_knows_whether_it_idles() -> None:
    host = loaded(idle_since_s=849.0).hosts[0]
    away = replace(host.snapshot, error=Unreachable("quoted", text="No.", host=seeded.URL))
    assert rows(StackState((replace(host, snapshot=away),)))["a:latest"].word == "active"


def test_the_version_is_told_by_its_digest_and_its_day() -> None:
    row = rows(seeded.typical())["mistral:7b"]
    assert (row.digest, row.modified) == (seeded.model("mistral:7b").digest[:8], "2025-10-03")
    for year in (1, 9999):
        of_year = replace(seeded.model("a:latest"), modified_at=datetime(year, 12, 31, 23, 59, tzinfo=UTC))
        assert rows(seeded.state(seeded.snapshot((of_year,))))["a:latest"].modified in {"", "9999-12-31"}


def test_the_speed_is_that_of_this_version() -> None:
    host = loaded().hosts[0]
    digest = host.models[0].model.digest if host.models[0].model else ""

    def speed(rate: float | None, digest: str) -> str:
        timed = Speed(at=now().now, host=seeded.URL, model="a:latest", digest=digest, tokens_per_second=rate)
        return rows(StackState((replace(host, speeds={"a:latest": timed}),)))["a:latest"].speed

    assert [speed(7.25, digest), speed(128.4, digest), speed(1e9, digest)] == ["7.2", "128", "99999"]
    assert [speed(None, digest), speed(7.25, "of another"), speed(7.25, "")] == ["", "", "7.2"]


def test_a_speed_that_was_timed_is_shown_at_the_next_look() -> None:
    maker, state = Rows(), seeded.many(2)
    maker.make(state, now(), UNICODE)
    name = state.hosts[0].models[0].name
    timed = Speed(at=now().now, host=seeded.URL, model=name, tokens_per_second=31.0)
    later = StackState((replace(state.hosts[0], speeds={name: timed}),))
    assert [row.speed for row in maker.make(later, now(), UNICODE)] == ["31.0", ""]


def test_acts_under_way_count_their_seconds() -> None:
    model = seeded.model("a:latest")
    loading = Act(ActKind.ACTIVATE, seeded.URL, model.name, 988.0)
    row = rows(seeded.state(seeded.snapshot((model,)), (loading,)))[model.name]
    assert (row.mark, row.word, row.state) == ("◌", "loading 12s", ModelState.LOADING)
    stopping = Act(ActKind.DEACTIVATE, seeded.URL, model.name, 997.0)
    row = rows(seeded.state(seeded.snapshot((model,), (seeded.running(model),)), (stopping,)))[model.name]
    assert (row.mark, row.word, row.memory) == ("◐", "stopping 3s", "5.1 GB")


def test_a_model_that_is_loaded_under_no_name_is_listed() -> None:
    gone = seeded.running(seeded.model("gone:latest"))
    row = rows(seeded.state(seeded.snapshot((), (gone,))))["gone:latest"]
    assert (row.mark, row.size, row.memory, row.note) == ("●", "?", "5.1 GB", "not installed")
    assert row.digest == gone.digest[:8]


def test_figures_of_a_server_that_is_away_are_old_and_promise_no_time() -> None:
    model = seeded.model("a:latest")
    away = replace(
        seeded.snapshot((model,), (seeded.running(model),)),
        error=Unreachable("quoted", text="No.", host=seeded.URL),
    )
    row = rows(seeded.state(away))[model.name]
    assert (row.old, row.leaves, row.memory) == (True, "", "5.1 GB")


def test_ascii_marks() -> None:
    marks = {row.mark for row in Rows().make(seeded.typical(), now(), ASCII)}
    assert marks == {"*", "o", "@"}


def test_only_what_can_have_changed_is_made_again() -> None:
    maker, state = Rows(), seeded.typical()
    begin = now()
    first = maker.make(state, begin, UNICODE)
    later = maker.make(state, Moment(begin.now + timedelta(seconds=5), 1005.0), UNICODE)
    same = {row.name for row, after in zip(first, later, strict=True) if row is after}
    assert same == {row.name for row in first} - {"qwen2.5-coder:7b", "smollm2:135m"}
    assert {row.name: row.leaves for row in later}["qwen2.5-coder:7b"] in {"4:06", "4:07"}


def test_a_server_that_goes_away_makes_all_of_its_lines_old() -> None:
    maker, snapshot = Rows(), seeded.snapshot((seeded.model("a:latest"),))
    assert [row.old for row in maker.make(seeded.state(snapshot), now(), UNICODE)] == [False]
    away = replace(snapshot, error=Unreachable("quoted", text="No.", host=seeded.URL))
    assert [row.old for row in maker.make(seeded.state(away), now(), UNICODE)] == [True]


@pytest.mark.parametrize(
    ("total", "budget", "memory", "word"),
    [
        (4_900_000_000, 8_000_000_000, "~4.9 GB", "inactive"),
        (4_900_000_000, 7_000_000_000, "~4.9 GB", "fits alone"),
        (9_960_000_000, 9_000_000_000, "~10 GB", "partly CPU"),
        (44_400_000_000, 9_000_000_000, "~44 GB", "does not fit"),
        (44_400_000_000, None, "~44 GB", "inactive"),
    ],
)
def test_what_is_not_loaded_shows_what_it_would_take(
    total: int, budget: int | None, memory: str, word: str
) -> None:
    estimate = Estimate(total=total, basis=Basis.FORMULA, parts=None, context_length=4096)
    room = Room(budget=budget, taken=3_000_000_000, overflow=2_000_000_000)
    state = seeded.typical()
    fits = {"mistral:7b": Fitted(estimate, verdict(estimate, room))}
    row = rows(replace(state, hosts=(replace(state.hosts[0], fits=fits),)))["mistral:7b"]
    assert (row.memory, row.word, row.state) == (memory, word, ModelState.INACTIVE)
    assert row.figures.memory is None
    assert "inactive" in row.searched


def test_a_line_is_made_again_when_its_estimate_is_another() -> None:
    made, state = Rows(), seeded.typical()
    assert next(row for row in made.make(state, now(), UNICODE) if row.name == "mistral:7b").memory == ""
    estimate = Estimate(total=5_000_000_000, basis=Basis.MEASURED, parts=None, context_length=4096)
    weighed = replace(state.hosts[0], fits={"mistral:7b": Fitted(estimate, None)})
    again = made.make(replace(state, hosts=(weighed,)), now(), UNICODE)
    assert next(row for row in again if row.name == "mistral:7b").memory == "~5.0 GB"
