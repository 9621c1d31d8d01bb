"""What is said of Ollama alone: how its start failed, and what the lines of its log mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Plural

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "ollama.not_started": "{program} could not be started: {why}.",
    "ollama.ended": "Ollama ended at once: {words} (more in {log})",
    "ollama.ended_silently": "Ollama ended at once: see {log}.",
    "ollama.silent": "Ollama did not answer at {url} within {waited_s:g} seconds: see {log}.",
    "ollama.something_else": "Something else answers at {url}: {why}",
    # The reading of its log.
    "log.missing": "{file} is not there: nothing has been written into this log yet.",
    "log.no_file": "{file} is no file that can be followed: it is a folder, a pipe or a device.",
    "log.unreadable": "{file} cannot be read: {why}.",
    "log.closed_journal": (
        "Only root and members of the groups systemd-journal and adm may read the journal of {unit}. Join "
        "one with `sudo usermod -aG systemd-journal $USER`, and log in again."
    ),
    "log.journal_ended": "journalctl has ended: {words}",
    "log.skipped": "{size:size} of the log were left out here: more is written than can be shown.",
    "log.began_anew": "The log was emptied or replaced here.",
    "log.last_words": "Its log says: {words}",
    # What its lines mean.
    "log.port_taken": "Another program has the address {address} already.",
    "log.other_port": "End that program, or set another OLLAMA_HOST.",
    "log.cut": "A prompt of {prompt} tokens was cut to {limit}: the model has not seen the rest.",
    "log.more_context": "Give it more: OLLAMA_CONTEXT_LENGTH for the server, PARAMETER num_ctx in the model.",
    "log.shifted": "The context of {limit} tokens was full: the oldest part of the talk was left out.",
    "log.answer_cut": "The context was full before the answer had ended.",
    "log.context_over": "A client asked for {asked} tokens of context; the model has {most}, which it gets.",
    "log.too_large": "A model needs {needed} of memory, and {available} are free: it was not loaded.",
    "log.smaller_model": (
        "Unload another model, take a smaller one or a smaller quantization, or ask for less context."
    ),
    "log.load_failed": "A model could not be loaded: {why}",
    "log.out_of_memory": "The memory of the graphics card is full.",
    "log.less_memory": (
        "Unload another model, or take less context, a smaller quantization, or OLLAMA_KV_CACHE_TYPE=q8_0 "
        "with OLLAMA_FLASH_ATTENTION=1."
    ),
    "log.no_gpu": "Ollama found no graphics card that it can use: models run on the processor.",
    "log.look_at_driver": "`llmstack doctor` says whether a card is there and what its driver lacks.",
    "log.gpu": "Ollama uses {device}: {available} of {total} are free.",
    "log.gpu_trouble": "The search for graphics cards failed: {why}",
    "log.old_driver": "The driver of the graphics card is too old for this Ollama.",
    "log.renew_driver": "Renew the driver, and restart the machine.",
    "log.cuda_error": "The graphics card reported an error.",
    "log.assertion": "llama.cpp has ended itself: something was as it must never be.",
    "log.runner_killed": "The system killed the process of a model: most likely the memory was full.",
    "log.runner_died": "The process of a model ended by itself: {why}",
    "log.update_or_report": (
        "Load it once more; if that fails again, update Ollama, or report it with the lines above."
    ),
    "log.default_context": "Models get {tokens} tokens of context where nobody asks for another number.",
    "log.slow_to_free": "The memory of the card was freed more slowly than Ollama waits for. It goes on.",
    "log.no_flash_attention": "Flash attention is on, but this card or model has none. It goes on without.",
    "log.no_quantized_cache": "A quantized cache was asked for; without flash attention it stays f16.",
    "log.set_flash": "Set OLLAMA_FLASH_ATTENTION=1.",
    "log.no_cache_type": "This model cannot have the cache type that is set. It gets f16.",
    "log.unknown_option": "A client sent the option {option}, which Ollama does not know and ignores.",
    "log.no_recommendations": "Ollama cannot reach ollama.com. Models that are here work without it.",
    "log.old_ollama": "This Ollama does not know models of the kind {name}.",
    "log.update_ollama": "Update Ollama.",
    "log.load_timeout": "A model took too long to load.",
    "log.more_load_time": "Set OLLAMA_LOAD_TIMEOUT higher, such as 15m, if its disk is slow.",
    "log.client_left": "The client went away before its model was loaded.",
    "log.busy": "Too many requests wait: one was turned away.",
    "log.queue_full": "{path} was turned away: too many requests wait.",
    "log.raise_queue": "Set OLLAMA_MAX_QUEUE or OLLAMA_NUM_PARALLEL higher.",
    "log.request_failed": "{path} failed after {took}; the lines before say why.",
    "log.damaged_download": "A download arrived damaged.",
    "log.pull_again": "Pull the model again.",
    "log.disk_full": "The disk is full.",
    "log.free_disk": "`llmstack disk` shows what models take.",
    "log.loaded": "A model was loaded in {seconds} s.",
    "log.listening": "Ollama {version} is ready at {address}.",
    "log.listening_open": "Ollama {version} is ready at {address}, where other machines reach it, too.",
    "log.close_it": "It asks for no key: set OLLAMA_HOST=127.0.0.1 if only this machine is to use it.",
    "log.pruned": Plural(
        "count",
        one="1 file that no model uses was removed.",
        other="{count} files that no model uses were removed.",
    ),
    "log.denied": "Ollama may not use {path}.",
    "log.check_owner": (
        "That folder must belong to the user that Ollama runs as: `ollama` for the service that its "
        "installer makes."
    ),
    "log.offline": "A name could not be looked up: this machine is offline, or its DNS does not answer.",
    "log.unit_failed": "The service ended: {result}.",
    "host.is_it_ollama": "Is it an Ollama server?",
}
