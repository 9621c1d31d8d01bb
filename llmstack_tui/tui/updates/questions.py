"""What is said before updates are fetched, and instead. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.tui.draw.figures import ago_text
from llmstack_tui.tui.draw.updates import changed_text, news_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from llmstack_tui.core.state import StackState
    from llmstack_tui.tui.shell import Key
    from llmstack_tui.updates.rules import Update

_MOST_NAMED = 12


def checked_text(state: StackState, *, with_newer: bool = True) -> str:
    """What a check has found, in a sentence or two; ``with_newer`` counts what is newer, too."""
    updates = [each for host in state.hosts for each in host.updates.values()]
    newer = sum(each.is_wanted for each in updates)
    problems = list(dict.fromkeys(each.problem for each in updates if each.problem))
    if newer and not with_newer:
        said = ""
    elif newer:
        said = "1 model has a newer version." if newer == 1 else f"{newer} models have newer versions."
    elif any(each.state == "current" for each in updates):
        said = "Nothing newer." if problems else "Everything is up to date."
    else:
        said = "" if problems else "There is no model that a registry could tell of."
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return "\n".join(filter(None, (said, f"{clean(problems[0], limit=300)}{more}" if problems else "")))


def no_update_text(name: str, update: Update | None, now: datetime, check: str) -> str:
    """Why there is nothing to fetch for a model; ``check`` is the key that asks again."""
    name = clean(name, limit=120)
    if update is None or update.state == "unknown":
        reason = clean(text(*(update.reason if update else (Sentence("version.not_checked"),))), limit=300)
        return f"{name}: nobody knows whether there is a newer version. {reason} {check} checks now."
    if update.state == "current":
        checked = f" (checked {ago_text(update.checked_at, now)})" if update.checked_at else ""
        return f"{name} is up to date{checked}."
    return f"{name} has no newer version. {clean(text(*update.reason), limit=300)}"


def changed_here_text(changed: Mapping[Key, Update]) -> str:
    """What is lost when models that were changed on their machine are replaced."""
    lines = [
        f"{clean(name, limit=60)}: {changed_text(update) or 'nobody knows which part'}"
        for (_, name), update in list(changed.items())[:_MOST_NAMED]
    ]
    which = "It seems" if len(changed) == 1 else "They seem"
    text = f"{which} to have been changed here. An update puts the registry's version in the place of:"
    last = "What was changed is lost. To keep it, copy the model under another name first."
    return "\n".join((text, *lines, "", last))


def all_text(found: Mapping[Key, Update], free: int | None) -> str:
    """What is fetched, how much that is, and what is left of the disk."""
    lines = [
        f"{clean(name, limit=60)}: {news_text(update)}"
        for (_, name), update in list(found.items())[:_MOST_NAMED]
    ]
    if len(found) > _MOST_NAMED:
        lines.append(f"and {len(found) - _MOST_NAMED} more")
    known = [each.download for each in found.values() if each.download is not None]
    most = "at most " if any(each.at_most for each in found.values()) else ""
    total = f"{most}{bytes_text(sum(known))} to download"
    if len(known) < len(found):
        total += f", and {len(found) - len(known)} of unknown size"
    left = "" if free is None else _room(sum(known), free)
    busy = "A model in memory is stopped when its request has ended, and started again afterwards."
    return "\n".join((*lines, "", f"{total}.{left}", busy))


def _room(needed: int, free: int) -> str:
    if needed > free:
        return f" Only {bytes_text(free)} are free on the disk: not all of it will fit."
    return f" {bytes_text(free)} are free on the disk."
