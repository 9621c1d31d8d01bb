"""The keys that several screens have, or all of them; those of a feature are in its folder.

Each has an id under which the settings can give it another key. The order is that of the key bar; what does
not fit there is found under ``?`` and in the palette.
"""

from __future__ import annotations

from functools import partial

from textual.binding import Binding

HELP, QUIT, PALETTE = "app.help", "app.quit", "app.palette"


def bind(
    id: str,  # noqa: A002  # Textual's own name
    key: str,
    action: str,
    word: str,
    tooltip: str,
    *,
    show: bool = True,
    priority: bool = False,
) -> Binding:
    """A line in a table of keys.

    Args:
        key: the usual ones, with commas between them.
        word: what the key bar calls it; ``tooltip`` says it at length, in the help and in the palette.
        priority: it comes before the keys of what has the focus.
    """
    return Binding(key, action, word, show=show, priority=priority, tooltip=tooltip, id=id)


hidden = partial(bind, show=False)
"""As `bind`, for what does not stand in the key bar."""

APP = [
    bind(HELP, "question_mark,f1", "help", "Help", "What is on the screen, and what the keys do"),
    hidden(PALETTE, "ctrl+p", "command_palette", "Commands", "Every command, by name"),
    bind(QUIT, "q", "quit", "Quit", "Leave; no running request is cut"),
    hidden("app.suspend", "ctrl+z", "suspend_process", "Suspend", "Back to the shell; fg returns"),
]

# What is done to a model from the list as well as from its details, where the order is another one.
ACTIVATE, DEACTIVATE, UPDATE, COPY_URL, COPY_NATIVE_URL, RESTART, PIN = (
    bind("models.activate", "a", "act_on('models.activate')", "Activate",
        "Load the model into memory, ready to answer"),
    bind("models.deactivate", "d", "act_on('models.deactivate')", "Deactivate",
        "Take the model out of memory when its running request has ended; cancels a load"),
    bind("models.update", "u", "act_on('updates.update')", "Update",
        "Fetch the newer version of the model; one that was changed here only after a question"),
    bind("models.copy_url", "y", "act_on('models.copy_url')", "Copy URL",
        "Copy the address for OpenAI clients"),
    hidden("models.copy_native_url", "Y", "act_on('models.copy_native_url')", "Copy Ollama URL",
        "Copy the address for Ollama clients"),
    hidden("models.restart", "R", "act_on('models.restart')", "Restart",
        "Take the model out of memory and load it again as it was; no request is cut"),
    hidden("models.pin", "P", "act_on('guard.pin')", "Pin",
        "Load the model for good: the guard never stops it; pressed again, it is like the others"),
)  # fmt: skip

FILTER = [
    bind("filter.keep", "enter", "keep", "Keep", "Back to the list, which stays filtered"),
    hidden("filter.down", "down", "keep", "Down", "From the filter to the list"),
    bind("filter.clear", "escape", "clear", "Show all", "Back to the whole list"),
]


def movements(of: str, line: str, page: str) -> list[Binding]:
    """How one moves through the list whose ids begin with ``of``; ``line`` and ``page`` name what it has."""
    return [
        hidden(f"{of}.up", "up,k", "cursor_up", "Up", f"One {line} up"),
        hidden(f"{of}.down", "down,j", "cursor_down", "Down", f"One {line} down"),
        hidden(f"{of}.page_up", "pageup", "page_up", "Page up", f"One {page} up"),
        hidden(f"{of}.page_down", "pagedown", "page_down", "Page down", f"One {page} down"),
        hidden(f"{of}.first", "home,g", "first", "First", f"To the first {line}"),
        hidden(f"{of}.last", "end,G", "last", "Last", f"To the last {line}"),
    ]


LIST = movements("list", "model", "page of models")
LIST[4:4] = [
    hidden("list.fold", "left", "fold", "Fold",
         "Where there are several hosts: to the line of the model's host, then fold its models away"),
    hidden("list.unfold", "right", "unfold", "Unfold", "Show the models of the host again"),
]  # fmt: skip

MODAL = [bind("dialog.cancel", "escape", "cancel", "Back", "Close this, and do nothing")]

TEXT = [
    hidden("text.up", "up,k", "scroll_up", "Up", "One line up"),
    hidden("text.down", "down,j", "scroll_down", "Down", "One line down"),
    hidden("text.top", "home,g", "scroll_home", "Top", "To the beginning"),
    hidden("text.end", "end,G", "scroll_end", "End", "To the end"),
]

ASK = [
    hidden("ask.before", "left,up", "app.focus_previous", "Before", "The answer before"),
    hidden("ask.next", "right,down", "app.focus_next", "Next", "The next answer"),
    hidden("ask.again", "r", "answer('again')", "Try again", "Try again"),
    hidden("ask.quit", "q", "answer('quit')", "Quit", "Leave"),
]

READING = [bind("help.close", "escape,q,question_mark", "dismiss", "Back", "Close the help")]

# What is pressed where, for the help, after the keys of the features.
CONTEXTS = {"Keys in dialogs": MODAL, "Keys in questions": ASK, "Keys in this help": READING}
