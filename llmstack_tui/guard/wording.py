"""What the guard says: one sentence for each kind of event, decision and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "guard.held": "Hold is on: no model is unloaded by itself.",
    "guard.released": "Hold is off: idle models are unloaded again.",
    "guard.pinned": "{model} is pinned: it stays until it is unpinned, or another program unloads it.",
    "guard.unpinned": "{model} is not pinned any more.",
    "guard.may_idle": "{model} may be idle for {idle_s:duration}.",
    "guard.may_idle_for_ever": "{model} may be idle for ever.",
    "guard.may_idle_as_set": "{model} may be idle for {idle_s:duration}, as the settings say.",
    "guard.may_idle_for_ever_as_set": "{model} may be idle for ever, as the settings say.",
}
