"""The sentences about downloads from registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "registry.no_manifest": "{registry} did not send the manifest of {model}.",
    "registry.no_room": (
        "{model} needs {need:size} more in {folder}, where {free:size} are free, and {reserve:size} have to "
        "stay free: make room and pull again."
    ),
    "registry.removed_meanwhile": "Parts of {model} were removed again while it was pulled: pull again.",
    "registry.engine_stopped": "The engine was stopped. What came is kept: pull again.",
    "registry.other_engine": (
        "Another engine is downloading into {models}: pull there, or wait until it is done."
    ),
    "registry.under_way": "{layer} is being downloaded.",
    "registry.not_discarded": "{layer} cannot be removed: {why}",
    "registry.layer_not_written": "{layer} cannot be written: {why}",
    "registry.disk_full": "The disk of {folder} is full: make room there and pull again.",
    "registry.wrong_digest": (
        "The content of {layer} does not match its digest, and was deleted: pull again."
    ),
    "registry.stalled": "The download of {layer} stalled: {why} What came is kept: pull again later.",
    "registry.bad_certificates": "The certificates of the environment cannot be used: {why}.",
    "registry.redirects": "{registry} redirects too often for {layer}.",
    "registry.bad_redirect": "{registry} redirects to an invalid address: {address}.",
    "registry.layer_private": "{server} wants a log-in for {layer}: the model is private.",
    "registry.layer_missing": (
        "{server} does not have {layer}, which its manifest names: the model is broken there."
    ),
    "registry.layer_too_short": (
        "{server} has fewer bytes of {layer} than its manifest says: the model is broken there."
    ),
    "registry.layer_status": "{server} answered with status {status} for {layer}.",
    "registry.other_size": (
        "{server} has {size} bytes of {layer}, its manifest says {stated}: the model is broken there."
    ),
    # Why a download stalled.
    "registry.cut_short": "the server ended the answer too early.",
    "registry.silent": "nothing more came for {seconds:g} s.",
    "registry.unreachable": "{server} cannot be reached: {why}.",
    "registry.broken_off": "the connection broke.",
    "registry.other_bytes": "{server} sent other bytes than were asked for.",
    "registry.status": "{server} answered with status {status}.",
}
