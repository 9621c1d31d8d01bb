"""What the screen of updates says, line by line. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.tui.draw.figures import ago_text
from llmstack_tui.tui.draw.servers import address
from llmstack_tui.tui.draw.text import fit, fit_name
from llmstack_tui.tui.draw.updates import changed_text, newer_programs, progress_cell, under_way

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from llmstack_tui.core import HostState, StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.draw.glyphs import Marks
    from llmstack_tui.tui.draw.updates import NewerProgram
    from llmstack_tui.tui.models.rows import Key
    from llmstack_tui.updates.rules import Update

_DIM = "$foreground 62%"
_WIDEST_NAME = 44
_MOST_UNFOLDED = 500
_COUNTED = {"current": "up to date", "local": "only here", "cloud": "running elsewhere"}


class Line(Struct, frozen=True):
    """One entry.

    Attributes:
        id: the same for as long as it is about the same.
        key: the model that it is about.
        folds: the group that it folds and unfolds.
    """

    id: str
    content: Content
    key: Key | None = None
    folds: str = ""

    @property
    def is_heading(self) -> bool:
        """Nothing can be done with it."""
        return self.key is None and not self.folds


class Shown(Struct, frozen=True, kw_only=True):
    """How the lines are to be drawn.

    Attributes:
        names: what the user calls a host, by its URL.
        ticked: the models that are marked.
        opened: the groups that are unfolded.
    """

    marks: Marks
    now: datetime
    names: Mapping[str, str]
    ticked: Collection[Key] = ()
    opened: Collection[str] = ()


def screen_lines(state: StackState, shown: Shown) -> tuple[Line, ...]:
    """What is newer, host by host, and beneath it, folded, what is not known and what went wrong."""
    found = [_program(each, shown) for each in newer_programs(state)]
    downloads = under_way(state.downloads)
    for host in state.hosts:
        models = list(_models(host, downloads, shown))
        if len(state.hosts) > 1:
            found.append(_heading(f"host {host.snapshot.url}", _host_text(host, shown), bool(models)))
        found += models
    if not any(line.key for line in found):
        found.append(Line("nothing", Content(_nothing_text(state))))
    found += _folded("unknown", "not known", _reasons(state, unknown=True), shown)
    found += _unanswered(state, shown)
    found += _folded("problems", "whose last check failed", _reasons(state, unknown=False), shown)
    if counted := _counted(state):
        found.append(Line("counted", Content.styled(counted, _DIM)))
    return tuple(found)


def _program(newer: NewerProgram, shown: Shown) -> Line:
    """A program of which there is a newer version, and how to get it."""
    if "" in newer.there:
        have, how = f"this is {newer.there['']}", "pip install -U llmstack-tui"
    else:
        have = ", ".join(f"{clean(address(url))} has {clean(old)}" for url, old in newer.there.items())
        how = "ollama.com/download"
    return Line(
        f"program {newer.program}",
        Content.assemble(
            (f"  {shown.marks.newer} {newer.program} {newer.version}", "bold $text-primary"),
            f" is out; {have}.",
            (f"\n    {how}", _DIM),
        ),
    )


def _unanswered(state: StackState, shown: Shown) -> Iterator[Line]:
    """Of which programs nobody knows whether there is a newer one."""
    group = "programs"
    problems = [clean(each.problem, limit=400) for each in state.releases if each.problem]
    if not problems:
        return
    is_open = group in shown.opened
    mark = shown.marks.unfolded if is_open else shown.marks.folded
    first = "" if is_open else f"  {problems[0]}"
    text = f"{mark} Newer programs are not known"
    yield Line(group, Content.assemble(text, (first, _DIM)), folds=group)
    if is_open:
        yield from (Line(f"{group} {each}", Content(f"    {each}")) for each in problems)


def summary(state: StackState) -> str:
    """How many updates there are, and what all of them cost."""
    wanted = [each for host in state.hosts for each in host.updates.values() if each.is_wanted]
    if not wanted:
        return "checking" if state.checking else ""
    known = [each.download for each in wanted if each.download is not None]
    most = "at most " if any(each.at_most for each in wanted) else ""
    unknown = f" and {len(wanted) - len(known)} of unknown size" if len(known) < len(wanted) else ""
    checking = ", checking" if state.checking else ""
    return f"{len(wanted)}, {most}{bytes_text(sum(known))}{unknown}{checking}"


def _host_text(host: HostState, shown: Shown) -> str:
    url = host.snapshot.url
    where = clean(address(url), limit=200)
    name = clean(shown.names.get(url, ""), limit=60)
    return f"{name}  {where}" if name else where


def _heading(of: str, text: str, has_models: bool) -> Line:
    return Line(of, Content.assemble((text, "bold"), ("" if has_models else "  nothing newer", _DIM)))


def _models(host: HostState, downloads: Mapping[Key, Download], shown: Shown) -> Iterator[Line]:
    """What is wanted before what is not; within these as the server lists it."""
    listed = [(name, each) for name, each in host.updates.items() if _is_news(each)]
    name_cells = min(_WIDEST_NAME, max((cell_len(clean(name)) for name, _ in listed), default=0))
    for name, update in sorted(listed, key=lambda each: not each[1].is_wanted):
        key = (host.snapshot.url, name)
        yield Line("\n".join(key), _model(key, update, downloads.get(key), name_cells, shown), key)


def _is_news(update: Update) -> bool:
    return update.state == "stale" or update.changed_here


def _model(key: Key, update: Update, download: Download | None, name_cells: int, shown: Shown) -> Content:
    marks = shown.marks
    if download is not None:
        cost = progress_cell(download, marks)
    else:
        cost = (marks.at_most if update.at_most else "") + bytes_text(update.download)
    name = fit_name(clean(key[1], limit=400), name_cells, ellipsis=marks.ellipsis)
    head = (
        (f"{marks.tick if key in shown.ticked else ' '} ", "bold $primary"),
        (f"{marks.newer if update.is_wanted else ' '} ", "bold $text-primary"),
        (name, "bold" if update.is_wanted else ""),
        (f"  {fit(cost, 10, right=True)}", "$text-primary" if update.is_wanted else _DIM),
        f"  {changed_text(update)}",
    )
    more = Content.styled(f"    {_more(update, shown.now)}", _DIM)
    return Content("\n").join((Content.assemble(*head), more))


def _more(update: Update, now: datetime) -> str:
    told = []
    if update.left_alone is not None:
        told.append("left alone" if update.left_alone == "for good" else "this version is left alone")
    if update.changed_here:
        told.append("changed here? asks first")
    if update.pushed_at is not None:
        told.append(f"published {ago_text(update.pushed_at, now)}")
    if update.checked_at is not None:
        told.append(f"checked {ago_text(update.checked_at, now)}")
    return ", ".join(told)


def _reasons(state: StackState, *, unknown: bool) -> dict[str, list[str]]:
    """The models by what is wrong: of those that are not known, else of those known from an older check."""
    found = defaultdict[str, list[str]](list)
    for host in state.hosts:
        for name, update in host.updates.items():
            is_unknown = update.state == "unknown" and not update.changed_here
            said = update.reason if is_unknown else update.problem
            if said and is_unknown is unknown:
                found[said].append(name)
    return found


def _folded(group: str, what: str, reasons: Mapping[str, list[str]], shown: Shown) -> Iterator[Line]:
    if not reasons:
        return
    is_open = group in shown.opened
    count = sum(map(len, reasons.values()))
    mark = shown.marks.unfolded if is_open else shown.marks.folded
    first = "" if is_open else f"  {clean(next(iter(reasons)), limit=300)}"
    models = "1 model" if count == 1 else f"{count} models"
    yield Line(group, Content.assemble(f"{mark} {models} {what}", (first, _DIM)), folds=group)
    if not is_open:
        return
    for reason, names in reasons.items():
        said = ", ".join(clean(name, limit=100) for name in names[:_MOST_UNFOLDED])
        text = Content.assemble(f"    {clean(reason, limit=400)}\n", (f"    {said}", _DIM))
        yield Line(f"{group} {reason}", text)


def _counted(state: StackState) -> str:
    counts = Counter(str(each.state) for host in state.hosts for each in host.updates.values())
    counts["local"] -= sum(
        each.changed_here and each.state == "local" for host in state.hosts for each in host.updates.values()
    )
    return ", ".join(f"{counts[each]} {word}" for each, word in _COUNTED.items() if counts[each] > 0)


def _nothing_text(state: StackState) -> str:
    updates = [each for host in state.hosts for each in host.updates.values()]
    if any(each.state == "current" for each in updates):
        return "Nothing newer is known."
    return "Asking the registries." if state.checking else "No model was compared with its registry yet."
