"""The sentences of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "key.invalid_setting": "{problems}",
    "key.missing": "There is no key in {file}: make one with `llmstack engine key`.",
    "key.unreadable": "The key in {file} cannot be read: {why}.",
    "key.open_to_others": "Others can read the key in {file}: keep it to yourself with `chmod 600 {file}`.",
    "key.malformed": (
        "The content of {file} is no key: a key is one line of at least 16 letters, digits and signs. "
        "`llmstack engine key --new` makes one."
    ),
    "key.not_written": "The key cannot be written to {file}: {why}.",
}
