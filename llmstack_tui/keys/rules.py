"""What may be shown of a key, when it ends, what a validation has shown, and which keyring is trusted."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.address import parse_host
from llmstack_tui.base.secret import Secret
from llmstack_tui.keys.types import Expiry, KeysFailed, KeyVerdict

if TYPE_CHECKING:
    from datetime import datetime

_TAIL, _LEAST_FOR_TAIL = 4, 20
_SOON = timedelta(days=14)
_LONGEST = 4096
LEAST_PASSPHRASE = 8
_NAME = r"[a-z0-9][a-z0-9_-]{0,39}"
# They keep nothing, refuse everything, or write plain text.
_NO_KEYRINGS = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")


def owner_of(text: str) -> str:
    """The owner that a text names: a provider's name in lower case, or a server's base URL.

    Raises:
        KeysFailed: it is neither.
        InvalidAddress: it looks like an address, and is none.
    """
    text = text.strip()
    if len(text) >= _LEAST_FOR_TAIL and re.fullmatch(r"(?=.*\d)[\w-]+", text):
        raise KeysFailed("keys.owner_like_key")  # Which is not to be repeated.
    if re.fullmatch(_NAME, text.lower()):
        return text.lower()
    if re.search(r"[:./\[]", text):
        return parse_host(text)
    raise KeysFailed("keys.no_owner", owner=text)


def sound(text: str) -> Secret:
    """A key as a header can carry it. Raises KeysFailed, without a word of it."""
    text = text.strip()
    if not re.fullmatch(rf"[!-~]{{1,{_LONGEST}}}", text):
        raise KeysFailed("keys.unsound" if text else "keys.empty", most=_LONGEST)
    return Secret(text)


def passphrase_of(text: str) -> Secret:
    """A passphrase that is worth its name. Raises KeysFailed."""
    if len(text) < LEAST_PASSPHRASE:
        raise KeysFailed("keys.short_passphrase", least=LEAST_PASSPHRASE)
    return Secret(text)


def tail_of(secret: Secret) -> str:
    """The end of a key, by which its owner knows it; "" if the key is so short that it would say too much."""
    return secret.text[-_TAIL:] if len(secret.text) >= _LEAST_FOR_TAIL else ""


def expiry(expires_at: datetime | None, now: datetime) -> Expiry:
    if expires_at is None:
        return Expiry.NEVER
    if expires_at <= now:
        return Expiry.PAST
    return Expiry.SOON if expires_at - now <= _SOON else Expiry.LATER


def verdict(*, takes_key: bool, takes_wrong: bool) -> KeyVerdict:
    """What the answers to a key, and to one that cannot be right, show of it."""
    if not takes_key:
        return KeyVerdict.REFUSED
    return KeyVerdict.ANY if takes_wrong else KeyVerdict.VALID


def is_trusted(module: str) -> bool:
    """Whether the keyring of this module keeps keys, and not in plain text."""
    return not module.startswith(_NO_KEYRINGS)
