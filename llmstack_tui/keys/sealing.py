"""Texts encrypted with a passphrase, or with the random key of this machine.

AES-256-GCM (NIST SP 800-38D), so that a changed byte is noticed; the head is authenticated with it. A
passphrase becomes a key by scrypt (RFC 7914), with the parameters that OWASP's Password Storage Cheat Sheet
gives for 32 MiB.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from llmstack_tui.base.structs import replace
from llmstack_tui.keys.types import KeysFailed, KeysLocked

if TYPE_CHECKING:
    from llmstack_tui.base.secret import Secret

FORMAT: Literal["llmstack-keys"] = "llmstack-keys"
VERSION = 1
KEY_BYTES = 32
_NONCE_BYTES, _SALT_BYTES = 12, 16
COST = 2**15
"""Memory and time of scrypt: 128 × cost × block bytes, and 0.4 s."""
_BLOCK, _LANES = 8, 3
# A file could ask for all memory of the machine.
_MOST_COST, _MOST_BLOCK, _MOST_LANES = 2**18, 16, 16


class Sealed(Struct, frozen=True, kw_only=True):
    """An encrypted text as it is in a file. Without a salt, the machine's key opens it."""

    format: Literal["llmstack-keys"] = FORMAT
    version: int = VERSION
    salt: bytes = b""
    cost: int = COST
    block: int = _BLOCK
    lanes: int = _LANES
    nonce: bytes = b""
    sealed: bytes = b""

    @property
    def has_passphrase(self) -> bool:
        return bool(self.salt)

    @property
    def head(self) -> bytes:
        return msgspec.json.encode(replace(self, sealed=b""))


class _SealedVersion(Struct):
    """What every version has."""

    format: Literal["llmstack-keys"]
    version: int = VERSION


def seal(text: bytes, key: Secret | bytes) -> bytes:
    """Encrypt a text with a passphrase, or with 32 random bytes. Takes 0.4 s with a passphrase.

    Raises:
        KeysFailed: what encrypts is not installed.
    """
    salt = b"" if isinstance(key, bytes) else os.urandom(_SALT_BYTES)
    head = Sealed(salt=salt, cost=COST, nonce=os.urandom(_NONCE_BYTES))
    return msgspec.json.encode(replace(head, sealed=_cipher(head, key).encrypt(head.nonce, text, head.head)))


def read_sealed(content: bytes, file: str) -> Sealed:
    """The parts of an encrypted text.

    Raises:
        KeysFailed: it is none, is damaged, or is of a newer version.
    """
    try:
        head = msgspec.json.decode(content, type=_SealedVersion)
        if head.version != VERSION:
            raise KeysFailed("keys.other_version", file=file, version=head.version, known=VERSION)
        found = msgspec.json.decode(content, type=Sealed)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise KeysFailed("keys.damaged", file=file) from None
    fits = found.cost <= _MOST_COST and found.block <= _MOST_BLOCK and found.lanes <= _MOST_LANES
    if not fits or len(found.nonce) != _NONCE_BYTES or not found.sealed:
        raise KeysFailed("keys.damaged", file=file)
    return found


def unseal(sealed: Sealed, key: Secret | bytes, file: str) -> bytes:
    """Decrypt a text. Takes 0.4 s with a passphrase.

    Raises:
        KeysLocked: the passphrase is wrong (or the file was changed: that cannot be told apart).
        KeysFailed: the text is damaged, or another machine's; or what decrypts is not installed.
    """
    cipher = _cipher(sealed, key, file)
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (an extra)

    try:
        return cipher.decrypt(sealed.nonce, sealed.sealed, sealed.head)
    except InvalidTag:
        if sealed.has_passphrase:
            raise KeysLocked("keys.wrong_passphrase", file=file) from None
        raise KeysFailed("keys.damaged", file=file) from None


def is_installed() -> bool:
    """Whether what encrypts is installed."""
    from importlib.util import find_spec  # noqa: PLC0415 (only where keys are kept)

    return find_spec("cryptography") is not None


def _cipher(head: Sealed, key: Secret | bytes, file: str = "") -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (an extra)
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415
    except ImportError:
        raise KeysFailed("keys.not_installed") from None
    if isinstance(key, bytes):
        return AESGCM(key)
    try:
        kdf = Scrypt(salt=head.salt, length=KEY_BYTES, n=head.cost, r=head.block, p=head.lanes)
        return AESGCM(kdf.derive(key.text.encode()))
    except (ValueError, MemoryError):
        raise KeysFailed("keys.damaged", file=file) from None


if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
