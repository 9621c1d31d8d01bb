"""What the details say, part by part, of answers good and bad."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.sentences import quoted
from llmstack_tui.fit.memory import Subject, Weights
from llmstack_tui.fit.verdict import Room
from llmstack_tui.hosts.types import Message, ModelDetails
from llmstack_tui.store.tables.activations import Activation, Outcome
from llmstack_tui.store.tables.events import Event
from llmstack_tui.store.tables.figures import Measured
from llmstack_tui.store.tables.models import SeenModel
from llmstack_tui.tui.details.content import (
    MOST_LINES,
    fact_rows,
    fit_part,
    loads_part,
    measured_part,
    parameter_rows,
    told_parts,
    versions_part,
)
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.widgets.section import events_part, rows_content
from tests.support import headers, seeded

NOW = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
HOSTILE = "[bold]\x1b[31mred\x1b[0m\u202egnol\t|\x07\r\nاللغة العربية"


def test_the_template_begins_with_why_another_one_answers() -> None:
    details = ModelDetails(name="a", template="{{ .Prompt }}", template_notes="The file's answers.")
    assert told_parts(details, "a")["Template"].body.plain == "The file's answers.\n\n{{ .Prompt }}"


def test_a_hostile_text_is_text() -> None:
    parts = told_parts(ModelDetails(name="a", system=HOSTILE, template=HOSTILE, license=HOSTILE), "a")
    for title in ("System prompt", "Template", "Licence"):
        said = parts[title].body.plain
        assert "[bold]" in said
        assert "اللغة العربية" in said
        assert not {"\x1b", "\u202e", "\t", "\x07", "\r"} & set(said)
        assert parts[title].body.spans == []
    assert "\x1b" not in content_of(parts["Licence"].summary).plain


def test_a_megabyte_is_cut_in_time_and_says_so() -> None:
    for text in ("x" * 2**20, "a line\n" * 150_000):
        begin = time.perf_counter()
        part = told_parts(ModelDetails(name="a", template=text, system=text), "my:1")["Template"]
        assert time.perf_counter() - begin < 0.2
        assert len(part.body.plain) < 9_000
        assert part.body.plain.count("\n") <= MOST_LINES
        assert "llmstack show my:1" in part.body.plain


def test_long_texts_are_folded_and_say_how_long_they_are() -> None:
    details = ModelDetails(
        name="a",
        template="{{ one }}\n" * 12,
        system="Be terse.",
        license="Apache License\nVersion 2.0\n",
        messages=(Message(role="user", content="Hi."),),
    )
    parts = told_parts(details, "a")
    assert (parts["Template"].summary, parts["Template"].is_open) == ("12 lines", False)
    assert (parts["Licence"].summary, parts["Licence"].is_open) == ("Apache License  2 lines", False)
    assert parts["System prompt"].is_open
    assert parts["First messages"].body.plain == "user: Hi."
    assert "Parameters" not in parts


def test_parameters_are_a_table() -> None:
    table = 'stop                           "<|im_start|>"\ntemperature                    0.2\n\x1b[1m 3'
    rows = [(name.strip(), value) for name, value in parameter_rows(table)]
    assert rows[:2] == [("stop", "<|im_start|>"), ("temperature", "0.2")]
    assert "\x1b" not in rows_content(rows, 20).plain


def test_facts_have_names_and_tables_are_left_out() -> None:
    info: dict[str, object] = {
        "general.architecture": "llama",
        "llama.context_length": 131072,
        "llama.block_count": 30,
        "llama.rope.freq_base": 1e6,
        "llama.new.thing": True,
        "llama.list": [1, 2],
        "general.languages": None,
        "general.organization": "[red]\x1b",
        "tokenizer.ggml.tokens": None,
        "tokenizer.ggml.model": "gpt2",
        "huge": 10**40,
    }
    rows = {label.strip(): value for label, value in fact_rows(info)}
    assert rows == {
        "Architecture": "llama",
        "Made by": "[red]\x1b",
        "Trained context": "131,072",
        "Layers": "30",
        "RoPE base": "1e+06",
        "new.thing": "yes",
    }
    assert "[red]\N{REPLACEMENT CHARACTER}\n" in rows_content(rows.items(), 20).plain


def load(**changes: object) -> Activation:
    told: dict[str, object] = {
        "host": seeded.URL,
        "model": "a:latest",
        "asked_by": Actor.USER,
        "started_at": NOW - timedelta(minutes=40),
        "loaded_at": NOW - timedelta(minutes=38),
    }
    return Activation(**(told | changes))  # type: ignore[arg-type]


def test_each_load_says_when_how_long_who_and_how_it_ended() -> None:
    loads = (
        load(),
        load(loaded_at=None, asked_by=Actor.CLI),
        load(
            ended_at=NOW - timedelta(minutes=8),
            outcome=Outcome.STOPPED,
            ended_by=Actor.GUARD,
            end_reason=(quoted("[idle]"),),
        ),
        load(
            loaded_at=None,
            ended_at=NOW,
            outcome=Outcome.FAILED,
            end_reason=(quoted("no\x1b memory"),),
            asked_by=Actor.CLIENT,
        ),
    )
    lines = [" ".join(line.split()) for line in loads_part(loads, NOW).body.plain.splitlines()]
    assert lines == [
        "11:21 38 min asked by the dashboard; in memory now",
        "11:21 asked by the command line; is loading",
        "11:21 30 min asked by the dashboard; unloaded by the guard ([idle])",
        "11:21 asked by another client; could not be loaded (no\N{REPLACEMENT CHARACTER} memory)",
    ]
    for outcome in Outcome:
        assert loads_part((load(ended_at=NOW, outcome=outcome),), NOW).body.plain


def test_what_memory_a_load_took_has_labels_and_the_unknown_is_unknown() -> None:
    one = Measured(
        at=NOW,
        host=seeded.URL,
        model="a",
        digest="d",
        context_length=4096,
        cache_type="f16",
        server_bytes=5_100_000_000,
        device_bytes={"GPU 0": 4_900_000_000},
    )
    other = Measured(at=NOW, host=seeded.URL, model="a", digest="d")
    first, second = measured_part((one, other), NOW).body.plain.splitlines()
    assert first.split(maxsplit=1)[1] == ("5.1 GB (server); 4.9 GB on GPU 0; context 4,096; cache f16")
    assert second.split(maxsplit=1)[1] == "? (server)"


def test_versions_say_which_is_installed_and_until_when_the_others_were() -> None:
    month = timedelta(days=30)
    new, old = (
        SeenModel(
            host=seeded.URL,
            name="a",
            digest=letter * 64,
            size=size,
            first_seen_at=NOW - since * month,
            last_seen_at=NOW - (since - 1) * month,
        )
        for letter, size, since in (("b", 4_700_000_000, 1), ("a", None, 2))
    )
    first, second = versions_part((new, old), "b" * 64, NOW).body.plain.splitlines()
    assert first.split(maxsplit=3) == ["b" * 12, "4.7", "GB", "since 22 Oct 12:01, installed now"]
    assert second.split(maxsplit=2) == ["a" * 12, "?", "since 22 Sep 12:01, until 22 Oct 12:01"]


def test_events_say_why() -> None:
    event = Event(at=NOW, kind="left", sentence=quoted("[a] left.\x1b"), reason=(quoted("idle"),))
    line = events_part((event,), NOW).body.plain
    assert " ".join(line.split()) == "12:01 [a] left.\N{REPLACEMENT CHARACTER} idle"


def test_a_table_says_what_longer_contexts_would_take() -> None:
    subject = Subject(weights=Weights(size=4_900_000_000), shape=headers.shape(headers.LLAMA_8B))
    part = fit_part(subject, Room(budget=8_000_000_000, taken=2_000_000_000), [headers.Took(5_600_000_000)])
    assert part is not None
    head, *lines, longest, explained = part.body.plain.splitlines()
    assert head.split() == ["Context", "f16", "q8_0", "q4_0"]
    by_context = {line.split()[0]: line.split()[1:] for line in lines}
    assert list(by_context) == ["2,048", "4,096", "8,192", "16,384", "32,768", "65,536", "131,072"]
    assert by_context["4,096"][:3] == ["*5.6", "GB", "fits"]
    assert by_context["8,192"][:3] == ["~6.2", "GB", "alone"]
    assert by_context["131,072"][:3] == ["~22", "GB", "no"]
    assert re.fullmatch(
        r"Longest context that fits: [\d,]+ \(f16\), [\d,]+ \(q8_0\), [\d,]+ \(q4_0\)", longest
    )
    assert "architecture of the model" in explained
    assert "measured here" in explained
    assert max(map(len, (head, *lines))) <= 72


def test_the_table_of_a_model_that_is_too_large_or_unknown() -> None:
    subject = Subject(weights=Weights(size=4_900_000_000), shape=headers.shape(headers.LLAMA_8B))
    part = fit_part(subject, Room(budget=4_000_000_000))
    assert part is not None
    assert "Does not fit, even with a short context." in part.body.plain
    by_size = fit_part(Subject(weights=Weights(size=4_900_000_000)), Room(budget=None))
    assert by_size is not None
    assert "size of its file" in by_size.body.plain
    assert "?" in by_size.body.plain
    assert fit_part(Subject(), Room(budget=1)) is None


def test_what_is_recorded_beyond_the_newest_is_said_to_be_there() -> None:
    events = [Event(at=NOW, kind="left", sentence=quoted(f"event {number}")) for number in range(51)]
    assert events_part(events[:50], NOW).body.plain.splitlines()[-1].endswith("event 49")
    *shown, last = events_part(events, NOW).body.plain.splitlines()
    assert len(shown) == 50
    assert last == "(The newest 50 are shown; there are older ones.)"


def test_parameters_that_are_not_shown_are_counted() -> None:
    rows = [*parameter_rows("\n".join(f"stop {number}" for number in range(83)))]
    assert rows[-1] == ("", "and 3 more")
