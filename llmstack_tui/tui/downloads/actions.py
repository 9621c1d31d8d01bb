"""What the keys do to pulls. Each act is a worker of its own; what fails is a toast."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.names import same_model
from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.downloads.types import DownloadState, Why
from llmstack_tui.tui.controller import Intents
from llmstack_tui.tui.deferred import Later
from llmstack_tui.tui.draw.figures import used_text
from llmstack_tui.tui.draw.servers import address, left_behind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.core import Stack, StackState
    from llmstack_tui.downloads.types import Download
    from llmstack_tui.tui.app import Dashboard


_MOST_HOSTS = _MOST_NAMED = 3
# What a bar shows of the start of a model, which may take longer.
_START_S = 60.0


class Wanted(Struct, frozen=True):
    """What somebody may want to pull.

    Attributes:
        download: bytes; None is not known.
        memory: what it takes and whether it fits, a sentence; "" is not known.
    """

    name: str
    download: int | None = None
    memory: str = ""


class Downloading(Intents):
    """Intents of the user, carried out on the queue of the stack; and word of what came of them."""

    def __init__(self, app: Dashboard) -> None:
        super().__init__(app)
        self._open: frozenset[int] = frozenset()
        self._under_way: tuple[Download, ...] = ()
        self._stopped: tuple[Download, ...] = ()
        self._is_leaving = False

    def follow(self, state: StackState) -> None:
        """Tell how pulls ended that were seen under way."""
        for download in state.downloads:
            name = clean(download.model, limit=80)
            if download.id not in self._open:
                continue
            if download.state is DownloadState.DONE:
                end = "was updated" if download.why is Why.UPDATE else "is installed"
                self._app.tell(f"{name} {end}.", title="Download")
            elif download.state is DownloadState.FAILED:
                self._app.notify(
                    clean(f"{name}: {download.reason}", limit=400),
                    title="Download failed",
                    severity="error",
                    timeout=10,
                    markup=False,
                )
        self._open = frozenset(download.id for download in state.downloads if not download.state.is_over)

    def pause(self, download_id: int | None) -> None:
        """Pause it, or go on with it where it is paused."""
        found = self._may_change(download_id)
        if found is None:
            return
        stack, download = found
        if download.state is DownloadState.PAUSED:
            stack.downloads.resume(download.id)
        elif not download.state.is_over:
            stack.downloads.pause(download.id)
        else:
            self._app.tell(
                f"{clean(download.model, limit=60)} is {download.state}: there is nothing to pause."
            )

    def cancel(self, download_id: int | None) -> None:
        found = self._may_change(download_id)
        if found is None:
            return
        stack, download = found
        if download.state.is_over:
            self._app.tell(f"{clean(download.model, limit=60)} is {download.state} already.")
        else:
            self._run(f"Cancel {download.model}", Later(self._cancel, stack, download))

    def retry(self, download_id: int | None) -> None:
        found = self._may_change(download_id)
        if found is None:
            return
        stack, download = found
        if download.state in {DownloadState.FAILED, DownloadState.CANCELLED}:
            self._run(f"Pull {download.model}", Later(stack.downloads.retry, download.id))
        else:
            self._app.tell("Only what failed or was cancelled can be tried again.")

    def forget_over(self) -> None:
        """Take what is over off the list."""
        if (stack := self._changeable()) is not None:
            stack.downloads.forget_over()

    def pull(self, host_url: str, name: str) -> None:
        if (stack := self._changeable()) is not None:
            self._run(f"Pull {name}", Later(self._pull, stack, host_url, name))

    def offer(self, wanted: Wanted) -> None:
        """Pull it after a question, which names the hosts."""
        stack = self._changeable()
        if stack is None:
            return
        hosts = [
            host.snapshot.url
            for host in stack.state.hosts
            if host.snapshot.url not in stack.look_only and Capability.PULL in host.snapshot.capabilities
        ]
        if hosts:
            self._run(f"Pull {wanted.name}", Later(self._offer, stack, wanted, hosts))
        else:
            self._app.tell("No server here takes downloads.")

    async def _offer(self, stack: Stack, wanted: Wanted, hosts: list[str]) -> None:
        from llmstack_tui.tui.dialogs.ask import Answer, AskScreen

        names = self._app.host_names
        answers = [Answer("", "Not now")]
        for url in hosts[:_MOST_HOSTS]:
            name = clean(names.get(url) or address(url), limit=24)
            answers.append(Answer(url, "Download it" if len(hosts) == 1 else f"To {name}"))
        text = offer_text(wanted, stack.state, hosts)
        title = f"Download {clean(wanted.name, limit=50)}?"
        url = await self._app.push_screen_wait(AskScreen(title, text, answers, escape=""))
        if url:
            await self._pull(stack, url, wanted.name)

    async def _pull(self, stack: Stack, host_url: str, name: str) -> None:
        await stack.downloads.pull(host_url, name)
        key = self._app.preferences.first_keys["app.downloads"]
        self._app.tell(f"{clean(name, limit=80)} is in the queue: press {key} to see it.", title="Download")

    async def _cancel(self, stack: Stack, download: Download) -> None:
        if not download.completed:
            await stack.downloads.cancel(download.id, keep=False)
            return
        from llmstack_tui.tui.dialogs.ask import Answer, AskScreen

        there = used_text(download.completed, download.total)
        text = f"{there} are there. If they are kept, a later download goes on from where it was."
        answers = (
            Answer("on", "Go on"),
            Answer("keep", "Cancel, keep them"),
            Answer("delete", "Cancel, delete them", dangerous=True),
        )
        title = f"Cancel {clean(download.model, limit=50)}?"
        answer = await self._app.push_screen_wait(AskScreen(title, text, answers, escape="on"))
        if answer in {"keep", "delete"}:
            await stack.downloads.cancel(download.id, keep=answer == "keep")

    # Leaving

    def leave(self) -> None:
        """End the dashboard; where a model was stopped for its update, after a question."""
        stack = self._app.connection.stack
        stopped = self._stays_stopped(stack) if stack is not None else ()
        if stack is None or not stopped or self._is_leaving:
            self._app.end(0)
        else:
            self._is_leaving = True
            self._run("Quit", Later(self._leave, stack, stopped))

    @property
    def left_behind(self) -> str:
        """What to say of pulls when the dashboard has ended."""
        stack = self._app.connection.stack
        if stack is None:
            return ""
        under_way = stack.downloads.under_way or self._under_way
        return left_behind(under_way, stack.downloads.stopped or self._stopped)

    def _stays_stopped(self, stack: Stack) -> tuple[Download, ...]:
        """Those of an engine that ends with us would leave with it."""
        engine, keep = self._app.connection.engine, self._app.settings.engine.keep
        ending = engine.process.url if engine is not None and not keep else None
        return tuple(each for each in stack.downloads.stopped if each.host != ending)

    async def _leave(self, stack: Stack, stopped: Sequence[Download]) -> None:
        from llmstack_tui.tui.dialogs.ask import Answer, AskScreen
        from llmstack_tui.tui.dialogs.wait import WaitScreen

        is_one = len(stopped) == 1
        which = clean(stopped[0].model, limit=60) if is_one else f"{len(stopped)} models"
        answers = (
            Answer("start", f"Start {'it' if is_one else 'them'} again and quit"),
            Answer("quit", "Quit"),
            Answer("stay", "Stay"),
        )
        try:
            match await self._app.push_screen_wait(
                AskScreen("Quit in the middle of an update?", leaving_text(stopped), answers, escape="stay")
            ):
                case "stay":
                    return
                case "start":
                    self._under_way = stack.downloads.under_way
                    await self._app.push_screen_wait(
                        WaitScreen(
                            f"Starting {which} again",
                            "Then llmstack ends. If you give up, it ends at once.",
                            partial(self._start_again, stack),
                            self._app.marks,
                            limit_s=_START_S,
                        )
                    )
            self._app.end(0)
        finally:
            self._is_leaving = False

    async def _start_again(self, stack: Stack) -> None:
        self._stopped = await stack.downloads.start_again()

    def _changeable(self) -> Stack | None:
        """The stack, if it may change something."""
        stack = self._stack()
        return None if stack is None or self._refused(stack) else stack

    def _may_change(self, download_id: int | None) -> tuple[Stack, Download] | None:
        stack = self._changeable() if download_id is not None else None
        if stack is None:
            return None
        found = next((each for each in stack.state.downloads if each.id == download_id), None)
        return (stack, found) if found else None


def leaving_text(stopped: Sequence[Download]) -> str:
    """What leaving now means for models that were stopped for their updates."""
    names = [clean(each.model, limit=80) for each in stopped]
    shown = ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    )
    if len(names) == 1:
        first = f"{shown} was stopped for its update, which is not done."
        rest = "Until then it stays stopped, unless its old version is started again now."
    else:
        first = f"{shown} were stopped for their updates, which are not done."
        rest = "Until then they stay stopped, unless their old versions are started again now."
    return f"{first} What came is kept, and goes on with the next llmstack. {rest}"


def offer_text(wanted: Wanted, state: StackState, hosts: Sequence[str]) -> str:
    """What is to be known before it is pulled: how large, how much disk is left, whether it fits."""
    from llmstack_tui.base.address import is_loopback

    lines = [
        "How large it is is not known."
        if wanted.download is None
        else f"{bytes_text(wanted.download)} to download, less what is there already."
    ]
    here = [url for url in hosts if is_loopback(url)]
    disk = state.machine.disk if state.machine else None
    if here and disk is not None:
        left = disk.total - disk.used
        text = f"The disk of this machine has {bytes_text(left)} left"
        if wanted.download is None:
            lines.append(f"{text}.")
        elif wanted.download > left:
            lines.append(f"{text}: that is too little.")
        else:
            lines.append(f"{text}, and {bytes_text(left - wanted.download)} afterwards.")
    if len(here) < len(hosts):
        lines.append("How much disk other machines have left is not known here.")
    if wanted.memory:
        lines.append(wanted.memory)
    if any(same_model(model.name, wanted.name) for host in state.hosts for model in host.models):
        lines.append("It is installed: only what is newer is fetched.")
    return "\n".join(lines)
