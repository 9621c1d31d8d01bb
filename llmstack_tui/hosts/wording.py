"""The errors of a server in words: one sentence for each kind, whatever its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # The titles of errors, of whatever host.
    "title.failed": "Request failed",
    "title.unreachable": "Server not reachable",
    "title.no_tunnel": "No SSH connection",
    "title.not_found": "Not found",
    "title.refused": "Refused by the server",
    "title.bad_answer": "Answer not understood",
    "title.server": "Server error",
    # No answer.
    "host.not_there": "Nothing answers at {host}.",
    "host.certificate": (
        "{host} shows a certificate that this machine does not trust, and was sent nothing: {why}."
    ),
    "host.silent": (
        "No answer from {host} within {limit_s:g} seconds. It may be busy; if it stays so, restart it."
    ),
    "host.too_late": "No answer came from {host} in time.",
    "host.closed": "{host} closed the connection.",
    "host.connection_broke": "The connection to {host} broke.",
    "host.upload_broke": (
        "{host} broke off while it was sent a file of {size:size}, and answers now: its disk may be full."
    ),
    "host.stopped": "{host} stopped in the middle of an answer.",
    "host.start_it": "Start the server, or give its address with --host.",
    "host.check_address": "Check the address, and that the server listens for other machines.",
    "host.is_none": "{host} is no server of models: it has neither Ollama's API nor OpenAI's.",
    # Refused or failed.
    "host.no_model": "Model {model!r} is not on {host}.",
    "host.has_it_not": "What was asked for is not on {host}.",
    "host.refused": "{host} refused: {said}",
    "host.name_its_key": (
        "If you have its key, add it with `llmstack keys add ADDRESS`, or name the file with it in the "
        "settings: hosts = [{{ url = …, api_key_file = … }}]."
    ),
    "host.wrong_key": (
        "{host} does not take the key that it was sent: put the right one into its file, or replace it with "
        "`llmstack keys rotate {host}`."
    ),
    "host.refused_with_status": "{host} refused: status {status}.",
    "host.failed": "{host} failed: {said}",
    "host.failed_with_status": "{host} failed: status {status}.",
    "host.cannot_be_sent": "The request holds something that cannot be sent.",
    "host.cannot_this": "{server} at {host} cannot do this.",
    "host.cannot_list": "{server} at {host} does not list its models.",
    "host.cannot_show": "{server} at {host} tells nothing more about its models.",
    "host.cannot_load": "{server} at {host} cannot load a model: it serves the one that it began with.",
    "host.cannot_unload": "{server} at {host} cannot unload a model: it serves until it is ended.",
    "host.cannot_chat": "{server} at {host} cannot chat.",
    "host.cannot_embed": "{server} at {host} makes no embeddings.",
    "host.cannot_pull": "{server} at {host} cannot pull models: give them to it in its own way.",
    "host.cannot_create": "{server} at {host} cannot make a model from another one.",
    "host.cannot_copy": "{server} at {host} cannot copy or rename models.",
    "host.cannot_delete": "{server} at {host} cannot remove models: remove their files in its own way.",
    "host.cannot_import": "{server} at {host} cannot import files: give them to it in its own way.",
    "host.cannot_keep_alive": "{server} at {host} takes no time for which a model stays.",
    "host.unreadable_file": "{file} cannot be read: {why}.",
    # An answer that is not what the protocol says.
    "answer.web_page": "An answer from {host} was not understood: it is a web page.",
    "answer.no_json": "An answer from {host} was not understood: it is not the JSON that was expected.",
    "answer.no_http": "An answer from {host} was not understood: it is not HTTP.",
    "answer.redirect": (
        "{host} sends on to another address, which llmstack does not follow: name that one, if it is right."
    ),
    "answer.status": "An answer from {host} was not understood: its status is {status}.",
    "answer.too_large": "An answer from {host} was not understood: it is larger than any answer should be.",
    "answer.packed": "An answer from {host} was not understood: it is packed, which was not asked for.",
    "answer.long_line": "An answer from {host} was not understood: a line of it is far too long.",
    "answer.too_early": "An answer from {host} was not understood: it ended too early.",
    "answer.broke_off": "An answer from {host} was not understood: it broke off in the middle.",
    "answer.not_done": "An answer from {host} was not understood: it does not say that it is done.",
    "answer.no_version": "An answer from {host} was not understood: it names no version.",
    "answer.no_models": "An answer from {host} was not understood: it lists no models.",
    "answer.no_embeddings": "An answer from {host} was not understood: it has no embeddings.",
    "answer.nameless": "An answer from {host} was not understood: a model in it has no name.",
}
