"""The lines are what llama.cpp wrote, one of each kind of failure."""

from __future__ import annotations

import signal

import pytest

from llmstack_tui.engine.runners.endings import ending, load_failure

HARMLESS = "0.00.002.106 W srv          init: security: no API key is set"
LINES = {
    "llama.cpp does not know its architecture 'foo': a newer version of llmstack may": (
        HARMLESS,
        "0.00.004.776 E llama_model_load: error loading model: unknown model architecture: 'foo'",
        "0.00.004.790 E llama_model_load_from_file_impl: failed to load model",
        "0.00.005.075 E cmn  common_init_: failed to load model 'bad.gguf'",
        "0.00.005.399 E srv          init: exiting due to model loading error",
    ),
    "its file is cut short: get another file": (
        "0.00.004.362 E llama_model_load: error loading model: tensor 'output.weight' data is not within the"
        " file bounds, model is corrupted or incomplete",
        "0.00.004.380 E llama_model_load_from_file_impl: failed to load model",
    ),
    "failed to open GGUF file 'a b.gguf' (No such file or directory)": (
        "0.00.002.464 E gguf_init_from_file: failed to open GGUF file 'a b.gguf' (No such file or directory)",
        "0.00.002.585 E llama_model_load: error loading model: llama_model_loader: failed to load model",
    ),
    "parser: Parser Error: Unexpected EOF": (
        "0.00.009.213 E common_chat_templates_init: error: parser: Parser Error: Unexpected EOF",
        "...{% for...",
        "      ^",
        "0.00.009.287 E srv          init: init: chat template parsing error: std::exception",
    ),
    "couldn't bind HTTP server socket, hostname: /x.sock, port: 0": (
        "0.00.002.101 E srv         start: couldn't bind HTTP server socket, hostname: /x.sock, port: 0",
    ),
    "ModuleNotFoundError: No module named 'xllamacpp'": (
        "Traceback (most recent call last):",
        '  File "<frozen runpy>", line 198, in _run_module_as_main',
        "ModuleNotFoundError: No module named 'xllamacpp'",
        "",
    ),
}


@pytest.mark.parametrize(("cause", "lines"), LINES.items())
def test_the_cause_of_a_failed_load_is_the_first_error_and_not_its_consequences(
    cause: str, lines: tuple[str, ...]
) -> None:
    assert load_failure(3, lines).cause == cause


def test_a_load_that_fails_without_a_word_says_so() -> None:
    assert load_failure(3, []).cause == "its process ended (exit status 3) and did not say why"


@pytest.mark.parametrize(
    ("status", "lines", "told"),
    [
        (-signal.SIGKILL, (), "was killed (SIGKILL), most likely because the machine ran out of memory"),
        (-signal.SIGTERM, (HARMLESS,), "was ended from outside (SIGTERM)"),
        (-signal.SIGSEGV, (HARMLESS,), "crashed (SIGSEGV)"),
        (
            -signal.SIGABRT,
            (HARMLESS, "/src/ggml/src/ggml.c:1234: GGML_ASSERT(n > 0) failed"),
            "crashed (SIGABRT): GGML_ASSERT(n > 0) failed",
        ),
        (
            -signal.SIGABRT,
            ("terminate called after throwing an instance of 'std::length_error'", "  what():  too long."),
            "crashed (SIGABRT): what():  too long",
        ),
        (-250, (), "crashed (signal 250)"),
        (0, (), "ended by itself (exit status 0)"),
        (1, ("MemoryError",), "ended by itself (exit status 1): MemoryError"),
    ],
)
def test_how_a_process_ended(status: int, lines: tuple[str, ...], told: str) -> None:
    assert ending(status, lines) == told


@pytest.mark.skipif(not hasattr(signal, "SIGBUS"), reason="has no SIGBUS")
def test_a_file_that_was_cut_off_in_use_is_named_as_the_cause() -> None:
    assert "file was changed or cut off" in ending(-signal.SIGBUS, ())


def test_a_signal_during_a_load_is_told_like_any_other() -> None:
    assert load_failure(-signal.SIGKILL, [HARMLESS]).cause.startswith("its process was killed (SIGKILL)")


def test_a_check_of_the_code_for_cards_is_no_fault_of_the_file() -> None:
    failed = load_failure(-signal.SIGABRT, ["/src/ggml/src/ggml-cuda/ggml-cuda.cu:98: CUDA error"])
    assert (failed.cause, failed.status) == ("its process crashed (SIGABRT)", 500)
