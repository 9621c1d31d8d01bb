"""Work in the background: one way to begin it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.dom import DOMNode
    from textual.worker import Worker


def start(
    node: DOMNode,
    description: str,
    work: Callable[[], Coroutine[object, object, object]],
    *,
    group: str = "default",
    name: str = "",
    exclusive: bool = False,
) -> Worker[object]:
    """Run ``work``, which is called only when its turn comes, as long as ``node`` is there.

    What it raises does not end the program: the dashboard tells of it, in a sentence that ``description``
    begins. An exclusive one cancels what is under way in its group.
    """

    async def run() -> object:
        # Textual takes not every callable for one that it may await.
        return await work()

    return node.run_worker(
        run,
        name=name,
        group=group,
        description=clean(description, limit=200),
        exclusive=exclusive,
        exit_on_error=False,
    )
