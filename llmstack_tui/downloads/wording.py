"""The sentences about pulls: one for each kind of event and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "pull.done": "{model} was pulled.",
    "pull.failed": "{model} was not pulled: {reason}",
    "pull.paused": "Pulling {model} was paused: the downloaded data is kept.",
    "pull.cancelled": "Pulling {model} was cancelled. {kept}",
    "pull.resumed": "Pulling {model} was resumed: llmstack had ended before it was done.",
    "update.done": "{model} was updated.",
    "update.failed": "{model} was not updated: {reason}",
    "update.paused": "Updating {model} was paused: the downloaded data is kept.",
    "update.cancelled": "Updating {model} was cancelled. {kept}",
    "update.resumed": "Updating {model} was resumed: llmstack had ended before it was done.",
    # What became of the files of a pull that was cancelled.
    "kept.all": "The downloaded data is kept.",
    "kept.complete": "Incomplete files were deleted.",
    "kept.not_discarded": "The downloaded data could not be deleted.",
    "kept.until_restart": "The downloaded data is kept until Ollama restarts and deletes it.",
    # Why a pull waits, and what became of the model that was unloaded for it.
    "download.waits_for_server": "The pull continues when the server answers.",
    "download.waits_for_room": "The pull continues when there is enough disk space.",
    "download.waits_for_request": "{model} is still answering a request and is pulled when that has ended.",
    "download.old_is_loaded": "The old version is loaded again.",
    "download.not_loaded_again": "It could not be loaded again: {error:raw}",
    # Why a pull is not begun.
    "download.no_room": (
        "{model} needs {need:size} more in {folder}, where {free:size} are free, and {reserve:size} have to "
        "stay free."
    ),
    "download.make_room": "Make room and pull again.",
    "download.pulled_already": "{model} is already being pulled.",
    "download.forgotten": "This pull is no longer in the list. Pull the model again.",
    "title.not_pulled": "Not pulled",
    "title.disk_full": "Disk full",
    # Why a pull failed.
    "download.no_model": "{registry} has no model {name}: check the name and the tag.",
    "download.private": "{registry} does not show {name} to everybody: it is private, or not there.",
    "download.too_often": "{registry} has been asked too often: try again in a few minutes.",
    "download.registry_failed": "{registry} failed (status {said}): try again later.",
    "download.web_page": (
        "{registry} answered with a web page instead of a manifest: is there a proxy or a log-in in between?"
    ),
    "download.bad_manifest": (
        "The manifest of {name} at {registry} cannot be read: the model is broken there."
    ),
    "download.part_missing": (
        "{registry} does not have a part that the manifest of {name} names: the model is broken there."
    ),
    "download.registry_broke_off": (
        "{registry} failed (status {said}) while it sent the model: the downloaded data is kept, try again "
        "later."
    ),
    "download.wrong_digest": (
        "The downloaded data does not match its digest and was deleted: pull the model again."
    ),
    "download.stalled": "The download stalled ({said}): the downloaded data is kept, try again later.",
    "download.stalled_silently": "The download stalled: the downloaded data is kept, try again later.",
    "download.disk_full": "The server's disk is full: make room there and pull again.",
    "download.no_such_host": "{registry} cannot be reached: there is no such host.",
    "download.unreachable": "{registry} cannot be reached: {said}.",
    "update.automatic": "{model} is being updated automatically.",
    "update.found": "A newer version was found, and updates.automatic is on.",
}
