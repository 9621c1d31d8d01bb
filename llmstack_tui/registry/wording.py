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
    "registry.busy": "{host} has been asked too often: try again in {retry_after_s:duration}.",
    "registry.bad_address": "{host:quoted} is no address of a registry.",
    "registry.bad_environment": "The proxy or the certificates of the environment cannot be used: {why}.",
    # It answers otherwise than a registry.
    "registry.not_http": "{host} does not speak HTTP as it should.",
    "registry.web_page": "{host} answered with a web page: is a proxy or a log-in in between?",
    "registry.unsafe_redirect": "{host} redirects to an address without encryption.",
    "registry.inward_redirect": (
        "{host} redirects to {target}, which is on this machine or in its network: that is not followed."
    ),
    "registry.broken_packing": "The answer of {host} is compressed, and damaged.",
    "registry.endless_redirects": "{host} redirects again and again.",
    "registry.failed": "{host} failed (status {status}): try again later.",
    "registry.not_usable": "{host} gave no answer that can be used (status {status}): try again later.",
    "registry.bad_tags": "The list of tags of {model} from {host} is not JSON.",
    # A token is needed for every model.
    "registry.wants_token": "{host} wants a token first: {why}",
    "registry.unsafe_realm": "{host} wants a token from {realm:quoted}, which is no encrypted address.",
    "registry.inward_realm": (
        "{host} wants a token from {realm:quoted}, which is on this machine or in its network."
    ),
    "registry.realm_failed": "{realm} gave no token for {host} (status {status}): try again later.",
    "registry.bad_token": "{realm} gave no token for {host} that can be used.",
    # The model.
    "registry.no_model": "{host} has no model {model}.",
    "registry.tag_gone": "{host} has no model {model}: its tag may be gone, so choose another one.",
    "registry.private": "{host} does not show {model} (status {status}): it is private, or not there.",
    "registry.not_manifest": "{host} sent no manifest of {model}: {why}",
    "registry.no_layers": "The manifest of {model} from {host} has no layers.",
    "registry.damaged_manifest": "The manifest of {model} was damaged on its way from {host}: try again.",
    "registry.large_manifest": "{host} sent more than {most:size} as the manifest of {model}.",
    # The search for models.
    "online.no_list": "{host} answered with something else than a list of models: try again later.",
    "online.no_answer": "{host} answered with something else than what it has of {model}: try again later.",
    "online.large": "{host} sent more than {most:size}: that is not read.",
    "online.no_files": "{model} has no GGUF file.",
    "online.bad_id": "{model:quoted} is no name of a repository of {host}.",
    # Downloads.
    "registry.no_manifest": "{registry} did not send the manifest of {model}.",
    "registry.useless_here": "{model} cannot be used here. {why}",
    "registry.no_room": (
        "{model} needs {need:size} more in {folder}, where {free:size} are free, and {reserve:size} have to "
        "stay free: make room and pull again."
    ),
    "registry.removed_meanwhile": "Parts of {model} were removed again while it was pulled: pull again.",
    "registry.engine_stopped": "The engine was stopped. What came is kept: pull again.",
    "registry.other_engine": "Another engine downloads into {models}: pull there, or wait until it is done.",
    "registry.under_way": "{layer} is being downloaded.",
    "registry.not_discarded": "{layer} cannot be removed: {why}",
    "registry.layer_not_written": "{layer} cannot be written: {why}",
    "registry.disk_full": "The disk of {folder} is full: make room there and pull again.",
    "registry.wrong_digest": "{layer} did not match its digest, and was deleted: pull again.",
    "registry.stalled": "The download of {layer} stalled: {why} What came is kept: pull again later.",
    "registry.bad_certificates": "The certificates of the environment cannot be used: {why}.",
    "registry.redirects": "{registry} redirects too often for {layer}.",
    "registry.bad_redirect": "{registry} redirects to an invalid address: {address}.",
    "registry.layer_private": "{server} wants a log-in for {layer}: the model is private.",
    "registry.layer_missing": "{server} does not have {layer}: the model is broken there.",
    "registry.layer_too_short": "{server} has too few bytes of {layer}: the model is broken there.",
    "registry.layer_status": "{server} answered with status {status} for {layer}.",
    "registry.other_size": "{server} has {size} bytes of {layer}, not {stated}: the model is broken there.",
    # Why a download stalled.
    "registry.cut_short": "the server ended the answer too early.",
    "registry.silent": "nothing more came for {seconds:g} s.",
    "registry.dripping": "fewer than {least:size} came in {seconds:g} s.",
    "registry.broken_off": "the connection broke.",
    "registry.other_bytes": "{server} sent other bytes than were asked for.",
    "registry.status": "{server} answered with status {status}.",
}
