"""The keys of providers and servers: found for who sends them, and kept for who owns them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure, Sentence, said
from llmstack_tui.base.structs import replace
from llmstack_tui.config.key import read_key
from llmstack_tui.keys import rules
from llmstack_tui.keys.shelf import LIMIT_S, KeyShelf
from llmstack_tui.keys.types import (
    FoundKey,
    KeptKey,
    KeyEntry,
    KeyOrigin,
    KeysFailed,
    KeyVerdict,
    ListedKey,
    TakenKeys,
    Vault,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.keys.types import KeyTrial
    from llmstack_tui.keys.vaults import KeyringVault

_USED_EVERY = timedelta(minutes=1)


class KeyRing:
    """All keys of this user.

    Args:
        folder: of what is stored; it need not be there.
        variables: the environment variable that has an owner's key.
        files: the plain files that the settings name for owners' keys.
        trial: how an owner is asked whether it accepts a key; None if nobody knows.
        passphrase: of the encrypted file.
        limit_s: seconds that the keyring may take.

    Attributes:
        shelf: the stored keys.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        variables: Mapping[str, str] | None = None,
        files: Mapping[str, Path] | None = None,
        trial: Callable[[str], KeyTrial | None] = lambda _: None,
        keyring: KeyringVault | None = None,
        passphrase: Secret | None = None,
        limit_s: float = LIMIT_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._environ = environ
        self._variables = variables or {}
        self._files = files or {}
        self._trial = trial
        self._now = now
        self.shelf = KeyShelf(folder, keyring, passphrase, limit_s)

    # For who sends a key

    async def find(self, owner: str) -> FoundKey | None:
        """The key to send to an owner; None if there is none.

        Raises:
            KeyFailed, KeysFailed: there should be one, and it cannot be had.
        """
        if (named := self._named(owner)) is not None:
            return named
        if (file := self._files.get(owner)) is not None:
            return FoundKey(await asyncio.to_thread(read_key, file), KeyOrigin.PLAIN_FILE, str(file))
        entry = (await self.shelf.entries()).get(owner)
        if entry is None:
            return None
        secret, now = await self.shelf.secret(entry), self._now()
        if entry.used_at is None or now - entry.used_at >= _USED_EVERY:
            with suppress(KeysFailed):  # The key is good without that note.
                await self.shelf.change(owner, lambda kept: replace(kept, used_at=now))
        return FoundKey(secret, KeyOrigin(entry.vault), self.shelf.place(entry.vault))

    def _named(self, owner: str) -> FoundKey | None:
        """The key in the environment. Raises KeysFailed."""
        variable = self._variables.get(owner, "")
        text = self._environ.get(variable, "").strip() if variable else ""
        if not text:
            return None
        try:
            return FoundKey(rules.sound(text), KeyOrigin.ENVIRONMENT, variable)
        except KeysFailed:
            raise KeysFailed("keys.unsound_variable", variable=variable) from None

    # For who owns the keys

    async def listed(self) -> tuple[ListedKey, ...]:
        """All keys, as far as they can be listed without opening anything. Raises KeysFailed."""
        entries = await self.shelf.entries()
        owners = dict.fromkeys((*entries, *self._files, *self._variables))
        return tuple(row for owner in owners for row in self._rows(owner, entries.get(owner)))

    def _rows(self, owner: str, entry: KeyEntry | None) -> Iterator[ListedKey]:
        """The keys of one owner, the one that is sent first."""
        found: list[ListedKey] = []
        try:
            if (named := self._named(owner)) is not None:
                tail = rules.tail_of(named.secret)
                found.append(ListedKey(owner=owner, origin=named.origin, place=named.place, tail=tail))
        except KeysFailed as error:
            place, origin = self._variables[owner], KeyOrigin.ENVIRONMENT
            found.append(ListedKey(owner=owner, origin=origin, place=place, problem=said(error)))
        if (file := self._files.get(owner)) is not None:
            found.append(ListedKey(owner=owner, origin=KeyOrigin.PLAIN_FILE, place=str(file)))
        if entry is not None:
            origin, place = KeyOrigin(entry.vault), self.shelf.place(entry.vault)
            ends = rules.expiry(entry.expires_at, self._now())
            found.append(
                ListedKey(owner=owner, origin=origin, place=place, entry=entry, expiry=ends, tail=entry.tail)
            )
        for number, each in enumerate(found):
            yield replace(each, is_hidden=number > 0)

    async def add(
        self, owner: str, secret: Secret, *, expires_at: datetime | None = None, in_file: bool = False
    ) -> KeptKey:
        """Keep a key, unless its owner refuses it.

        Args:
            in_file: in the encrypted file, though there is a keyring.

        Raises:
            KeysFailed: there is one already, it is refused, or it cannot be kept.
        """
        if owner in await self.shelf.entries():
            raise KeysFailed("keys.there", owner=owner)
        verdict: KeyVerdict | None = None
        notes: Sentences = ()
        try:
            verdict = await self._asked(owner, secret)
        except Failure as error:
            notes = (Sentence("keys.not_validated", {"why": said(error)}),)
        if verdict is KeyVerdict.REFUSED:
            raise KeysFailed("keys.refused", owner=owner)
        kept = await self._keep(owner, secret, verdict, expires_at, in_file=in_file)
        return replace(kept, notes=(*notes, *kept.notes))

    async def validate(self, owner: str) -> KeyVerdict:
        """Whether the key that is sent to an owner is accepted, and a wrong one is not.

        Raises:
            KeysFailed: there is none.
            Failure: that could not be found out.
        """
        found = await self.find(owner)
        if found is None:
            raise KeysFailed("keys.none", owner=owner)
        verdict, now = await self._asked(owner, found.secret), self._now()
        if verdict is KeyVerdict.VALID and found.origin in (KeyOrigin.KEYRING, KeyOrigin.FILE):
            await self.shelf.change(owner, lambda kept: replace(kept, validated_at=now))
        return verdict

    async def rotate(self, owner: str, secret: Secret, *, expires_at: datetime | None = None) -> KeptKey:
        """Replace a stored key by one that its owner accepts.

        Raises:
            KeysFailed: none is stored, the new one is refused, or it cannot be kept. The old one stays.
            Failure: it could not be found out whether the new one is accepted. The old one stays.
        """
        entry = await self.shelf.entry(owner)
        verdict = await self._asked(owner, secret)
        if verdict is KeyVerdict.REFUSED:
            raise KeysFailed("keys.new_refused", owner=owner)
        kept = await self._keep(owner, secret, verdict, expires_at, in_file=entry.vault is Vault.FILE)
        if kept.entry.vault is not entry.vault:
            with suppress(KeysFailed):  # Such as a keyring that fails, for which the file has taken over.
                await self.shelf.drop(entry)
        return kept

    async def remove(self, owner: str) -> KeyEntry:
        """Forget a stored key. Raises KeysFailed."""
        entry = await self.shelf.entry(owner)
        await self.shelf.drop(entry)
        await self.shelf.forget(owner)
        return entry

    async def all(self) -> tuple[tuple[KeyEntry, Secret], ...]:
        """The stored keys themselves, for an export. Raises KeysFailed."""
        entries = (await self.shelf.entries()).values()
        return tuple([(entry, await self.shelf.secret(entry)) for entry in entries])

    async def take(
        self, found: Mapping[str, tuple[Secret, datetime | None]], *, in_file: bool = False
    ) -> TakenKeys:
        """Keep the keys of an import, unasked; those of owners that have one stay as they are.

        Raises:
            KeysFailed: one could not be kept; those before it are.
        """
        there = await self.shelf.entries()
        notes: Sentences = ()
        for owner in (new := [owner for owner in found if owner not in there]):
            secret, expires_at = found[owner]
            notes = (await self._keep(owner, secret, None, expires_at, in_file=in_file)).notes
        return TakenKeys(tuple(new), tuple(owner for owner in found if owner in there), notes)

    async def _asked(self, owner: str, secret: Secret) -> KeyVerdict:
        """What the owner says to the key, and to a wrong one. Raises Failure if that does not show."""
        trial = self._trial(owner)
        if trial is None:
            return KeyVerdict.UNKNOWN
        takes_key = await trial(secret)
        wrong = Secret(f"llmstack-wrong-{token_urlsafe(24)}")
        return rules.verdict(takes_key=takes_key, takes_wrong=takes_key and await trial(wrong))

    async def _keep(
        self,
        owner: str,
        secret: Secret,
        verdict: KeyVerdict | None,
        expires_at: datetime | None,
        *,
        in_file: bool,
    ) -> KeptKey:
        """Put a key into a vault, and then into the list. Raises KeysFailed; what was listed stays."""
        vault, notes = await self.shelf.put(owner, secret, in_file=in_file)
        now = self._now()
        entry = KeyEntry(
            owner=owner,
            vault=vault,
            added_at=now,
            tail=rules.tail_of(secret),
            validated_at=now if verdict is KeyVerdict.VALID else None,
            expires_at=expires_at,
        )
        try:
            await self.shelf.note(entry)
        except KeysFailed:
            if owner not in await self.shelf.entries():  # Where nothing lists it, nobody would remove it.
                await self.shelf.drop(entry)
            raise
        return KeptKey(entry, self.shelf.place(vault), verdict, (*notes, *self._hiding(owner)))

    def _hiding(self, owner: str) -> Sentences:
        """That the stored key is not sent, as another one wins."""
        variable = self._variables.get(owner, "")
        if variable and self._environ.get(variable, "").strip():
            return (Sentence("keys.variable_wins", {"variable": variable, "owner": owner}),)
        if (file := self._files.get(owner)) is not None:
            return (Sentence("keys.file_wins", {"file": str(file), "owner": owner}),)
        return ()
