"""What is said of pulls: one sentence for each kind of event and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "pull.done": "{model} was pulled.",
    "pull.failed": "{model} was not pulled: {reason}",
    "pull.paused": "Pulling {model} was paused: what has been downloaded is kept.",
    "pull.cancelled": "Pulling {model} was cancelled. {kept}",
    "pull.resumed": "Pulling {model} goes on: llmstack ended before it was done.",
    "update.done": "{model} was updated.",
    "update.failed": "{model} was not updated: {reason}",
    "update.paused": "Updating {model} was paused: what has been downloaded is kept.",
    "update.cancelled": "Updating {model} was cancelled. {kept}",
    "update.resumed": "Updating {model} goes on: llmstack ended before it was done.",
    # What became of the files of a pull that was cancelled.
    "kept.all": "What has been downloaded is kept.",
    "kept.complete": "Incomplete files were deleted.",
    "kept.not_discarded": "What has been downloaded is kept, for it could not be deleted.",
    "kept.until_restart": "What has been downloaded is kept until Ollama starts again, which deletes it.",
    "update.automatic": "{model} is updated by itself.",
    "update.found": "A newer version was found, and updates.automatic is on.",
}
