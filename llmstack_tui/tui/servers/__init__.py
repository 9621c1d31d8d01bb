"""The way to the servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.tui.shell import Feature

if TYPE_CHECKING:
    from llmstack_tui.tui.servers.connection import Connection


def _controller() -> type[Connection]:
    from llmstack_tui.tui.servers.connection import Connection

    return Connection


FEATURE = Feature(
    name="servers",
    label="Servers",
    controller=_controller,
)
