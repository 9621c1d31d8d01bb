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
    # Why a pull waits, and what else is to be said of it.
    "download.waits_for_server": "It goes on when the server answers.",
    "download.waits_for_room": "It goes on when there is room.",
    "download.waits_for_request": "{model} still answers a request: it is pulled when that has ended.",
    "download.old_is_loaded": "The old version is loaded again.",
    "download.not_loaded_again": "It could not be loaded again: {error:raw}",
    # Why one is not begun.
    "download.no_room": (
        "{model} needs {need:size} more in {folder}, where {free:size} are free, and {reserve:size} have to "
        "stay free."
    ),
    "download.make_room": "Make room and pull again.",
    "download.not_queued": "{model} cannot be put into the queue: {why}",
    "download.pulled_already": "{model} is being pulled already.",
    "download.forgotten": "This pull is not remembered any more. Ask for the model again.",
    # Why a pull failed.
    "download.no_model": "{registry} has no model {name}: check the name and the tag.",
    "download.private": "{registry} does not show {name} to everybody: it is private, or not there.",
    "download.too_often": "{registry} has been asked too often: try again in a few minutes.",
    "download.registry_failed": "{registry} failed (status {said}): try again later.",
    "download.web_page": (
        "{registry} answered with a web page instead of a manifest: is a proxy or a log-in in between?"
    ),
    "download.bad_manifest": (
        "The manifest of {name} from {registry} is not understood: the model is broken there."
    ),
    "download.part_missing": (
        "{registry} does not have a part that the manifest of {name} names: the model is broken there."
    ),
    "download.registry_broke_off": (
        "{registry} failed (status {said}) while it sent the model: what has been downloaded is kept, try "
        "again later."
    ),
    "download.wrong_digest": (
        "What has been downloaded does not match its digest, and was deleted: pull it again."
    ),
    "download.stalled": (
        "The download does not go on ({said}): what has been downloaded is kept, try again later."
    ),
    "download.stalled_silently": (
        "The download does not go on: what has been downloaded is kept, try again later."
    ),
    "download.disk_full": "The server's disk is full: make room there and pull again.",
    "download.no_such_host": "{registry} cannot be reached: there is no such host.",
    "download.unreachable": "{registry} cannot be reached: {said}.",
    "update.automatic": "{model} is updated by itself.",
    "update.found": "A newer version was found, and updates.automatic is on.",
}
