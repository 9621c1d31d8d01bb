"""Keys in a file for another machine: encrypted with a passphrase, or plain."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # msgspec reads it
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from llmstack_tui.keys.rules import owner_of, sound
from llmstack_tui.keys.sealing import FORMAT, VERSION, read_sealed, seal, unseal
from llmstack_tui.keys.types import KeyEntry, KeysFailed, KeysLocked, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.base.secret import Secret

_PLAIN: Literal["llmstack-keys-plain"] = "llmstack-keys-plain"


class _ExportedKey(Struct, frozen=True):
    owner: str
    key: str
    expires_at: Moment | None = None


class _ExportedKeys(Struct, frozen=True):
    keys: tuple[_ExportedKey, ...]
    format: Literal["llmstack-keys-plain"] = _PLAIN
    version: int = VERSION


class _ExportVersion(Struct):
    format: Literal["llmstack-keys", "llmstack-keys-plain"]
    version: int


def exported(keys: Iterable[tuple[KeyEntry, Secret]], passphrase: Secret | None) -> bytes:
    """The content of the file; plain if there is no passphrase. Raises KeysFailed."""
    document = _ExportedKeys(
        tuple(_ExportedKey(each.owner, secret.text, each.expires_at) for each, secret in keys)
    )
    content = msgspec.json.encode(document)
    return msgspec.json.format(content) if passphrase is None else seal(content, passphrase)


def needs_passphrase(content: bytes, file: str) -> bool:
    """Whether an exported file is encrypted. Raises KeysFailed if it is none, or of a newer version."""
    try:
        head = msgspec.json.decode(content, type=_ExportVersion)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise KeysFailed("keys.no_export", file=file) from None
    if head.version != VERSION:
        raise KeysFailed("keys.other_version", file=file, version=head.version, known=VERSION)
    return head.format == FORMAT


def imported(
    content: bytes, file: str, passphrase: Secret | None
) -> dict[str, tuple[Secret, datetime | None]]:
    """The keys of an exported file, and when they end, by their owners.

    Raises:
        KeysLocked: it is encrypted, and the passphrase is missing or wrong.
        KeysFailed: it is damaged, or not an exported file.
        InvalidAddress: an owner is no address.
    """
    if needs_passphrase(content, file):
        sealed = read_sealed(content, file)
        if not sealed.has_passphrase:
            raise KeysFailed("keys.of_a_machine", file=file)
        if passphrase is None:
            raise KeysLocked("keys.locked", file=file)
        content = unseal(sealed, passphrase, file)
    try:
        keys = msgspec.json.decode(content, type=_ExportedKeys).keys
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise KeysFailed("keys.damaged", file=file) from None
    return {owner_of(each.owner): (sound(each.key), each.expires_at) for each in keys}
