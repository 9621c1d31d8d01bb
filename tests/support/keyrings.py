"""Keyrings as the library ``keyring`` loads them, for one process or, in a folder, for several."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class MemoryKeyring:
    """Keeps what it is given; ``words`` is what is in it."""

    def __init__(self) -> None:
        self.words: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.words.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.words[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.words[service, username]


class LockedKeyring(MemoryKeyring):
    """Its owner does not unlock it. Its words repeat what it was given, as some do."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"locked: {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"locked: {username}={password}")


class ForgettingKeyring(MemoryKeyring):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class HangingKeyring(MemoryKeyring):
    """Answers once ``gate`` is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.gate.wait()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.gate.wait()


class OutsideKeyring:
    """Keeps its words in a folder named by a variable: that of another program, outside of the home."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        file = self._file(service, username)
        return file.read_text() if file.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        self._file(service, username).write_text(password)

    def delete_password(self, service: str, username: str) -> None:
        self._file(service, username).unlink()

    def _file(self, service: str, username: str) -> Path:
        return Path(os.environ["TEST_KEYRING_FOLDER"]) / f"{service} {username}".replace("/", "_")


KeyringBackend.register(OutsideKeyring)  # To inherit from it, its types would have to be known.
