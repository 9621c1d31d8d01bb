"""What is known of a key, beside the key itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from llmstack_tui.base.languages import later
from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure, Sentences

Moment = Annotated[datetime, Meta(tz=True)]
KeyTrial = Callable[[Secret], Awaitable[bool]]
"""One cheap call with a key: whether it is accepted. Raises `Failure` where the answer shows neither."""


class KeysFailed(Failure):
    """A key cannot be kept, found or used; the sentence says why."""


class KeysLocked(KeysFailed):
    """The encrypted file needs its passphrase, or another one."""


class Vault(StrEnum):
    """Where stored keys are."""

    KEYRING = "keyring"
    FILE = "file"


class KeyOrigin(StrEnum):
    """Where a key comes from, in the order in which they win."""

    ENVIRONMENT = "environment"
    PLAIN_FILE = "plain file"
    KEYRING = "keyring"
    FILE = "file"


ORIGIN_NAMES = {
    KeyOrigin.ENVIRONMENT: later("environment"),
    KeyOrigin.PLAIN_FILE: later("plain file"),
    KeyOrigin.KEYRING: later("system's keyring"),
    KeyOrigin.FILE: later("encrypted file"),
}


class FoundKey(Struct, frozen=True):
    """A key to be sent.

    Attributes:
        place: the environment variable's name, the keyring's, or the file.
    """

    secret: Secret
    origin: KeyOrigin
    place: str


class KeyEntry(Struct, frozen=True, kw_only=True):
    """What the list says of a stored key; the key itself is in its vault.

    Attributes:
        owner: the provider's name, or the base URL of the server.
        tail: its last characters, or "" if that would say too much.
        used_at: about when it was last sent, to the minute.
        validated_at: when its server last accepted it and refused another one.
        expires_at: when its owner says that it ends.
    """

    owner: str
    vault: Vault
    added_at: Moment
    tail: str = ""
    used_at: Moment | None = None
    validated_at: Moment | None = None
    expires_at: Moment | None = None


class Expiry(StrEnum):
    """How long a key is good for yet."""

    NEVER = "never"
    LATER = "later"
    SOON = "soon"
    PAST = "past"


class ListedKey(Struct, frozen=True, kw_only=True):
    """A key in a list. Of one that is not stored here, only the origin and the place are known.

    Attributes:
        is_hidden: another origin wins, so that this one is never sent.
        problem: why it cannot be used as it is.
    """

    owner: str
    origin: KeyOrigin
    place: str
    entry: KeyEntry | None = None
    expiry: Expiry = Expiry.NEVER
    tail: str = ""
    is_hidden: bool = False
    problem: Sentences = ()


class KeyVerdict(StrEnum):
    """What a validation has shown.

    Attributes:
        ANY: the server accepts a wrong key, too, so it asks for none.
        UNKNOWN: nobody knows how to ask this owner.
    """

    VALID = "valid"
    REFUSED = "refused"
    ANY = "any"
    UNKNOWN = "unknown"


class KeptKey(Struct, frozen=True):
    """A key that was added or replaced, and what there is to say of that."""

    entry: KeyEntry
    place: str
    verdict: KeyVerdict | None
    notes: Sentences = ()


class TakenKeys(Struct, frozen=True):
    """What an import did: the owners whose keys were added, and those that had one already."""

    added: tuple[str, ...]
    kept: tuple[str, ...]
    notes: Sentences = ()
