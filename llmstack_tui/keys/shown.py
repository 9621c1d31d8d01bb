"""What both faces show of a key. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later, tr
from llmstack_tui.keys.types import ORIGIN_NAMES, Expiry, KeyOrigin, KeyVerdict

if TYPE_CHECKING:
    from llmstack_tui.keys.types import ListedKey

_HIDDEN = 4

VERDICTS = {
    KeyVerdict.VALID: later("{owner} accepts the key, and refuses a wrong one."),
    KeyVerdict.REFUSED: later("{owner} refuses the key: replace it with `llmstack keys rotate {owner}`."),
    KeyVerdict.ANY: later(
        "{owner} accepts a wrong key, too: it asks for none, or not for what llmstack has asked."
    ),
    KeyVerdict.UNKNOWN: later("The key for {owner} was not validated: llmstack does not know how to ask it."),
}


def bullets(key: ListedKey, bullet: str) -> str:
    """A key as it is shown: hidden, with its end if that says little of it."""
    return bullet * _HIDDEN + key.tail if key.origin is not KeyOrigin.PLAIN_FILE else bullet * _HIDDEN


def origin_text(key: ListedKey) -> str:
    """Where a key comes from, and whether another one is sent instead."""
    name = tr(ORIGIN_NAMES[key.origin])
    where = f"{name}: {key.place}" if key.origin in (KeyOrigin.ENVIRONMENT, KeyOrigin.PLAIN_FILE) else name
    return tr("{where} (not sent)", where=where) if key.is_hidden else where


def expiry_text(key: ListedKey) -> str:
    """What there is to say of the end of a key; "" if that is far."""
    if key.entry is None or key.entry.expires_at is None:
        return ""
    day = f"{key.entry.expires_at:%Y-%m-%d}"
    match key.expiry:
        case Expiry.PAST:
            said = tr("The key for {owner} has ended on {day}: replace it.", owner=key.owner, day=day)
        case Expiry.SOON:
            said = tr("The key for {owner} ends on {day}.", owner=key.owner, day=day)
        case _:
            said = ""
    return said
