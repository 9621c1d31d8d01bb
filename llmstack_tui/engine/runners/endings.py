"""Why a model's process ended, by its status and by what llama.cpp wrote. Pure."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from llmstack_tui.engine.errors import LoadFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

# "0.00.004.776 E llama_model_load: error loading model: unknown model architecture: 'foo'":
# a time, the level, sometimes a component, a function, and the text.
_ERROR_LINE = re.compile(
    r"[\d.]+ E (?:\w+ +)?[\w():]+: +(?:error loading model: |error: |init: )*(?P<text>.+)"
)
_IN_TEMPLATE = re.compile(r"Error: (?P<text>.+)")
_ORIGIN = re.compile(r"[\d.]+ [A-Z] (?:\w+ +)?[\w():]+:")
_ABORT = re.compile(r"GGML_ASSERT\(.*|what\(\): +std::\w+")
_ASSERTION = re.compile(r".*?(?P<text>GGML_ASSERT\(.*|what\(\): .*)")

# What llama.cpp says of a file that it cannot load, and what is said instead. The first that fits counts.
_NEWER, _OTHER = "a newer version of llmstack may", "get another file"
_FILE_FAULTS = {
    r"unknown model architecture: '(.*)'": f"llama.cpp does not know its architecture {{!r}}: {_NEWER}",
    r".*unknown (?:pre-)?tokenizer.*: '(.*)'": f"llama.cpp does not know its tokenizer {{!r}}: {_NEWER}",
    r".*key not found in model: (.+)": f"its file does not give {{!r}}: {_OTHER}",
    r".*key (\S+) has wrong .*": f"its file gives a wrong value for {{!r}}: {_OTHER}",
    r".*tensor '(.+)' not found.*": f"its file lacks the tensor {{!r}}: {_OTHER}",
    r".*tensor '(.+)' has wrong shape.*": f"the size of {{!r}} is not what the file's header says: {_OTHER}",
    r".*wrong number of tensors.*": f"its file has tensors that belong to no such model: {_OTHER}",
    r".*not within the file bounds.*": f"its file is cut short: {_OTHER}",
    r"error loading model hyperparameters: .*": f"numbers in the file's header do not fit together: {_OTHER}",
    r"error loading model vocabulary: .*": f"the vocabulary in its file cannot be used: {_OTHER}",
}

# A check of llama.cpp that a file does not pass. Those for templates and cards are in files of other names.
_FAILED_CHECK = re.compile(r"/src/[\w/-]+\.(?:c|cpp|h):\d+: ")

_MEANINGS = {
    "SIGKILL": "was killed (SIGKILL), most likely because the machine ran out of memory",
    "SIGBUS": "crashed (SIGBUS): the model's file was changed or cut off while it was in use",
    "SIGILL": "crashed (SIGILL): the processor lacks instructions that the engine was built for",
    "SIGTERM": "was ended from outside (SIGTERM)",
}


def without_text(line: str) -> str:
    """What is kept of a line that llama.cpp writes while it answers: many quote a request.

    That is the level and the function; and what aborted the process, if that is a place in its source.
    """
    if found := _ORIGIN.match(line):
        return f"{found[0]} (no more is kept: it may quote a request)"
    return found[0] if (found := _ABORT.search(line)) else ""


def ending(status: int, stderr: Sequence[str]) -> str:
    """How a process ended by itself, as the predicate of a sentence: "was killed (SIGKILL), …".

    ``status`` is negative for a signal, as in `subprocess`.
    """
    if status < 0:
        name = _signal_name(-status)
        if meaning := _MEANINGS.get(name):
            return meaning
        text = _first(_ASSERTION, stderr)
        return f"crashed ({name})" + (f": {text}" if text else "")
    text = _error_text(stderr)
    return f"ended by itself (exit status {status})" + (f": {text}" if text else "")


def load_failure(status: int, stderr: Sequence[str]) -> LoadFailed:
    """Why a process ended before it was ready: llama.cpp's first error, or how it ended.

    A fault of the file is one of the request, too (400): a client that sends it again gets no other answer.
    """
    if status < 0:
        if any(map(_FAILED_CHECK.search, stderr)):
            return LoadFailed(f"llama.cpp gives up on its file: {_OTHER}", status=400)
        return LoadFailed(f"its process {ending(status, stderr)}")
    # The first error is the cause, later ones are its consequences. That in a template has a line of its own.
    if text := _first(_IN_TEMPLATE, stderr):
        return LoadFailed(text)
    text = _error_text(stderr) or f"its process ended (exit status {status}) and did not say why"
    for theirs, ours in _FILE_FAULTS.items():
        if found := re.fullmatch(theirs, text):
            return LoadFailed(ours.format(*found.groups()), status=400)
    return LoadFailed(text)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _error_text(stderr: Sequence[str]) -> str | None:
    found = _first(_ERROR_LINE, stderr) or next((line for line in reversed(stderr) if line.strip()), None)
    return found.strip().rstrip(".") if found else None


def _first(pattern: re.Pattern[str], lines: Sequence[str]) -> str | None:
    matches = (pattern.fullmatch(line) for line in lines)
    return next((match["text"].strip().rstrip(".") for match in matches if match), None)
