"""The dialog that copies a model to another server: asks which and its name there, and shows the progress."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.suggester import SuggestFromList
from textual.widgets import Input

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import same_model
from llmstack_tui.base.sentences import listed
from llmstack_tui.base.text import brief, clean
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.errors import Refused
from llmstack_tui.tui.dialogs import FormScreen, check_name, labelled, progress_content
from llmstack_tui.tui.draw.servers import several_hosts
from llmstack_tui.tui.shell import AnswerChoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.widget import Widget

    from llmstack_tui.core.state import HostState
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import Key


async def offer_copy(shell: Shell, stack: DashboardStack, key: Key) -> None:
    """Ask where to, and copy a model; where its files are not here, offer that the other server pulls it."""
    names = several_hosts(stack.state, shell.host_names)
    targets = {names[host.snapshot.url]: host for host in stack.state.hosts if _takes(stack, host, key[0])}
    if not targets:
        shell.tell(
            tr(
                "No other server here can take a model. Name one in the settings: hosts = […], with "
                'allow = "act" if it is on another machine.'
            )
        )
        return
    screen = TransferScreen(stack, key, targets)
    made = await shell.show(screen)
    if made is None:
        return
    if screen.no_files is None:
        stack.refresh()
        shell.select(screen.to, made)
        shell.tell(
            tr("{model} is at {host} now.", model=brief(made, 60), host=brief(names[screen.to], 60)),
            title=tr("Copied"),
        )
        return
    answers = (AnswerChoice("", tr("Leave it")), AnswerChoice("pull", tr("Pull it there")))
    text = f"{words(screen.no_files)}\n\n{tr('If it is published, the other server can pull it by itself.')}"
    if await shell.ask(tr("Copy {model}", model=brief(key[1], 60)), text, answers, escape=""):
        await stack.downloads.pull(screen.to, key[1])
        shell.tell(tr("{model} is in the queue.", model=brief(key[1], 200)), title=tr("Pull"))


def _takes(stack: DashboardStack, host: HostState, source: str) -> bool:
    snapshot = host.snapshot
    able = snapshot.reachable and Capability.IMPORT in snapshot.capabilities
    return able and snapshot.url != source and snapshot.url not in stack.look_only


class TransferScreen(FormScreen):
    """Returns the name that the model has on the other server, or None.

    Args:
        key: the model.
        targets: the servers that can take it, by the names that they have on the screen.

    Attributes:
        to: the URL of the other server.
        no_files: why the model cannot be copied, if its files are not on this machine.
    """

    AUTO_FOCUS = "#host, #name"

    def __init__(self, stack: DashboardStack, key: Key, targets: Mapping[str, HostState]) -> None:
        super().__init__(
            tr("Copy {model} to another server", model=brief(key[1], 60)), [("enter", later("copy"))], ()
        )
        self._stack = stack
        self._key = key
        self._targets = targets
        self._replaces = ""
        self.to = ""
        self.no_files: Refused | None = None

    def compose_body(self) -> Iterator[Widget]:
        names = [clean(name) for name in self._targets]
        suggester = SuggestFromList(names, case_sensitive=False)
        label = tr("Server: {names}", names=listed(names))
        yield from labelled(label, Input(names[0], suggester=suggester, id="host"))
        yield from labelled(tr("Name there"), Input(clean(self._key[1]), id="name"))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._replaces = ""
        self.say(str(event.input.id), "")

    def on_input_submitted(self) -> None:
        if self.is_under_way:
            return
        typed, name = (self.query_one(f"#{field}", Input).value.strip() for field in ("host", "name"))
        host = self._targets.get(typed) or next(
            (each for label, each in self._targets.items() if clean(label).lower() == typed.lower()), None
        )
        if host is None:
            self.say("host", tr("It is none of these servers."), "-wrong")
            self.query_one("#host").focus()
        elif problem := check_name(name):
            self.say("name", problem, "-wrong")
            self.query_one("#name").focus()
        elif any(same_model(each.name, name) for each in host.models) and self._replaces != name:
            self._replaces = name
            said = tr("There is a model with this name there: Enter again replaces it.")
            self.say("name", said, "-warning")
        else:
            self.to = host.snapshot.url
            self.begin(name, partial(self._copy, name, replace=self._replaces == name))

    async def _copy(self, name: str, *, replace: bool) -> None:
        try:
            async for step in self._stack.actions.copy_to(*self._key, self.to, name, replace=replace):
                self.say("name", progress_content(step, self))
        except Refused as error:
            if error.kind != "transfer.no_files":
                raise
            self.no_files = error
