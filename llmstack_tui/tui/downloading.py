"""What the keys do to pulls. Each act is a worker of its own; what fails is a toast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.tui.figures import used_text
from llmstack_tui.tui.intents import Intents
from llmstack_tui.tui.later import Later
from llmstack_tui.tui.text import clean
from llmstack_tui.updates.download import DownloadState

if TYPE_CHECKING:
    from llmstack_tui.stack import Stack
    from llmstack_tui.updates.download import Download


class Downloading(Intents):
    """Intents of the user, carried out on the queue of the stack."""

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

    async def _pull(self, stack: Stack, host_url: str, name: str) -> None:
        await stack.downloads.pull(host_url, name)
        key = self._app.preferences.first_keys["app.downloads"]
        self._app.tell(f"{clean(name, limit=80)} is in the queue: press {key} to see it.", title="Download")

    async def _cancel(self, stack: Stack, download: Download) -> None:
        if not download.completed:
            await stack.downloads.cancel(download.id, keep=False)
            return
        from llmstack_tui.tui.screens.ask import Answer, AskScreen

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
