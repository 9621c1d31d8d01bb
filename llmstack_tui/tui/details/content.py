"""The texts of a model's details, part by part. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.languages import later, number, tr, tr_n
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
    "architecture": later("Architecture"),
    "parameter_count": later("Parameters"),
    "size_label": later("Size class"),
    "basename": later("Base name"),
    "finetune": later("Fine-tune"),
    "organization": later("Made by"),
    "license": later("Licence"),
    "context_length": later("Trained context"),
    "embedding_length": later("Embedding length"),
    "block_count": later("Layers"),
    "attention.head_count": later("Attention heads"),
    "attention.head_count_kv": later("Key/value heads"),
    "attention.key_length": later("Key length"),
    "attention.value_length": later("Value length"),
    "attention.sliding_window": later("Sliding window"),
    "feed_forward_length": later("Feed-forward length"),
    "expert_count": later("Experts"),
    "expert_used_count": later("Experts in use"),
    "vocab_size": later("Vocabulary"),
    "rope.freq_base": later("RoPE base"),
    "rope.dimension_count": later("RoPE dimensions"),
}
_CONTEXTS = (2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144)
_FITS = {
    Fit.NOW: later("fits"),
    Fit.ALONE: later("alone"),
    Fit.PARTLY: later("part CPU"),
    Fit.NO: later("no"),
}
_FIT_STYLES = {Fit.NOW: "$text-success", Fit.ALONE: "$text-warning", Fit.PARTLY: "$text-warning"}
_CONTEXT_CELLS, _FIT_CELLS = 10, 20
_MUTED = "$text-muted"
_EXPLAINED = {
    Fit.ALONE: later("alone: once the other models are unloaded."),
    Fit.PARTLY: later("part CPU: partly on the CPU, and slower."),
}
_BASES = {
    Basis.FORMULA: later("Estimated from the architecture of the model."),
    Basis.FILE_SIZE: later("Estimated from the size of its file."),
}


TOLD = (
    later("Parameters"),
    later("System prompt"),
    later("First messages"),
    later("Template"),
    later("Licence"),
    later("Architecture"),
    later("Files"),
)


def address_part(url: str, copy: str, copy_native: str) -> SectionText:
    """The addresses of a host; ``copy`` and ``copy_native`` are the keys that copy them."""
    native, openai = addresses(url)
    rows = ((openai, copy), (native, copy_native))
    return rows_part(
        (label, f"{address}   {tr('{key} copies it', key=key)}") for (label, address), key in rows
    )


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
        yield "", tr("and {count} more", count=count - _MOST_ROWS)


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
            yield tr(label), found.pop(short)
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
    since, until = when_text(each.first_seen_at, now), when_text(each.last_seen_at, now)
    if each.digest == digest:
        when = tr("since {since}, installed now", since=since)
    else:
        when = tr("since {since}, until {until}", since=since, until=until)
    return f"{each.digest[:12]:14}{bytes_text(each.size):9}{when}"


def _text_part(text: str, name: str, *, opens: bool = False, first: bool = False) -> SectionText:
    """A text that folds. A short one is open if ``opens``; ``first`` shows its first line while folded."""
    text = text.strip("\r\n")
    count = text.count("\n") + 1
    shown = text[:MOST_CHARACTERS].expandtabs(4).splitlines()[:MOST_LINES]
    body = content_of("\n".join(shown))
    if len(text) > MOST_CHARACTERS or count > MOST_LINES:
        said = tr(
            "(Only the beginning of {count:,} characters. All of it: llmstack show {model})",
            count=len(text),
            model=brief(shlex.quote(name), 200),
        )
        body += content_of((f"\n{said}", _MUTED))
    head = next((line.strip()[:60] for line in shown if line.strip()), "") if first else ""
    summary = "  ".join(filter(None, (head, tr_n("{count:,} line", "{count:,} lines", count))))
    is_open = opens and count <= _OPEN_LINES and len(text) < MOST_CHARACTERS // 10
    return SectionText(body, summary, is_open=is_open)


def _origin_rows(details: ModelDetails) -> Iterator[tuple[str, str]]:
    yield tr("Parent model"), details.parent_model or ""
    yield tr("Runs on"), details.remote_host or ""
    yield tr("As"), details.remote_model or ""
    yield tr("Format"), details.format or ""
    yield tr("Weights"), (details.weights_digest or "")[:12]
    for label, value in fact_rows(details.projector_info):
        yield tr("Projector {what}", what=label.lower()[:11]), value


def _fact(value: object) -> str:
    """A value on one line; "" for None and for tables."""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, int):
        return count_text(value) if abs(value) < 10**30 else ""
    if isinstance(value, float):
        return number(f"{value:,.6g}")
    return brief(value, 200) if isinstance(value, str) else ""


def _load(each: Activation, now: datetime) -> str:
    until = each.ended_at or now
    lasted = "" if each.loaded_at is None else seconds_text((until - each.loaded_at).total_seconds())
    reasons = [f" ({text(*why)})" if why else "" for why in (each.reason, each.end_reason)]
    asked = f"{tr('asked by {who}', who=tr(ACTORS[each.asked_by]))}{reasons[0]}"
    return f"{when_text(each.started_at, now):14}{lasted:9}{asked}; {end_text(each)}{reasons[1]}"


def _took(each: Measured, now: datetime) -> str:
    devices = (
        tr("{size} on {device}", size=bytes_text(size), device=brief(name, 60))
        for name, size in each.device_bytes.items()
    )
    figures = [tr("{size} (server)", size=bytes_text(each.server_bytes)), *devices]
    if each.context_length is not None:
        figures.append(tr("context {count:,}", count=each.context_length))
    if each.cache_type is not None:
        figures.append(tr("cache {kind}", kind=brief(each.cache_type, 20)))
    if each.parallel is not None and each.parallel > 1:
        figures.append(tr("{count} at once", count=each.parallel))
    return f"{when_text(each.at, now):14}{'; '.join(figures)}"


def fit_part(subject: Subject, room: Room, loads: Sequence[Load] = ()) -> SectionText | None:
    """A table with a line for each context and a column for each cache type; None if nothing is known.

    Args:
        loads: the measured loads of this version.
    """
    head = tr("Context").rjust(_CONTEXT_CELLS) + "".join(
        f"   {name}".ljust(_FIT_CELLS) for name in CACHE_TYPES
    )
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
    lines += map(content_of, _longest(subject, room))
    basis = Basis.FILE_SIZE if Basis.FILE_SIZE in bases else Basis.FORMULA
    explained = [tr(_BASES[basis])]
    explained += [tr(text) for fit, text in _EXPLAINED.items() if fit in fits]
    explained += [tr("*: measured here.")] if Basis.MEASURED in bases else []
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
        word = tr("tight" if known.tight and known.fit is Fit.NOW else _FITS[known.fit])
        tone = _FIT_STYLES.get(known.fit, "$foreground")
    return content_of(f"   {size:8}", (word.ljust(_FIT_CELLS - 11), tone))


def _longest(subject: Subject, room: Room) -> Iterator[str]:
    weights, shape, budget = subject.weights, subject.shape, room.budget
    if weights is None or shape is None or budget is None:
        return
    requests = {name: Request(context_length=1, cache_type=name) for name in CACHE_TYPES}
    found = {name: largest_context(weights, shape, each, budget) for name, each in requests.items()}
    if {*found.values()} == {shape.context_length}:
        yield tr("Fits, even at its full context ({count}).", count=count_text(shape.context_length))
    elif texts := [f"{count_text(context)} ({name})" for name, context in found.items() if context]:
        yield tr("Longest context that fits: {contexts}", contexts=", ".join(texts))
    else:
        yield tr("Does not fit, even with a short context.")
