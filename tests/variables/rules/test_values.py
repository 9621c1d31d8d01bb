"""How Ollama reads its variables: what a real 0.24 and a real 0.33 logged when they were given these."""

from __future__ import annotations

import pytest

from llmstack_tui.variables.rules.values import check, in_force, opens
from llmstack_tui.variables.table import variable

FOREVER = "2562047h47m16.854775807s"


@pytest.mark.parametrize(
    ("name", "given", "logged", "is_right"),
    [
        ("KEEP_ALIVE", "300", "5m0s", True),
        ("KEEP_ALIVE", "-1", FOREVER, True),
        ("KEEP_ALIVE", "-1m", FOREVER, True),
        ("KEEP_ALIVE", "0", "0s", True),
        ("KEEP_ALIVE", "1.5h", "1h30m0s", True),
        ("KEEP_ALIVE", "1d", "5m0s", False),
        ("LOAD_TIMEOUT", "0", FOREVER, True),
        ("LOAD_TIMEOUT", "90", "1m30s", True),
        ("LOAD_TIMEOUT", "10x", "5m0s", False),
        ("FLASH_ATTENTION", "t", "true", True),
        ("FLASH_ATTENTION", "yes", "true", False),
        ("NOPRUNE", "F", "false", True),
        ("NOPRUNE", "on", "true", False),
        ("NO_CLOUD", "nope", "true", False),
        ("CONTEXT_LENGTH", " 8192 ", "8192", True),
        ("CONTEXT_LENGTH", "-1", "0", False),
        ("CONTEXT_LENGTH", "8k", "0", False),
        ("CONTEXT_LENGTH", "1_000", "0", False),
        ("NUM_PARALLEL", "'4'", "4", True),
        ("NUM_PARALLEL", "0x10", "1", False),
        ("MAX_LOADED_MODELS", "+3", "0", False),
        ("MAX_QUEUE", "0", "0", False),
        ("MAX_QUEUE", "5.5", "512", False),
        ("GPU_OVERHEAD", "1073741824", "1073741824", True),
        ("GPU_OVERHEAD", "1GB", "0", False),
        ("KV_CACHE_TYPE", "q5", "q5", False),
        ("KV_CACHE_TYPE", "q8_0", "q8_0", True),
        ("DEBUG", "1", "DEBUG", True),
        ("DEBUG", "2", "DEBUG-4", True),
        ("DEBUG", "yes", "INFO", False),
        ("HOST", "0.0.0.0", "http://0.0.0.0:11434", True),
        ("HOST", ":11950", "http://:11950", True),
        ("HOST", "127.0.0.1:99999", "http://127.0.0.1:11434", False),
        ("HOST", "localhost:11951", "http://localhost:11951", True),
        (
            "ORIGINS",
            "http://a.b,https://c.d",
            "[http://a.b https://c.d http://localhost https://localhost]",
            True,
        ),
        ("MODELS", "'/models'", "/models", True),
    ],
)
def test_a_value_as_ollama_reads_it(name: str, given: str, logged: str, is_right: bool) -> None:
    of = variable(f"OLLAMA_{name}")
    assert in_force(of, given) == in_force(of, logged)
    assert (check(of, given) is None) is is_right


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("HOST", "999.1.1.1", "variables.no_ip"),
        ("HOST", "ftp://a", "variables.no_address"),
        ("ORIGINS", "foo", "variables.no_origin"),
        ("MODELS", "~/models", "variables.no_folder"),
        ("KEEP_ALIVE", " ", "variables.empty"),
        ("LLM_LIBRARY", "a\nb", "variables.characters"),
        ("LLM_LIBRARY", "a" * 5000, "variables.characters"),
    ],
)
def test_what_ends_the_server_or_its_file(name: str, given: str, kind: str) -> None:
    fault = check(variable(f"OLLAMA_{name}"), given)
    assert fault is not None
    assert fault.kind == kind


@pytest.mark.parametrize(
    ("given", "is_open"),
    [
        ("0.0.0.0", True),
        (":1", True),
        ("[::]:1", True),
        ("192.168.1.2", True),
        ("localhost:1", False),
        ("", False),
    ],
)
def test_an_address_that_lets_others_in(given: str, is_open: bool) -> None:
    assert opens(variable("OLLAMA_HOST"), given) is is_open
