"""One model in a process of its own: loads it with llama.cpp and serves it until its input ends.

Run as ``python -m llmstack_tui.engine.runners.child``. It reads a `StartMessage` from standard input, writes
a `ReadyMessage` to standard output, and ends when standard input does. The cause of a failed load is on
standard error, in llama.cpp's lines.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.engine.runners.confinement import confine
from llmstack_tui.engine.runners.messages import ReadyMessage, StartMessage

if TYPE_CHECKING:
    from types import ModuleType

    import xllamacpp

# The cache of earlier prompts, in MiB. Its default lets a process grow by gigabytes beyond the estimate.
_PROMPT_CACHE_MIB = 0
# Copies of the state of layers with a sliding window or a recurrent state. By default 32 of them: gigabytes.
_CHECKPOINTS = 1
# Errors and warnings; 3 adds some lines per request.
_VERBOSITY = 2
# Each open response holds a thread of llama.cpp's server, for some seconds also after its client has left.
_SPARE_HTTP_THREADS = 16
_LOAD_FAILED = 3
_LOG_S = 0.3
_PR_SET_PDEATHSIG = 1
# How long a thread that has done its part spins before it sleeps, in turns of a loop. With the default, the
# threads that wait for one whose core another program has taken burn the time it needs: on two cores, one
# of them busy, 7 tokens/s instead of 33 (135M, Q4_1). On an idle machine the difference is below 4 %.
_SPIN_COUNT = "1000"


def main() -> None:
    # Ctrl-C in the terminal in which the engine was started must not end a model during a request.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody else may connect to the socket.
    os.umask(0o077)
    answers = _own_stdout()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    message = msgspec.json.decode(line, type=StartMessage)
    _die_with(message.parent)
    if message.confine:
        confine((message.config.weights, *message.config.adapters), message.socket)
    server = _serve(message)
    os.write(answers, msgspec.json.encode(ReadyMessage(address=server.listening_address)) + b"\n")
    os.close(answers)
    while sys.stdin.buffer.read(4096):
        pass
    # Not a return: the interpreter would wait for the server's threads for ever.
    os._exit(0)


def _own_stdout() -> int:
    """A descriptor of standard output. What llama.cpp prints goes to standard error from now on."""
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _die_with(parent: int) -> None:
    """Let the kernel end this process with its parent.

    llama.cpp holds the GIL while it loads, so that no Python code could notice. Only Linux can do this;
    elsewhere a process whose parent was killed during a load ends after the load, at the end of its input.
    """
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 (not on other platforms)

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # It ended before the kernel watched it.


def _serve(message: StartMessage) -> xllamacpp.Server:
    # Both are read when the library is loaded. Without the first, an abort looks for a debugger.
    os.environ["GGML_NO_BACKTRACE"] = "1"
    os.environ.setdefault("GOMP_SPINCOUNT", _SPIN_COUNT)
    import xllamacpp  # noqa: PLC0415 (reads the environment)

    params = xllamacpp.CommonParams()
    _set_model(params, message)
    _set_limits(params, message)
    _set_address(params, message)
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        # The cause is on standard error; the exception has none.
        _finish_log(xllamacpp)
        os._exit(_LOAD_FAILED)


def _finish_log(xllamacpp: ModuleType) -> None:
    """Let llama.cpp finish its log, which a thread writes that would end with this process."""
    import ctypes  # noqa: PLC0415 (only after a failure)

    try:
        library = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
        log, flush = library["_Z15common_log_mainv"], library["_Z16common_log_flushP10common_log"]
    except (OSError, AttributeError):
        # On Windows, or in another version, there is no way to know when it is done.
        time.sleep(_LOG_S)
        return
    log.restype, flush.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    flush(log())


def _set_model(params: xllamacpp.CommonParams, message: StartMessage) -> None:
    import xllamacpp  # noqa: PLC0415

    config = message.config
    params.model.path = config.weights
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 1.0) for path in config.adapters]
    if config.chat_template is not None:
        params.chat_template = config.chat_template
    params.use_jinja = True
    if config.embedding:
        params.embedding = True
        if config.pooling:
            kind = f"LLAMA_POOLING_TYPE_{config.pooling.upper()}"
            params.pooling_type = getattr(xllamacpp.llama_pooling_type, kind)


def _set_limits(params: xllamacpp.CommonParams, message: StartMessage) -> None:
    import xllamacpp  # noqa: PLC0415

    config = message.config
    params.n_ctx = config.context_length * config.parallel
    params.n_parallel = config.parallel
    # Each request gets the whole context length, not what the others leave of a shared one.
    params.kv_unified = config.parallel == 1
    # As in Ollama, an answer may outgrow the context: the oldest tokens after ``num_keep`` are dropped.
    params.ctx_shift = True
    # An input to embed has to fit into one batch.
    params.n_ubatch = config.context_length if config.embedding else min(config.batch, config.context_length)
    params.n_batch = max(params.n_ubatch, params.n_batch)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads
    cache_type = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{config.cache_type.upper()}")
    params.cache_type_k = params.cache_type_v = cache_type
    # A model that only chats is warmed up by its first token.
    params.warmup = config.embedding
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.cache_idle_slots = False
    params.n_ctx_checkpoints = _CHECKPOINTS
    params.n_gpu_layers = config.gpu_layers
    kinds = (device["type"] for device in xllamacpp.get_device_info())
    has_card = any(kind != xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU for kind in kinds)
    # This loads the model twice, to find out how much of it fits on a graphics card.
    params.fit_params = has_card
    if not config.mapped and not has_card:
        params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE


def _set_address(params: xllamacpp.CommonParams, message: StartMessage) -> None:
    params.verbosity = _VERBOSITY
    params.ui = False
    params.n_threads_http = message.config.parallel + _SPARE_HTTP_THREADS
    params.cors_origins = ""
    params.port = 0
    if message.socket is None:
        params.hostnames = ["127.0.0.1"]
        params.api_keys = [message.key]
    else:
        params.hostnames = [message.socket]


if __name__ == "__main__":
    main()
