"""The sentences about the variables of Ollama."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # What is wrong with a value. Ollama itself says nothing, and keeps its default.
    "variables.characters": (
        "{name} must be one line of at most {most:,} characters, without control characters."
    ),
    "variables.empty": "{name} needs a value; to have Ollama choose, take the variable out.",
    "variables.no_flag": "{name} must be 1 or 0, not {value:quoted}: Ollama takes anything else for 1.",
    "variables.no_count": (
        "{name} must be a whole number in digits, not {value:quoted}, which Ollama would ignore."
    ),
    "variables.no_bytes": (
        "{name} must be a whole number of bytes, as 1073741824 for 1 GiB, not {value:quoted}, which Ollama "
        "would ignore."
    ),
    "variables.too_small": "{name} must be {least} or more, not {value}: nothing would be answered.",
    "variables.no_duration": (
        "{name} must be a length of time such as 10m, 1h30m or 90 (seconds), or -1 for no end, not "
        "{value:quoted}, which Ollama would ignore."
    ),
    "variables.no_choice": "{name} must be one of {choices}, not {value:quoted}.",
    "variables.no_level": "{name} must be 0, 1 or 2, not {value:quoted}.",
    "variables.no_address": "{name} has a wrong address. {why}",
    "variables.no_ip": "{name}: {value} is no address; Ollama would end at once.",
    "variables.no_origin": (
        "{name} must be addresses such as https://example.com, or *, separated by commas, not "
        "{value:quoted}: Ollama would end at once."
    ),
    "variables.no_folder": "{name} must be the whole path of a folder, from / on, not {value:quoted}.",
    "variables.unknown": "{name} is no variable that Ollama reads: `llmstack variables --all` lists them.",
    # Why nothing can be changed.
    "variables.of_another": (
        "Ollama (process {pid}) was started by another program, and only that can set its variables. Stop "
        "it, and start it with llmstack: then they can be set here."
    ),
    "variables.no_ollama": "Ollama is not installed on this machine.",
    "variables.not_here": "{url} is another machine: its variables are set there.",
    "variables.unreadable": "{file} is there and cannot be read as a file of text. Nothing was changed.",
    "variables.not_written": "{file} cannot be written: {why}. Nothing was changed.",
    "variables.not_there": "{file} has not what was to be written: the command did something else.",
    "variables.changed": (
        "{file} was changed meanwhile, by another llmstack or by hand. Nothing was written: look at what is "
        "set now, and change it again."
    ),
    "variables.in_use": "Another llmstack is changing the variables of Ollama. Try again in a moment.",
    "variables.stronger": (
        "{name} is also set in {file}, which comes after llmstack's own file and wins: change it there. "
        "llmstack changes no file but its own."
    ),
    "variables.not_ours": (
        "{name} is set in {file}, which llmstack does not change: take it out there, or set another value "
        "here."
    ),
    "variables.not_set": "{name} is not set by llmstack.",
    # What became of a change.
    "variables.not_in_force": "After the restart, {name} was {running}, not {value}.",
    "variables.back": "Everything is as it was before, and Ollama runs again.",
    "variables.back_and_down": "The file is as it was before, and Ollama does not run: {why}",
    "variables.back_only": "The file is as it was before.",
    "variables.stays": (
        "{file} has the new values, which count from Ollama's next start (`llmstack service restart`); "
        "`llmstack variables unset NAME` takes one out."
    ),
    "variables.back_failed": "It could not be taken back: {why} The old file is {backup}.",
    # Why a value suits this machine.
    "variables.why_context": (
        "With {size:size} of {memory:word} for models, a longer context would push a model of the size that "
        "suits it out to the processor."
    ),
    "variables.why_context_on_cpu": "A processor reads a longer prompt so slowly that nobody waits for it.",
    "variables.why_flash": "A long context takes less memory with it, and the cache types need it.",
    "variables.why_cache": (
        "With {size:size} for models, half the memory for the context is worth the little that it costs in "
        "quality."
    ),
    "variables.why_parallel": "Each further request takes memory for a context of its own.",
    "variables.why_one": (
        "With {size:size} for models, a second one would leave the first too little, or go to the processor."
    ),
    "variables.why_one_of_yours": "No two of your models fit side by side into {size:size}.",
    "variables.why_several": "So many models of usual size fit side by side into {size:size}.",
}
