"""The actions on pulls. Each runs in a worker of its own; a failure is a toast."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.base.names import same_model
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text
from llmstack_tui.core.wording import text
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.tui.draw.figures import used_text
from llmstack_tui.tui.draw.servers import address, left_behind
from llmstack_tui.tui.draw.text import models_text
from llmstack_tui.tui.shell import AnswerChoice, Controller

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmstack_tui.core.state import HostState, StackState
    from llmstack_tui.core.types import DownloadRecord
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardStack


_UPDATED, _INSTALLED = later("{model} was updated."), later("{model} is installed.")
_MOST_HOSTS = _MOST_NAMED = 3
# The length of the progress bar while a model starts, which may take longer.
_START_S = 60.0


class DownloadController(Controller):
    """Carries out the user's actions on the stack's queue, and tells their results.

    Attributes:
        asked: the id of the pull asked for last, until the cursor is on it.
        replaced: the id of the pull that it takes the place of; the cursor goes along only if it is there.
    """

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.asked: int | None = None
        self.replaced: int | None = None
        self._open: frozenset[int] = frozenset()
        self._under_way: tuple[Download, ...] = ()
        self._stopped: tuple[Download, ...] = ()
        self._is_leaving = False

    def follow(self, state: StackState) -> None:
        """Tell how pulls ended that were under way before."""
        for download in state.downloads:
            name = brief(download.model, 80)
            if download.id not in self._open:
                continue
            if download.state is DownloadState.DONE:
                end = _UPDATED if download.why is Why.UPDATE else _INSTALLED
                self._shell.tell(tr(end, model=name), title=tr("Download"))
            elif download.state is DownloadState.FAILED:
                why = f"{name}: {text(*download.reason)}"
                self._shell.warn(why, title=tr("Download failed"), severity="error")
        self._open = frozenset(download.id for download in state.downloads if not download.state.is_over)

    def add(self) -> None:
        """Open the dialog to pull a model by its name, or to import a file."""
        if (stack := self._changeable()) is None:
            return
        selected = self._shell.selected_host
        for host in stack.state.hosts:
            url, able = host.snapshot.url, host.snapshot.capabilities
            if selected in {None, url} and (Capability.IMPORT in able or Capability.PULL in able):
                if self._answering([url]):
                    self._start(tr("Add a model"), partial(self._add, stack, host))
                return
        self._shell.tell(tr("This server takes no models."))

    async def _add(self, stack: DashboardStack, host: HostState) -> None:
        from llmstack_tui.tui.downloads.add import ImportScreen

        url, able = host.snapshot.url, host.snapshot.capabilities
        start = partial(stack.actions.import_gguf, url) if Capability.IMPORT in able else None
        pull = partial(self._ask_for, stack, url) if Capability.PULL in able else None
        screen = ImportScreen(start, pull, {model.name for model in host.models})
        made = await self._shell.show(screen)
        if made is None:
            return
        if screen.pulls:
            self._shell.tell(tr("{model} is in the queue.", model=brief(made, 200)), title=tr("Pull"))
        else:
            stack.refresh()
            self._shell.select(url, made)

    def pause(self, *ids: int) -> None:
        """Pause these pulls, or resume those that are paused."""
        for stack, download in self._chosen(ids):
            if download.state is DownloadState.PAUSED:
                stack.downloads.resume(download.id)
            elif not download.state.is_over:
                stack.downloads.pause(download.id)
            else:
                text = tr(
                    "{model} is over ({state}): there is nothing to pause.",
                    model=brief(download.model, 60),
                    state=tr(download.state),
                )
                self._shell.tell(text)

    def cancel(self, *ids: int) -> None:
        for stack, download in self._chosen(ids):
            if download.state.is_over:
                name, state = brief(download.model, 60), tr(download.state)
                self._shell.tell(tr("{model} is over already ({state}).", model=name, state=state))
            else:
                cancel = partial(self._cancel, stack, download)
                self._start(tr("Cancel {model}", model=download.model), cancel)

    def retry(self, *ids: int) -> None:
        """Retry pulls that failed or were cancelled."""
        for stack, download in self._chosen(ids):
            if download.state in {DownloadState.FAILED, DownloadState.CANCELLED}:
                retry = partial(self._retry, stack, download.id)
                self._start(tr("Pull {model}", model=download.model), retry)
            else:
                self._shell.tell(tr("Only what failed or was cancelled can be tried again."))

    def forget_over(self) -> None:
        """Clear pulls that are over from the list."""
        if (stack := self._changeable()) is None:
            return
        if rows := stack.downloads.forget_over():
            said = tr_n(
                "1 download was cleared from the list.",
                "{count} downloads were cleared from the list.",
                len(rows),
            )
            self._shell.offer_undo(said, partial(self._put_back, rows))
        else:
            self._shell.tell(tr("No download is over: there is nothing to clear."))

    def _put_back(self, rows: Sequence[DownloadRecord]) -> bool:
        if (stack := self._changeable()) is None:
            return False
        stack.downloads.put_back(rows)
        said = tr_n("1 download is in the list again.", "{count} downloads are in the list again.", len(rows))
        self._shell.tell(said)
        return True

    def offer(self, name: str, download: int | None, memory: str) -> None:
        """Ask to which host to pull a model, and pull it.

        Args:
            download: bytes; None means not known.
            memory: a sentence on the memory it takes and whether it fits; "" means not known.
        """
        if (stack := self._changeable()) is None:
            return
        hosts = [
            host.snapshot.url
            for host in stack.state.hosts
            if host.snapshot.url not in stack.look_only and Capability.PULL in host.snapshot.capabilities
        ]
        urls = self._answering(hosts)
        if here := [url for url in hosts if url in urls]:
            text = offer_text(name, download, memory, stack.state, here)
            self._start(tr("Pull {model}", model=name), partial(self._offer, stack, name, text, here))
        elif not hosts:
            self._shell.tell(tr("No server here takes downloads."))

    async def _offer(self, stack: DashboardStack, name: str, text: str, hosts: list[str]) -> None:
        names = self._shell.host_names
        if (more := len(hosts) - _MOST_HOSTS) > 0:
            others = tr_n(
                "{count} more server takes downloads: use their lists.",
                "{count} more servers take downloads: use their lists.",
                more,
            )
            text += f"\n{others}"
        answers = [AnswerChoice("", tr("Not now"))]
        for url in hosts[:_MOST_HOSTS]:
            host = brief(names.get(url) or address(url), 24)
            label = tr("Download it") if len(hosts) == 1 else tr("To {host}", host=host)
            answers.append(AnswerChoice(url, label))
        title = tr("Download {model}?", model=brief(name, 50))
        url = await self._shell.ask(title, text, answers, escape="")
        if url:
            await self._ask_for(stack, url, name)
            key, name = self._shell.view.keys["app.downloads"], brief(name, 80)
            said = tr("{model} is in the queue: press {key} to see it.", model=name, key=key)
            self._shell.tell(said, title=tr("Download"))

    async def _ask_for(self, stack: DashboardStack, host_url: str, name: str) -> None:
        self.asked, self.replaced = await stack.downloads.pull(host_url, name), None

    async def _retry(self, stack: DashboardStack, number: int) -> None:
        self.asked, self.replaced = await stack.downloads.retry(number), number

    async def _cancel(self, stack: DashboardStack, download: Download) -> None:
        if not download.completed:
            await stack.downloads.cancel(download.id, keep=False)
            return
        there = used_text(download.completed, download.total)
        text = tr(
            "{amount} are there. If the data is kept, a later download goes on from where it was.",
            amount=there,
        )
        answers = (
            AnswerChoice("on", tr("Keep downloading")),
            AnswerChoice("keep", tr("Cancel, keep the data")),
            AnswerChoice("delete", tr("Cancel, delete the data"), dangerous=True),
        )
        title = tr("Cancel the download of {model}?", model=brief(download.model, 50))
        answer = await self._shell.ask(title, text, answers, escape="on")
        if answer in {"keep", "delete"}:
            await stack.downloads.cancel(download.id, keep=answer == "keep")

    # Leaving

    def leave(self) -> None:
        """End the dashboard. Asks first if a model was unloaded for an update that is not done."""
        stack = self._shell.stack
        stopped = self._stays_stopped(stack) if stack is not None else ()
        if stack is None or not stopped or self._is_leaving:
            self._shell.end(0)
        else:
            self._is_leaving = True
            self._start(tr("Quit"), partial(self._leave, stack, stopped))

    def farewell(self) -> str:
        stack = self._shell.stack
        if stack is None:
            return ""
        under_way = stack.downloads.under_way or self._under_way
        return left_behind(under_way, stack.downloads.stopped or self._stopped)

    def _stays_stopped(self, stack: DashboardStack) -> tuple[Download, ...]:
        """The pulls whose models stay unloaded; those on an engine that ends with us would leave anyway."""
        return tuple(each for each in stack.downloads.stopped if each.host != self._shell.own_engine)

    async def _leave(self, stack: DashboardStack, stopped: Sequence[Download]) -> None:
        from llmstack_tui.tui.dialogs import WaitScreen

        answers = (
            AnswerChoice("start", tr_n("Load it again and quit", "Load them again and quit", len(stopped))),
            AnswerChoice("quit", tr("Quit")),
            AnswerChoice("stay", tr("Stay")),
        )
        try:
            title, text = tr("Quit in the middle of an update?"), leaving_text(stopped)
            match await self._shell.ask(title, text, answers, escape="stay"):
                case "stay":
                    return
                case "start":
                    self._under_way = stack.downloads.under_way
                    which = models_text([each.model for each in stopped])
                    wait = WaitScreen(
                        tr("Loading {models} again", models=which),
                        tr("Then llmstack ends. If you give up, it ends at once."),
                        partial(self._start_again, stack),
                        limit_s=_START_S,
                    )
                    await self._shell.show(wait)
            self._shell.end(0)
        finally:
            self._is_leaving = False

    async def _start_again(self, stack: DashboardStack) -> None:
        self._stopped = await stack.downloads.start_again()

    def _chosen(self, ids: Sequence[int]) -> Iterator[tuple[DashboardStack, Download]]:
        """These pulls, if they may be changed."""
        stack = self._changeable() if ids else None
        if stack is not None:
            yield from ((stack, each) for each in stack.state.downloads if each.id in ids)


def leaving_text(stopped: Sequence[Download]) -> str:
    """What quitting now means for models that were unloaded for their updates."""
    names = [brief(each.model, 80) for each in stopped]
    shown = ", ".join(names[:_MOST_NAMED])
    if (more := len(names) - _MOST_NAMED) > 0:
        shown = tr("{names} and {count} more", names=shown, count=more)
    return tr_n(
        "{models} was unloaded for its update, which is not done. What came is kept, and goes on with the "
        "next llmstack. Until then it stays unloaded, unless its old version is loaded again now.",
        "{models} were unloaded for their updates, which are not done. What came is kept, and goes on with "
        "the next llmstack. Until then they stay unloaded, unless their old versions are loaded again now.",
        len(names),
        models=shown,
    )


def offer_text(name: str, download: int | None, memory: str, state: StackState, hosts: Sequence[str]) -> str:
    """The facts to know before a pull: its size, the disk space left, whether the model fits.

    Args:
        download, memory: as for `DownloadController.offer`.
    """
    from llmstack_tui.base.address import is_loopback

    lines = [tr("Its size is not known.")]
    if download is not None:
        lines = [tr("{size} to download, less what is there already.", size=bytes_text(download))]
    here = [url for url in hosts if is_loopback(url)]
    disk = state.machine.disk if state.machine else None
    if here and disk is not None:
        free, rest = bytes_text(disk.free), bytes_text(disk.free - (download or 0))
        if download is None:
            said = tr("The disk of this machine has {size} left.", size=free)
        elif download > disk.free:
            said = tr("The disk of this machine has {size} left: that is too little.", size=free)
        else:
            said = tr(
                "The disk of this machine has {size} left, and {rest} afterwards.", size=free, rest=rest
            )
        lines.append(said)
    if len(here) < len(hosts):
        lines.append(tr("The disk space of other machines is not known here."))
    if memory:
        lines.append(memory)
    if any(same_model(model.name, name) for host in state.hosts for model in host.models):
        lines.append(tr("It is installed: only what is newer is fetched."))
    return "\n".join(lines)
