"""What the screen says of one client: its settings, why it has none, and what a test has shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import listed
from llmstack_tui.core.wording import text
from llmstack_tui.editors.rules.keys import exports, masked
from llmstack_tui.editors.rules.remarks import remarks
from llmstack_tui.editors.types import Setup
from llmstack_tui.tui.draw.text import content_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.content import Content

    from llmstack_tui.base.text_files import Written
    from llmstack_tui.editors.types import Draft, Endpoint, TrialReport, Unsuited
    from llmstack_tui.tui.draw.marks import Marks
    from llmstack_tui.tui.draw.text import Part

_MUTED = "$text-muted"


def home_path(file: Path, home: Path) -> str:
    """A path as people write it: below their home it begins with a tilde."""
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)


def offer_content(offer: Setup | Unsuited, home: Path) -> Content:
    """The settings of a client with the key hidden, or why it has none."""
    if not isinstance(offer, Setup):
        return content_of((text(offer.reason), "$text-warning"))
    return content_of("\n").join(content_of(part) for part in _parts(offer, home))


def _parts(setup: Setup, home: Path) -> Iterator[Part]:
    if setup.files:
        yield tr("These belong into {file}.", file=home_path(setup.files[-1], home)), _MUTED
    yield masked(setup.text)
    if setup.variables:
        yield tr("In its environment:"), _MUTED
        yield masked(exports(setup.variables))
    yield ""
    for note in setup.notes:
        yield text(note), _MUTED


def trial_content(trial: TrialReport, endpoint: Endpoint, marks: Marks) -> Content:
    """What a test has shown, a line for each finding."""
    looks = {
        True: (marks.tick, "$text-success"),
        False: (marks.failed, "$text-error"),
        None: (marks.dot, "$text-warning"),
    }
    lines = [
        content_of((f"{looks[each.is_good][0]} ", looks[each.is_good][1]), text(each.sentence))
        for each in remarks(trial, endpoint)
    ]
    return content_of("\n").join(lines)


def question(draft: Draft, home: Path) -> str:
    """What is said before settings are written."""
    file = home_path(draft.file, home)
    said = [tr("They go into {file}.", file=file)]
    if draft.link is not None:
        said.append(tr("{link} is a link to it.", link=home_path(draft.link, home)))
    if draft.before is None:
        said.append(tr("The file is made, for you alone."))
    else:
        said.append(tr("What else is in it stays, and a copy of it is left beside it."))
    if draft.replaced:
        count = len(draft.replaced)
        names = listed(draft.replaced)
        said.append(
            tr_n(
                "Another value replaces that of {names}.",
                "Other values replace those of {names}.",
                count,
                names=names,
            )
        )
    return "\n".join(said)


def written_text(written: Written, home: Path) -> str:
    """The sentence about a file that was written."""
    file = home_path(written.file, home)
    if written.backup is None:
        return tr("Written: {file}.", file=file)
    backup = home_path(written.backup, home)
    return tr("Written: {file}. What it was before is in {backup}.", file=file, backup=backup)
