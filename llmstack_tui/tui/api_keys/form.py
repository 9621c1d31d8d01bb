"""The dialogs in which a key or a passphrase is typed, which they do not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import UserFacingError
from llmstack_tui.core.wording import words
from llmstack_tui.keys.rules import owner_of, passphrase_of, sound
from llmstack_tui.keys.types import KeysFailed
from llmstack_tui.tui.dialogs import FormScreen, labelled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult

    from llmstack_tui.base.secret import Secret


class KeyForm(FormScreen):
    """Returns the owner once its key is kept.

    Args:
        owner: whose key it is; "": that is typed, too.
        keep: keeps the key, or raises UserFacingError, and the user can type another one.
    """

    def __init__(self, title: str, owner: str, keep: Callable[[str, Secret], Awaitable[None]]) -> None:
        super().__init__(title, [("", later("Enter validates and keeps it"))], ())
        self._owner = owner
        self._keep = keep

    def compose_body(self) -> ComposeResult:
        if not self._owner:
            example = ", ".join(("openai", "http://gpu-box:8000"))
            yield from labelled(
                tr("A provider's name, or a server's address"), Input(placeholder=example, id="owner")
            )
        yield from labelled(tr("The key"), Input(password=True, id="name"))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        owner = self._read_owner()
        if owner and not self.is_under_way:
            try:
                secret = sound(self.query_one("#name", Input).value)
            except UserFacingError as error:
                self.query_one("#name").focus()
                typed = self.query_one("#name", Input).value
                self.say("name", words(error) if typed else "", "-wrong")
            else:
                self.begin(owner, lambda: self._kept(owner, secret))

    def _read_owner(self) -> str:
        """The owner; "", with the reason, if what was typed is none."""
        if self._owner:
            return self._owner
        try:
            owner = owner_of(self.query_one("#owner", Input).value)
        except UserFacingError as error:
            if isinstance(error, KeysFailed) and error.kind == "keys.owner_like_key":
                self.query_one("#owner", Input).value = ""  # It was pasted where it can be seen.
            self.say("owner", words(error), "-wrong")
            return ""
        self.say("owner", "")
        return owner

    async def _kept(self, owner: str, secret: Secret) -> None:
        await self._keep(owner, secret)


class PassphraseForm(FormScreen):
    """Closes once the passphrase has opened the file.

    Args:
        unlock: opens it, or raises UserFacingError.
    """

    def __init__(self, unlock: Callable[[Secret], Awaitable[None]]) -> None:
        super().__init__(tr("The stored keys"), [("", later("Enter opens them"))], ())
        self._unlock = unlock

    def compose_body(self) -> ComposeResult:
        yield from labelled(tr("Passphrase"), Input(password=True, id="name"))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            passphrase = passphrase_of(event.value)
        except UserFacingError as error:
            self.say("name", words(error), "-wrong")
        else:
            self.begin("open", lambda: self._opened(passphrase))

    async def _opened(self, passphrase: Secret) -> None:
        await self._unlock(passphrase)
