"""The sentences about registries, and about downloads from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # The registry is not reached.
    "registry.unreachable": "{host} cannot be reached: {why}.",
    "registry.too_late": "{host} did not answer in time.",
    "registry.broke": "The connection to {host} broke: {why}.",
    "registry.busy": (
        "{host} has been asked too often: it wants to be left alone for {retry_after_s:duration}."
    ),
    "registry.bad_address": "{host:quoted} is no address of a registry.",
    "registry.bad_environment": (
        "{host} cannot be asked: the proxy or the certificates of the environment are not understood ({why})."
    ),
    # It answers otherwise than a registry.
    "registry.not_http": "{host} does not speak HTTP as it should.",
    "registry.web_page": (
        "{host} answered with a web page instead of a manifest: is a proxy or a log-in in between?"
    ),
    "registry.unsafe_redirect": "{host} redirects to an address without encryption.",
    "registry.endless_redirects": "{host} redirects again and again.",
    "registry.failed": "{host} failed (status {status}): try again later.",
    "registry.not_usable": "{host} gave no answer that can be used (status {status}): try again later.",
    "registry.bad_tags": "The list of tags of {model} from {host} is not JSON.",
    # A token is needed for every model.
    "registry.wants_token": "{host} wants a token first: {why}",
    "registry.unsafe_realm": (
        "{host} wants a token from {realm:quoted}, which is not an encrypted address: it is not asked."
    ),
    "registry.no_token": (
        "{host} does not show {model} to everybody ({realm} gives no token for it, status {status}): it is "
        "private, or not there."
    ),
    "registry.realm_failed": (
        "{realm}, which gives tokens for {host}, failed (status {status}): try again later."
    ),
    "registry.bad_token": "{realm}, which gives tokens for {host}, sent none that can be used.",
    # The model.
    "registry.no_model": "{host} has no model {model}.",
    "registry.private": (
        "{host} does not show {model} to everybody (status {status}): it is private, or not there."
    ),
    "registry.not_manifest": "{host} sent no manifest of {model}: {why}",
    "registry.no_layers": "The manifest of {model} from {host} has no layers.",
    "registry.damaged_manifest": (
        "The manifest of {model} from {host} has a wrong digest: it was damaged on its way."
    ),
    "registry.large_manifest": "{host} sent more than {most:size} as the manifest of {model}.",
    # Downloads.
    "registry.no_manifest": "{registry} did not send the manifest of {model}.",
    "registry.useless_here": "{model} is not installed, as it cannot be used here. {why}",
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
    "registry.broken_off": "the connection broke.",
    "registry.other_bytes": "{server} sent other bytes than were asked for.",
    "registry.status": "{server} answered with status {status}.",
}
