"""The log of Ollama or of the built-in engine, followed."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden, movements
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("log.filter", "slash", "filter", "Filter", "Only lines with a text"),
    bind("log.level", "v", "level", "Level", "Warnings and errors; errors; all, with polls; the usual"),
    bind("log.pause", "p,space", "pause", "Pause", "Stop reading, and go on where it was; nothing is lost"),
    bind("log.known", "w", "known", "As written", "Lines as they are written, or known ones as sentences"),
    bind("log.server", "tab", "server", "Other", "The log of the other server: Ollama, or the engine"),
    bind("log.copy", "y", "copy", "Copy", "Copy the line under the cursor"),
    bind("log.close", "escape,q,l", "close", "Back", "Back to the previous screen"),
]  # fmt: skip
LINE_KEYS = [
    *movements("log", "line", "page of lines"),
    hidden("log.newest", "f", "last", "Follow", "To the newest line, and follow what is written"),
]

FEATURE = Feature(
    name="log",
    label="Log",
    keys={"Keys of the log": [*KEYS, *LINE_KEYS]},
    screen="screen.LogScreen",
)
