"""Talks with models."""

from __future__ import annotations

from llmstack_tui.tui import keys
from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

INPUT_KEYS = [
    bind("chat.send", "enter", "send", "Send", "Send the question"),
    bind("chat.new_line", "ctrl+j,shift+enter", "new_line", "New line", "Begin a new line in the question"),
]  # fmt: skip
KEYS = [
    bind("chat.leave", "escape", "leave", "Stop, back",
        "Stop the answer; else leave the input, so that single keys work; else go back to the models"),
    bind("chat.model", "m,ctrl+o", "choose_model", "Model", "Choose the model that answers"),
    bind("chat.new", "n,ctrl+n", "new", "New talk", "Begin a new talk; this one is kept"),
    bind("chat.talks", "l,ctrl+l", "talks", "Talks",
        "Earlier talks: go on with one, search, rename, pin, put into a folder, delete"),
    bind("chat.again", "r,ctrl+r", "again", "Again",
        "Ask for another answer to the last question; this one is kept beside it"),
    bind("chat.manner", "p,ctrl+t", "manner", "System prompt",
        "The system prompt and the parameters of the talk"),
    hidden("chat.edit", "e", "edit", "Edit question",
        "Edit the last question and send it again, as Up does in an empty input; both are kept"),
    hidden("chat.branch_before", "left_square_bracket", "branch(-1)", "Earlier version",
        "The version of the question or answer before this one"),
    hidden("chat.branch_next", "right_square_bracket", "branch(1)", "Later version",
        "The next version of the question or answer"),
    hidden("chat.copy_code", "c", "copy_code", "Copy code",
        "Copy the last block of code; again: the one before"),
    hidden("chat.copy", "y", "copy_answer", "Copy answer", "Copy the last answer"),
    hidden("chat.copy_all", "Y", "copy_all", "Copy all", "Copy the whole talk, as Markdown"),
    hidden("chat.fold", "f", "fold", "Unfold thoughts", "Show or hide what the model thought"),
]  # fmt: skip
MANNER_KEYS = [
    bind("manner.apply", "ctrl+s", "apply", "Apply", "Use these from now on"),
]
PICK_KEYS = [
    bind("pick.choose", "enter,space", "choose", "Choose", "Choose what is under the cursor"),
    bind("pick.search", "slash", "search", "Search", "List only what has the words that you type"),
]  # fmt: skip
TALKS_KEYS = [
    bind("talks.rename", "N,f2", "rename", "Rename", "Give the talk another title"),
    bind("talks.pin", "P", "pin", "Pin", "Keep the talk at the top of the list; press again to unpin"),
    bind("talks.folder", "F", "folder", "Folder", "Keep the talk in a folder"),
    bind("talks.delete", "x,delete", "delete", "Delete", "Delete the talk; asks first"),
]  # fmt: skip
TALK_KEYS = keys.movements("talk", "line", "page")

FEATURE = Feature(
    name="chat",
    label="Chat",
    keys={
        "Keys of the chat": KEYS,
        "Keys while a question is typed": INPUT_KEYS,
        "Keys of the talk": TALK_KEYS,
        "Keys of the system prompt": MANNER_KEYS,
        "Keys of the lists of the chat": PICK_KEYS,
        "Keys of the list of talks": TALKS_KEYS,
    },
    opened_by=hidden("app.chat", "4", "open('chat')", "Chat", "Talk to a model"),
    is_tab=True,
    screen="screen.ChatScreen",
    controller="actions.ChatController",
)  # fmt: skip
