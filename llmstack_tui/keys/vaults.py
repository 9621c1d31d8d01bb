"""The two places that keep keys: the system's keyring, and an encrypted file. Both block."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from llmstack_tui.base.private_files import private_opener, replace_private
from llmstack_tui.base.secret import Secret
from llmstack_tui.keys.rules import is_trusted
from llmstack_tui.keys.sealing import KEY_BYTES, is_installed, read_sealed, seal, unseal
from llmstack_tui.keys.types import KeysFailed, KeysLocked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")

_SERVICE = "llmstack"
_MOST_BYTES = 2**20


class Backend(Protocol):
    """A keyring, as the library ``keyring`` has it."""

    def get_password(self, service: str, username: str, /) -> str | None: ...

    def set_password(self, service: str, username: str, password: str, /) -> None: ...

    def delete_password(self, service: str, username: str, /) -> None: ...


def system_backend() -> Backend:
    """The system's keyring. Raises KeysFailed if there is none that keeps secrets."""
    try:
        import keyring  # noqa: PLC0415 (an extra)
    except ImportError:
        raise KeysFailed("keys.not_installed") from None
    found: Backend = keyring.get_keyring()
    if not is_trusted(type(found).__module__):
        raise KeysFailed("keys.no_keyring")
    return found


class KeyringVault:
    """The system's keyring. Its programs may fail in any way: each failure is a `KeysFailed`.

    Args:
        find: gives the keyring, or raises KeysFailed.
    """

    def __init__(self, find: Callable[[], Backend] = system_backend) -> None:
        self._find = find

    def name(self) -> str:
        backend = self._find()
        return str(getattr(backend, "name", type(backend).__name__))

    def get(self, owner: str) -> Secret | None:
        text = self._done(lambda ring: ring.get_password(_SERVICE, owner))
        return Secret(text) if text else None

    def put(self, owner: str, secret: Secret) -> None:
        self._done(lambda ring: ring.set_password(_SERVICE, owner, secret.text))

    def drop(self, owner: str) -> None:
        """Remove a key; not being there is no failure."""
        if self.get(owner) is not None:
            self._done(lambda ring: ring.delete_password(_SERVICE, owner))

    def _done(self, act: Callable[[Backend], T]) -> T:
        try:
            return act(self._find())
        except KeysFailed:
            raise
        except Exception as error:  # noqa: BLE001 (of the library, of D-Bus, of the system)
            # Its own words could repeat what they were given.
            raise KeysFailed("keys.keyring_failed", why=type(error).__name__) from None


class FileVault:
    """An encrypted file, and beside it the random key that opens it unless a passphrase does.

    Attributes:
        passphrase: of the file, or the one to give to a new file; None: the machine's key.
    """

    def __init__(self, folder: Path, passphrase: Secret | None = None) -> None:
        self.file = folder / "keys.sealed"
        self.machine_file = folder / "machine.key"
        self.passphrase = passphrase
        self._last: tuple[bytes, dict[str, str]] = (b"", {})

    def get(self, owner: str) -> Secret | None:
        text = self._open()[0].get(owner)
        return Secret(text) if text else None

    def put(self, owner: str, secret: Secret) -> None:
        kept, key = self._open()
        self._write({**kept, owner: secret.text}, key or self._new_key())

    def drop(self, owner: str) -> None:
        """Remove a key; not being there is no failure."""
        kept, key = self._open()
        if key is not None and kept.pop(owner, None) is not None:
            self._write(kept, key)

    def change_passphrase(self, passphrase: Secret | None) -> None:
        """Encrypt the file with another passphrase, or with the machine's key."""
        kept, _ = self._open()
        self.passphrase = passphrase
        self._write(kept, self._new_key())

    @property
    def has_passphrase(self) -> bool:
        """Whether the file asks for one. Raises KeysFailed."""
        content = read_whole(self.file)
        return content is not None and read_sealed(content, str(self.file)).has_passphrase

    def _open(self) -> tuple[dict[str, str], Secret | bytes | None]:
        """The keys by their owners, and what opened the file; nothing if it is not there."""
        content = read_whole(self.file)
        if content is None:
            return {}, None
        sealed = read_sealed(content, str(self.file))
        key: Secret | bytes | None = self.passphrase if sealed.has_passphrase else self._machine_key()
        if key is None and sealed.has_passphrase:
            raise KeysLocked("keys.locked", file=str(self.file))
        if key is None:
            raise KeysFailed("keys.no_machine_key", file=str(self.file), key=str(self.machine_file))
        if content != self._last[0]:  # A passphrase takes its time.
            self._last = content, decoded(unseal(sealed, key, str(self.file)), str(self.file))
        return dict(self._last[1]), key

    def _write(self, kept: Mapping[str, str], key: Secret | bytes) -> None:
        write_whole(self.file, seal(msgspec.json.encode(kept), key))

    def _new_key(self) -> Secret | bytes:
        """What a new file is encrypted with; none that was encrypted before needs another one."""
        if not is_installed():
            raise KeysFailed("keys.not_installed")
        if (key := self.passphrase or self._machine_key()) is not None:
            return key
        made = os.urandom(KEY_BYTES)
        write_whole(self.machine_file, made.hex().encode() + b"\n")
        return made

    def _machine_key(self) -> bytes | None:
        found = read_whole(self.machine_file)
        if found is None:
            return None
        try:
            key = bytes.fromhex(found.decode("ascii"))
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise KeysFailed("keys.damaged", file=str(self.machine_file))
        return key


def decoded(text: bytes, file: str) -> dict[str, str]:
    """The keys by their owners, of a decrypted text. Raises KeysFailed."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise KeysFailed("keys.damaged", file=file) from None


def read_whole(file: Path) -> bytes | None:
    """A small file; None if it is not there. Raises KeysFailed."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeysFailed("keys.unreadable", file=str(file), why=error.strerror) from None
    if len(content) > _MOST_BYTES:
        raise KeysFailed("keys.damaged", file=str(file))
    return content


def write_whole(file: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all, in a folder for its owner alone.

    Raises:
        KeysFailed: it cannot be written. It is as it was.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_private(file, content)
    except OSError as error:
        raise KeysFailed("keys.not_written", file=str(file), why=error.strerror) from None


def write_new(file: Path, content: bytes) -> None:
    """Write a file for its owner alone that is not there yet. Raises KeysFailed."""
    try:
        with open(file, "xb", opener=private_opener) as output:
            output.write(content)
    except FileExistsError:
        raise KeysFailed("keys.file_there", file=str(file)) from None
    except OSError as error:
        raise KeysFailed("keys.not_written", file=str(file), why=error.strerror) from None
