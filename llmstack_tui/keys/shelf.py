"""The stored keys: each in a vault, with its entry in the list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.keys.index import KeyIndex
from llmstack_tui.keys.patience import limited
from llmstack_tui.keys.types import KeysFailed, Vault
from llmstack_tui.keys.vaults import FileVault, KeyringVault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.keys.types import KeyEntry

T = TypeVar("T")

LIMIT_S = 30.0
"""How long a keyring may take: it may ask its owner for a password meanwhile."""


class KeyShelf:
    """Every call raises KeysFailed, and nothing else.

    Args:
        folder: of the files; it need not be there.
        passphrase: of the encrypted file.
        limit_s: seconds that the keyring may take.
    """

    def __init__(
        self, folder: Path, keyring: KeyringVault | None, passphrase: Secret | None, limit_s: float
    ) -> None:
        self._keyring = keyring or KeyringVault()
        self._file = FileVault(folder, passphrase)
        self._index = KeyIndex(folder)
        self._limit_s = limit_s

    async def entries(self) -> dict[str, KeyEntry]:
        """The entries by their owners."""
        return await asyncio.to_thread(self._index.read)

    async def entry(self, owner: str) -> KeyEntry:
        """The entry of an owner, who must have one."""
        found = (await self.entries()).get(owner)
        if found is None:
            raise KeysFailed("keys.none_stored", owner=owner)
        return found

    async def secret(self, entry: KeyEntry) -> Secret:
        found = await self._get(entry.vault, entry.owner)
        if found is None:
            raise KeysFailed("keys.gone", owner=entry.owner)
        return found

    async def put(self, owner: str, secret: Secret, *, in_file: bool) -> tuple[Vault, Sentences]:
        """Put a key where it is to be, read it back, and say what there is to say of the place.

        Args:
            in_file: in the encrypted file, though there is a keyring.
        """
        notes: Sentences = ()
        if not in_file:
            try:
                await limited(lambda: self._keyring.put(owner, secret), self._limit_s)
                if await self._get(Vault.KEYRING, owner) != secret:
                    raise KeysFailed("keys.keyring_lost_it")
                return Vault.KEYRING, ()
            except KeysFailed as error:
                notes = (error.sentence, Sentence("keys.file_instead", {"file": str(self._file.file)}))
        await self._alone(lambda: self._file.put(owner, secret))
        if await self._get(Vault.FILE, owner) != secret:
            raise KeysFailed("keys.not_kept", file=str(self._file.file))
        return Vault.FILE, notes

    async def note(self, entry: KeyEntry) -> None:
        """List an entry, in the place of the one that its owner has."""
        await self._alone(lambda: self._index.put(entry))

    async def change(self, owner: str, change: Callable[[KeyEntry], KeyEntry]) -> None:
        """Change an entry, if it is there."""

        def changed() -> None:
            entry = self._index.read().get(owner)
            if entry is not None:
                self._index.put(change(entry))

        await self._alone(changed)

    async def drop(self, entry: KeyEntry) -> None:
        """Take a key out of its vault; the list is left as it is."""
        if entry.vault is Vault.FILE:
            await self._alone(lambda: self._file.drop(entry.owner))
            return
        try:
            await limited(lambda: self._keyring.drop(entry.owner), self._limit_s)
        except KeysFailed as error:
            if error.kind != "keys.no_keyring":  # Which is gone, and the key with it.
                raise

    async def forget(self, owner: str) -> None:
        """Take an entry out of the list."""
        await self._alone(lambda: self._index.drop(owner))

    def place(self, vault: Vault) -> str:
        """The file; "" for the keyring."""
        return str(self._file.file) if vault is Vault.FILE else ""

    async def has_passphrase(self) -> bool:
        """Whether the encrypted file asks for a passphrase."""
        return await asyncio.to_thread(lambda: self._file.has_passphrase)

    async def open_file(self) -> None:
        """See whether the encrypted file can be opened, if it is there."""
        await self._get(Vault.FILE, "")

    async def unlock(self, passphrase: Secret) -> None:
        """Use a passphrase from now on, if it opens the file."""
        before, self._file.passphrase = self._file.passphrase, passphrase
        try:
            await self.open_file()
        except KeysFailed:
            self._file.passphrase = before
            raise

    async def change_passphrase(self, passphrase: Secret | None) -> None:
        """Encrypt the file with another passphrase; None: with the key of this machine."""
        await self._alone(lambda: self._file.change_passphrase(passphrase))

    async def _get(self, vault: Vault, owner: str) -> Secret | None:
        if vault is Vault.KEYRING:
            return await limited(lambda: self._keyring.get(owner), self._limit_s)
        return await asyncio.to_thread(self._file.get, owner)

    async def _alone(self, act: Callable[[], T]) -> T:
        """Change the files while nobody else does."""

        def alone() -> T:
            with self._index.held():
                return act()

        return await asyncio.to_thread(alone)
