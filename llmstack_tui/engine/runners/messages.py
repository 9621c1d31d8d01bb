"""What a model's process is told, and what it says when it is ready: one line of JSON each way."""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmstack_tui.base.kinds import DEFAULT_CACHE
from llmstack_tui.base.structs import replace


class RunnerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a model. Two requests with equal ones can share a process.

    Attributes:
        weights: a GGUF file.
        context_length: tokens of context of each request, no more than the model was trained on.
        threads: how many compute.
        parallel: requests that are computed at once; each has a context of its own. More wait for their turn.
        embedding: also make embeddings. Costs some 200 MiB, and a chat still works.
        mean_pooling: an embedding is the mean over the tokens. False for a file that says how it pools.
        batch: tokens of a prompt that are computed in one go; with ``embedding`` it is the context length.
        chat_template: Jinja; None is the file's own.
        projector: the GGUF of a vision model's other half.
        adapters: GGUF files of LoRA adapters, applied at full strength.
        cache_type: the type of keys and values in the context, one of `caches.CACHE_TYPES`.
        gpu_layers: how many layers go to a graphics card; negative is as many as fit.
        mapped: the file is the weights' memory. A file whose weights are rearranged for the processor would
            be in memory beside them; with a graphics card it is mapped in any case.
    """

    weights: Path
    context_length: int
    threads: int
    parallel: int = 1
    embedding: bool = False
    mean_pooling: bool = True
    batch: int = 512
    chat_template: str | None = None
    projector: Path | None = None
    adapters: tuple[Path, ...] = ()
    cache_type: str = DEFAULT_CACHE
    gpu_layers: int = -1
    mapped: bool = True

    def serves(self, wanted: RunnerConfig) -> bool:
        """Whether a process that runs like this can answer a request that asks for ``wanted``."""
        if self.embedding and not wanted.embedding:
            wanted = replace(wanted, embedding=True)
        if not self.embedding:
            wanted = replace(wanted, mean_pooling=self.mean_pooling)
        return self == wanted


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The line that a model's process reads.

    Attributes:
        socket: the Unix socket to answer on; None is a free port of the loopback address.
        key: what a request on that port has to show.
        parent: the process without which this one must not live.
    """

    config: RunnerConfig
    socket: str | None
    key: str
    parent: int


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The line that it writes once it answers. ``address`` is "unix:///…" or "http://127.0.0.1:…"."""

    address: str


def encode(line: Order | Ready) -> bytes:
    return msgspec.json.encode(line, enc_hook=str) + b"\n"


def decode_order(line: bytes) -> Order:
    return msgspec.json.decode(line, type=Order, dec_hook=_path)


def decode_ready(line: bytes) -> Ready:
    return msgspec.json.decode(line, type=Ready)


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str):
        raise TypeError(f"{value!r} is no path")
    return Path(value)
