"""The keys of several or all screens; those of a single feature are in its folder.

Each binding has an id, under which the settings can give it another key. The order is that of the key bar;
keys that do not fit there are shown under ``?`` and in the palette.
"""

from __future__ import annotations

from functools import partial

from textual.binding import Binding

HELP, QUIT, PALETTE, UNDO = "app.help", "app.quit", "app.palette", "app.undo"


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
    """Make a binding.

    Args:
        key: the default keys, separated by commas.
        word: its name in the key bar; ``tooltip`` is the long form, for the help and the palette.
        priority: it takes precedence over the keys of the focused widget.
    """
    return Binding(key, action, word, show=show, priority=priority, tooltip=tooltip, id=id)


hidden = partial(bind, show=False)
"""Like `bind`, for a key that is not shown in the key bar."""

APP = [
    bind(HELP, "question_mark,f1", "help", "Help", "What is on the screen, and what the keys do"),
    hidden(UNDO, "z", "undo", "Undo",
        "Take back the last unload, pin, unpin, rename or clearing of a list; again: the one before"),
    hidden(PALETTE, "ctrl+p", "command_palette", "Commands", "Every command, by name"),
    bind(QUIT, "q", "quit", "Quit", "Leave, as Ctrl-C does; no running request is cut"),
    hidden("app.suspend", "ctrl+z", "suspend_process", "Suspend", "Back to the shell; fg returns"),
]  # fmt: skip

# Keys for a model, in the list and, in another order, in its details.
ACTIVATE, DEACTIVATE, UPDATE, COPY_URL, COPY_NATIVE_URL, EDITORS, RESTART, PIN, TALK = (
    bind("models.activate", "a", "act_on('models.activate')", "Load",
        "Load the model into memory, ready to answer"),
    bind("models.deactivate", "d", "act_on('models.deactivate')", "Unload",
        "Take the model out of memory when its running request has ended; cancels a load"),
    bind("models.update", "u", "act_on('updates.update')", "Update",
        "Fetch the newer version of the model; asks first if the model was changed here"),
    bind("models.copy_url", "y", "act_on('models.copy_url')", "Copy URL",
        "Copy the address for OpenAI clients"),
    hidden("models.copy_native_url", "Y", "act_on('models.copy_native_url')", "Copy Ollama URL",
        "Copy the address for Ollama clients"),
    hidden("models.editors", "e", "go_on('editors')", "Editors",
        "The settings with which an editor or an agent uses the model; copy, write or test them"),
    hidden("models.restart", "R", "act_on('models.restart')", "Restart",
        "Take the model out of memory and load it again as it was; no request is cut"),
    hidden("models.pin", "P", "act_on('guard.pin')", "Pin",
        "Load the model and keep it loaded: the guard never unloads it; press again to unpin"),
    bind("models.talk", "t", "act_on('chat.talk')", "Talk", "Talk to the model; the first question loads it"),
)  # fmt: skip

FILTER = [
    bind("filter.keep", "enter", "keep", "Keep", "Back to the list, which stays filtered"),
    hidden("filter.down", "down", "keep", "Down", "From the filter to the list"),
    bind("filter.clear", "escape", "clear", "Show all", "Back to the whole list"),
]


def movements(of: str, line: str, page: str) -> list[Binding]:
    """The movement keys of a list: their ids begin with ``of``; the help says ``line`` and ``page``."""
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
         "With several hosts: go to the line of the model's host, then fold its models away"),
    hidden("list.unfold", "right", "unfold", "Unfold", "Show the models of the host again"),
]  # fmt: skip

MODAL = [bind("dialog.cancel", "escape", "cancel", "Back", "Close this without changing anything")]

TEXT = [
    hidden("text.up", "up,k", "scroll_up", "Up", "One line up"),
    hidden("text.down", "down,j", "scroll_down", "Down", "One line down"),
    hidden("text.top", "home,g", "scroll_home", "Top", "To the beginning"),
    hidden("text.end", "end,G", "scroll_end", "End", "To the end"),
]

ASK = [
    hidden("ask.before", "left,up", "app.focus_previous", "Before", "The previous answer"),
    hidden("ask.next", "right,down", "app.focus_next", "Next", "The next answer"),
    hidden("ask.again", "r", "answer('again')", "Try again", "Try again"),
    hidden("ask.quit", "q", "answer('quit')", "Quit", "Leave"),
]

READING = [
    bind("help.guide", "enter", "guide", "Guide", "The user's guide, a page for each topic"),
    bind("help.close", "escape,q,question_mark", "dismiss", "Back", "Close the help"),
]  # fmt: skip

# For the help, after the keys of the features.
CONTEXTS = {"Keys in dialogs": MODAL, "Keys in questions": ASK, "Keys in this help": READING}
