"""The connection to the servers."""

from __future__ import annotations

from llmstack_tui.tui.shell import Feature

FEATURE = Feature(
    name="servers",
    label="Servers",
    controller="connection.Connection",
)
