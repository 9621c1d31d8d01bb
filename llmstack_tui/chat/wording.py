"""The sentences about talks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "chat.no_session": "There is no talk {id}; `llmstack chats` lists them.",
    "chat.many_sessions": "More than one talk begins with {id}: write more of it.",
    "chat.no_sessions": "There is no talk yet.",
    # Importing.
    "chat.import_large": "{file} has more than {limit:size} of talks: nothing was imported. Split it.",
    "chat.import_empty": "There is no talk in {file}.",
    "chat.import_broken": "{file} is damaged, and nothing of it was imported: {why}.",
    "chat.import_newer": "{file} was written by a newer llmstack: update this one.",
    "chat.import_unknown": (
        "{file} is no talk that can be imported: it must be a JSON file of llmstack or Open WebUI, or "
        "ChatGPT's export, as a ZIP or its conversations.json."
    ),
    # Files in a question.
    "chat.no_file": "There is no {file} in this folder.",
    "chat.outside": "{file} is not in the folder {folder}: only what is below it can go with a question.",
    "chat.unreadable": "{file} cannot be read: {why}.",
    "chat.no_regular_file": "{file} is a device or a pipe: only files and folders can go with a question.",
    "chat.no_image": "{file} is no image that models read, but {type}: save it as PNG or JPEG.",
    "chat.no_text": "{file} is neither a text nor an image ({type}): turn it into one of these.",
    "chat.too_large": "{file} is larger than {limit:size}: name a part of it.",
    "chat.too_many_files": (
        "More than {limit} files are too many for one question: name fewer, or their folder."
    ),
}
