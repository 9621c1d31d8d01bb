"""The messages between the engine and a model's process: one line of JSON each way."""

from __future__ import annotations

import msgspec

from llmstack_tui.base.kinds import DEFAULT_CACHE
from llmstack_tui.base.structs import replace


class RunnerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How to run a model. Requests with equal configurations can share a process.

    Attributes:
        weights: the path of a GGUF file.
        context_length: in tokens, for each request; no more than the model was trained on.
        threads: the number of threads to compute with.
        parallel: how many requests are computed at once, each with a context of its own. Others wait.
        embedding: also compute embeddings, which takes some 200 MiB. Completions still work.
        pooling: how the tokens' vectors become one, in llama.cpp's words; empty if the file says it itself.
        batch: how many tokens of prefill are computed at once; with ``embedding``, it is the context length.
        chat_template: a Jinja template; None uses the file's own.
        adapters: paths of GGUF files of LoRA adapters, applied at full strength.
        cache_type: the type of keys and values in the context, one of `kinds.CACHE_TYPES`.
        gpu_layers: how many layers to compute on the graphics card; negative is as many as fit.
        mapped: map the file into memory instead of reading it. Not for weights that llama.cpp rearranges for
            the processor: both copies would be in memory. With a graphics card, the file is always mapped.
    """

    weights: str
    context_length: int
    threads: int
    parallel: int = 1
    embedding: bool = False
    pooling: str = "last"
    batch: int = 512
    chat_template: str | None = None
    adapters: tuple[str, ...] = ()
    cache_type: str = DEFAULT_CACHE
    gpu_layers: int = -1
    mapped: bool = True

    def serves(self, wanted: RunnerConfig) -> bool:
        """Whether a process with this configuration can serve a request for ``wanted``."""
        if self.embedding and not wanted.embedding:
            wanted = replace(wanted, embedding=True)
        if not self.embedding:
            wanted = replace(wanted, pooling=self.pooling)
        return self == wanted


class StartMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The line that a model's process reads.

    Attributes:
        socket: the Unix socket to listen on; None is a free port of the loopback address.
        key: the API key that requests on that port need.
        parent: the id of the engine's process, with which the model's process ends.
        confine: give up the rights that it does not need.
    """

    config: RunnerConfig
    socket: str | None
    key: str
    parent: int
    confine: bool = True


class ReadyMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The process's answer once the model is loaded. ``address``: "unix:///…" or "http://127.0.0.1:…"."""

    address: str
