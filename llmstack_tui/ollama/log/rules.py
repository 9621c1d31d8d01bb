"""What the known lines of a log mean, and what to do.

The words are those of Ollama 0.24 and 0.33, as their programs have them, and of llama.cpp.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.ollama.log.lines import LogLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from llmstack_tui.base.sentences import Param, Sentences
    from llmstack_tui.ollama.log.lines import LogLine


# Compiled here, and not when the first such line is drawn.
_TOO_LARGE = re.compile(r"more system memory \((.+?)\) than is available \((.+?)\)")
_LISTENING = re.compile(r"Listening on (\S+) \(version (\S+)\)")
_REMOVED = re.compile(r"removed: (\d+)")


class LogRemark(Struct, frozen=True):
    """What a line means.

    Attributes:
        says: what happened.
        advice: what to do; None if nothing is to be done.
    """

    says: Sentence
    advice: Sentence | None = None

    @property
    def kind(self) -> str:
        return self.says.kind

    @property
    def sentences(self) -> Sentences:
        return (self.says,) if self.advice is None else (self.says, self.advice)


def remark(line: LogLine) -> LogRemark | None:
    """What a line means; None for one that is not known."""
    make = _BY_MESSAGE.get(line.message)
    if make is not None:
        return make(line)
    if line.source == "GIN":
        return _request(line)
    for words, make in _BY_WORDS:
        if words in line.text:
            return make(line)
    return None


def last_words(lines: Iterable[LogLine]) -> Sentences:
    """Why a server has ended: what its last error means, or else its last line."""
    own = [line for line in lines if line.source != "systemd" and line.message]
    errors = [line for line in own if line.level is LogLevel.ERROR]
    for line in (errors or own)[-1:]:
        known = remark(line)
        if known is not None:
            return known.sentences
        return (Sentence("log.last_words", {"words": line.text}),)
    return ()


def _says(kind: str, advice: str = "", **params: Param) -> LogRemark:
    return LogRemark(Sentence(kind, params), Sentence(advice) if advice else None)


def _fixed(kind: str, advice: str = "") -> Callable[[LogLine], LogRemark]:
    made = _says(kind, advice)
    return lambda _: made


def _with(kind: str, advice: str = "", **names: str) -> Callable[[LogLine], LogRemark]:
    """A sentence with fields of the line: its parameters, by the names of the fields."""

    def make(line: LogLine) -> LogRemark:
        return _says(kind, advice, **{param: line.fields.get(name, "?") for param, name in names.items()})

    return make


def _request(line: LogLine) -> LogRemark | None:
    if line.fields["status"] < "500":
        return None
    kind, advice = (
        ("log.queue_full", "log.raise_queue")
        if line.fields["status"] == "503"
        else ("log.request_failed", "")
    )
    return _says(kind, advice, path=line.fields["path"], took=line.fields["took"])


def _found(pattern: str, kind: str, advice: str = "") -> Callable[[LogLine], LogRemark | None]:
    """A sentence with the named groups of a pattern; None where the line has another form."""
    compiled = re.compile(pattern)

    def make(line: LogLine) -> LogRemark | None:
        found = compiled.search(line.text)
        return None if found is None else _says(kind, advice, **found.groupdict())

    return make


def _compute(line: LogLine) -> LogRemark:
    """The device that Ollama found, or that it found none."""
    fields = line.fields
    if fields.get("library", "").lower() == "cpu":
        return _says("log.no_gpu", "log.look_at_driver")
    name = fields.get("description") or fields.get("name") or "?"
    return _says(
        "log.gpu", device=name, available=fields.get("available", "?"), total=fields.get("total", "?")
    )


def _ended(line: LogLine) -> LogRemark:
    """The process of a model has ended by itself."""
    why = line.fields.get("error") or line.message
    if "signal: killed" in why:
        return _says("log.runner_killed", "log.less_memory")
    if "out of memory" in why.lower():
        return _says("log.out_of_memory", "log.less_memory")
    return _says("log.runner_died", "log.update_or_report", why=why)


def _load_failed(line: LogLine) -> LogRemark | None:
    why = line.fields.get("error", "")
    too_large = _TOO_LARGE.search(why)
    if too_large is not None:
        return _says("log.too_large", "log.smaller_model", needed=too_large[1], available=too_large[2])
    return _says("log.load_failed", "log.update_or_report", why=why or line.message)


def _listening(line: LogLine) -> LogRemark | None:
    found = _LISTENING.search(line.message)
    if found is None:
        return None
    is_open = not found[1].startswith(("127.", "localhost", "[::1]"))
    kind, advice = ("log.listening_open", "log.close_it") if is_open else ("log.listening", "")
    return _says(kind, advice, address=found[1], version=found[2])


def _cut_answer(line: LogLine) -> LogRemark | None:
    return _says("log.answer_cut", "log.more_context") if line.fields.get("truncated") == "1" else None


def _pruned(line: LogLine) -> LogRemark | None:
    found = _REMOVED.search(line.message)
    return _says("log.pruned", count=int(found[1])) if found is not None and found[1] != "0" else None


_CUT = _with("log.cut", "log.more_context", prompt="prompt", limit="limit")
_BY_MESSAGE: Mapping[str, Callable[[LogLine], LogRemark | None]] = {
    "truncating input prompt": _CUT,
    "input truncated": _CUT,
    "context limit hit - shifting": _with("log.shifted", "log.more_context", limit="limit"),
    "requested context size too large for model": _with(
        "log.context_over", asked="num_ctx", most="n_ctx_train"
    ),
    "model request too large for system": _with(
        "log.too_large", "log.smaller_model", needed="requested", available="available"
    ),
    "Load failed": _load_failed,
    "inference compute": _compute,
    "no compatible GPUs were discovered": _fixed("log.no_gpu", "log.look_at_driver"),
    "failure during GPU discovery": _with("log.gpu_trouble", "log.look_at_driver", why="error"),
    "llama runner terminated": _ended,
    "llama-server terminated": _ended,
    "vram-based default context": _with("log.default_context", tokens="default_num_ctx"),
    "gpu VRAM usage didn't recover within timeout": _fixed("log.slow_to_free"),
    "flash attention enabled but not supported by gpu": _fixed("log.no_flash_attention"),
    "flash attention enabled but not supported by model": _fixed("log.no_flash_attention"),
    "quantized kv cache requested but flash attention disabled": _fixed(
        "log.no_quantized_cache", "log.set_flash"
    ),
    "kv cache type not supported by model": _fixed("log.no_cache_type"),
    "invalid option provided": _with("log.unknown_option", option="option"),
    "model recommendations refresh failed": _fixed("log.no_recommendations"),
    "model show cloud cache hydration failed": _fixed("log.no_recommendations"),
}
_MEMORY = _fixed("log.out_of_memory", "log.less_memory")
_BY_WORDS: tuple[tuple[str, Callable[[LogLine], LogRemark | None]], ...] = (
    (
        "address already in use",
        _found(r"listen \w+ (?P<address>\S+): bind", "log.port_taken", "log.other_port"),
    ),
    ("Listening on ", _listening),
    ("cudaMalloc failed: out of memory", _MEMORY),
    ("CUDA error: out of memory", _MEMORY),
    ("ErrorOutOfDeviceMemory", _MEMORY),
    ("kIOGPUCommandBufferCallbackErrorOutOfMemory", _MEMORY),
    ("failed to allocate compute buffers", _MEMORY),
    ("unable to allocate ", _MEMORY),
    ("CUDA driver version is insufficient", _fixed("log.old_driver", "log.renew_driver")),
    ("requires more system memory", _load_failed),
    ("process has terminated", _ended),
    ("process no longer running", _ended),
    ("CUDA error", _fixed("log.cuda_error", "log.update_or_report")),
    ("GGML_ASSERT", _fixed("log.assertion", "log.update_or_report")),
    (
        "unknown model architecture",
        _found(r"architecture: '(?P<name>[^']*)'", "log.old_ollama", "log.update_ollama"),
    ),
    ("timed out waiting for llama", _fixed("log.load_timeout", "log.more_load_time")),
    ("finished loading, aborting load", _fixed("log.client_left")),
    ("maximum pending requests exceeded", _fixed("log.busy", "log.raise_queue")),
    ("digest mismatch", _fixed("log.damaged_download", "log.pull_again")),
    ("no space left on device", _fixed("log.disk_full", "log.free_disk")),
    ("started in ", _found(r"(?:runner|llama-server) started in (?P<seconds>[\d.]+) seconds", "log.loaded")),
    ("stop processing: n_tokens", _cut_answer),
    ("total unused blobs removed", _pruned),
    (
        "permission denied",
        _found(r"(?P<path>/[^:\"]{1,200}): permission denied", "log.denied", "log.check_owner"),
    ),
    ("no such host", _fixed("log.offline")),
    ("Failed with result", _found(r"result '(?P<result>[^']+)'", "log.unit_failed")),
)
