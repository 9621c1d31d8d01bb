"""The sentences about talks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "chat.no_session": "There is no talk {id}; `llmstack chats` lists them.",
    "chat.many_sessions": "More than one talk begins with {id}: write more of it.",
    "chat.no_sessions": "There is no talk yet.",
}
