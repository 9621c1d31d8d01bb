"""The texts of a model's details, part by part. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.sentences import plural
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text, seconds_text
from llmstack_tui.core.wording import text
from llmstack_tui.fit.memory import Basis, Request, estimate, largest_context
from llmstack_tui.fit.verdict import Fit, verdict
from llmstack_tui.lifecycle.wording import ACTORS, end_text
from llmstack_tui.tui.details.pane import addresses
from llmstack_tui.tui.draw.figures import about_text, count_text, when_text
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.widgets.section import SectionText, lines_part, newest_part, rows_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from textual.content import Content

    from llmstack_tui.core.types import Activation, Measured, SeenModel
    from llmstack_tui.fit.memory import Estimate, Load, Subject
    from llmstack_tui.fit.verdict import Room, Verdict
    from llmstack_tui.hosts.types import ModelDetails

# Wrapping more would take longer than a key press may; `llmstack show` prints all of it.
MOST_CHARACTERS = 8_000
MOST_LINES = 200
_OPEN_LINES = 6
_MOST_ROWS = 80
_CELLS = 22

# Metadata keys of a GGUF file, without the prefix "general." or that of the architecture.
_FACTS = {
    "architecture": "Architecture",
    "parameter_count": "Parameters",
    "size_label": "Size class",
    "basename": "Base name",
    "finetune": "Fine-tune",
    "organization": "Made by",
    "license": "Licence",
    "context_length": "Trained context",
    "embedding_length": "Embedding length",
    "block_count": "Layers",
    "attention.head_count": "Attention heads",
    "attention.head_count_kv": "Key/value heads",
    "attention.key_length": "Key length",
    "attention.value_length": "Value length",
    "attention.sliding_window": "Sliding window",
    "feed_forward_length": "Feed-forward length",
    "expert_count": "Experts",
    "expert_used_count": "Experts in use",
    "vocab_size": "Vocabulary",
    "rope.freq_base": "RoPE base",
    "rope.dimension_count": "RoPE dimensions",
}
_CONTEXTS = (2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144)
_FITS = {Fit.NOW: "fits", Fit.ALONE: "alone", Fit.PARTLY: "part CPU", Fit.NO: "no"}
_FIT_STYLES = {Fit.NOW: "$text-success", Fit.ALONE: "$text-warning", Fit.PARTLY: "$text-warning"}
_CONTEXT_CELLS, _FIT_CELLS = 10, 20
_MUTED = "$text-muted"
_EXPLAINED = {
    Fit.ALONE: "alone: once the other models are unloaded.",
    Fit.PARTLY: "part CPU: partly on the CPU, and slower.",
}
_BASES = {Basis.FORMULA: "the architecture of the model", Basis.FILE_SIZE: "the size of its file"}


TOLD = ("Parameters", "System prompt", "First messages", "Template", "Licence", "Architecture", "Files")


def address_part(url: str, copy: str, copy_native: str) -> SectionText:
    """The addresses of a host; ``copy`` and ``copy_native`` are the keys that copy them."""
    native, openai = addresses(url)
    rows = ((openai, copy), (native, copy_native))
    return rows_part((label, f"{address}   {key} copies it") for (label, address), key in rows)


def told_parts(details: ModelDetails, name: str) -> dict[str, SectionText]:
    """The server's details of a model, by the headings of `TOLD`; missing parts are left out."""
    messages = "\n".join(f"{each.role}: {each.content}" for each in details.messages)
    parts = (
        rows_part(parameter_rows(details.parameters)),
        _text_part(details.system, name, opens=True),
        _text_part(messages, name, opens=True),
        _text_part("\n\n".join(filter(None, (details.template_notes, details.template))), name),
        _text_part(details.license, name, first=True),
        rows_part(fact_rows(details.info)),
        rows_part(_origin_rows(details)),
    )
    return {title: part for title, part in zip(TOLD, parts, strict=True) if part.body.plain.strip()}


def parameter_rows(table: str) -> Iterator[tuple[str, str]]:
    """Name and value of each line; quotes around a value are removed."""
    lines = table[:MOST_CHARACTERS].expandtabs().splitlines()
    for line in lines[:_MOST_ROWS]:
        name, _, value = line.strip().partition(" ")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        yield f"{name} ".ljust(_CELLS), value
    yield from _more(len(lines))


def _more(count: int) -> Iterator[tuple[str, str]]:
    """A row that says how many of ``count`` are not shown."""
    if count > _MOST_ROWS:
        yield "", f"and {count - _MOST_ROWS} more"


def fact_rows(info: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The metadata worth reading: first those that `_FACTS` names, then all other numbers."""
    architecture = info.get("general.architecture")
    found: dict[str, str] = {}
    for key, value in info.items():
        short = key.removeprefix("general.").removeprefix(f"{architecture}.")
        if (text := _fact(value)) and not key.startswith("tokenizer."):
            found.setdefault(short, text)
    for short, label in _FACTS.items():
        if short in found:
            yield label, found.pop(short)
    for short in sorted(found)[:_MOST_ROWS]:
        yield f"{brief(short, 60)} ".ljust(_CELLS), found[short]
    yield from _more(len(found))


def loads_part(loads: Sequence[Activation], now: datetime) -> SectionText:
    """A line for each load: when, how long, who asked, how it ended."""
    return newest_part(_load(each, now) for each in loads)


def measured_part(measured: Sequence[Measured], now: datetime) -> SectionText:
    """The memory that each load of this version took, by the server and by the devices."""
    return newest_part(_took(each, now) for each in measured)


def versions_part(versions: Sequence[SeenModel], digest: str, now: datetime) -> SectionText:
    """The versions that were installed; the one with ``digest`` still is."""
    return lines_part(_version(each, digest, now) for each in versions)


def _version(each: SeenModel, digest: str, now: datetime) -> str:
    until = "installed now" if each.digest == digest else f"until {when_text(each.last_seen_at, now)}"
    since = f"since {when_text(each.first_seen_at, now)}"
    return f"{each.digest[:12]:14}{bytes_text(each.size):9}{since}, {until}"


def _text_part(text: str, name: str, *, opens: bool = False, first: bool = False) -> SectionText:
    """A text that folds. A short one is open if ``opens``; ``first`` shows its first line while folded."""
    text = text.strip("\r\n")
    count = text.count("\n") + 1
    shown = text[:MOST_CHARACTERS].expandtabs(4).splitlines()[:MOST_LINES]
    body = content_of("\n".join(shown))
    if len(text) > MOST_CHARACTERS or count > MOST_LINES:
        whole = f"All of it: llmstack show {brief(shlex.quote(name), 200)}"
        body += content_of((f"\n(Only the beginning of {len(text):,} characters. {whole})", _MUTED))
    head = next((line.strip()[:60] for line in shown if line.strip()), "") if first else ""
    summary = "  ".join(filter(None, (head, plural(count, "1 line", f"{count:,} lines"))))
    is_open = opens and count <= _OPEN_LINES and len(text) < MOST_CHARACTERS // 10
    return SectionText(body, summary, is_open=is_open)


def _origin_rows(details: ModelDetails) -> Iterator[tuple[str, str]]:
    yield "Parent model", details.parent_model or ""
    yield "Runs on", details.remote_host or ""
    yield "As", details.remote_model or ""
    yield "Format", details.format or ""
    yield "Weights", (details.weights_digest or "")[:12]
    for label, value in fact_rows(details.projector_info):
        yield f"Projector {label.lower()[:11]}", value


def _fact(value: object) -> str:
    """A value on one line; "" for None and for tables."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count_text(value) if abs(value) < 10**30 else ""
    if isinstance(value, float):
        return f"{value:,.6g}"
    return brief(value, 200) if isinstance(value, str) else ""


def _load(each: Activation, now: datetime) -> str:
    until = each.ended_at or now
    lasted = "" if each.loaded_at is None else seconds_text((until - each.loaded_at).total_seconds())
    reasons = [f" ({text(*why)})" if why else "" for why in (each.reason, each.end_reason)]
    asked = f"asked by {ACTORS[each.asked_by]}{reasons[0]}"
    return f"{when_text(each.started_at, now):14}{lasted:9}{asked}; {end_text(each)}{reasons[1]}"


def _took(each: Measured, now: datetime) -> str:
    devices = (f"{bytes_text(size)} on {brief(name, 60)}" for name, size in each.device_bytes.items())
    figures = [f"{bytes_text(each.server_bytes)} (server)", *devices]
    if each.context_length is not None:
        figures.append(f"context {count_text(each.context_length)}")
    if each.cache_type is not None:
        figures.append(f"cache {brief(each.cache_type, 20)}")
    if each.parallel is not None and each.parallel > 1:
        figures.append(f"{each.parallel} at once")
    return f"{when_text(each.at, now):14}{'; '.join(figures)}"


def fit_part(subject: Subject, room: Room, loads: Sequence[Load] = ()) -> SectionText | None:
    """A table with a line for each context and a column for each cache type; None if nothing is known.

    Args:
        loads: the measured loads of this version.
    """
    head = "Context".rjust(_CONTEXT_CELLS) + "".join(f"   {name}".ljust(_FIT_CELLS) for name in CACHE_TYPES)
    lines = [content_of((head, _MUTED))]
    bases: set[Basis] = set()
    fits: set[Fit] = set()
    for context in _contexts(subject):
        line = content_of(count_text(context).rjust(_CONTEXT_CELLS))
        for name in CACHE_TYPES:
            request = Request(context_length=context, cache_type=name)
            found = estimate(subject.weights, subject.shape, request, loads)
            if found is None:
                return None
            known = verdict(found, room)
            bases.add(found.basis)
            fits |= {known.fit} if known else set()
            line += _cell(found, known)
        lines.append(line)
    lines += [content_of(text) for text in _longest(subject, room)]
    basis = Basis.FILE_SIZE if Basis.FILE_SIZE in bases else Basis.FORMULA
    explained = [f"Estimated from {_BASES[basis]}."]
    explained += [text for fit, text in _EXPLAINED.items() if fit in fits]
    explained += ["*: measured here."] if Basis.MEASURED in bases else []
    lines.append(content_of((" ".join(explained), _MUTED)))
    return lines_part(lines)


def _contexts(subject: Subject) -> Iterator[int]:
    trained = subject.shape.context_length if subject.shape else None
    if trained is None:
        yield from _CONTEXTS[:5]
        return
    yield from (context for context in _CONTEXTS if context < trained)
    yield trained


def _cell(found: Estimate, known: Verdict | None) -> Content:
    size = f"*{bytes_text(found.total)}" if found.basis is Basis.MEASURED else about_text(found.total)
    if known is None:
        word, tone = "?", "$foreground"
    else:
        word = "tight" if known.tight and known.fit is Fit.NOW else _FITS[known.fit]
        tone = _FIT_STYLES.get(known.fit, "$foreground")
    return content_of(f"   {size:8}", (word.ljust(_FIT_CELLS - 11), tone))


def _longest(subject: Subject, room: Room) -> Iterator[str]:
    weights, shape, budget = subject.weights, subject.shape, room.budget
    if weights is None or shape is None or budget is None:
        return
    requests = {name: Request(context_length=1, cache_type=name) for name in CACHE_TYPES}
    found = {name: largest_context(weights, shape, each, budget) for name, each in requests.items()}
    if {*found.values()} == {shape.context_length}:
        yield f"Fits, even at its full context ({count_text(shape.context_length)})."
    elif texts := [f"{count_text(context)} ({name})" for name, context in found.items() if context]:
        yield f"Longest context that fits: {', '.join(texts)}"
    else:
        yield "Does not fit, even with a short context."
