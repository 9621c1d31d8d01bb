"""A report for a bug report has no secrets and no names."""

from __future__ import annotations

import pytest

from llmstack_tui.doctor.report import Unnamed, redacted

NAMES = Unnamed(home="/home/jane", user="jane", machine="janes-box", hosts=("a", "gpu", "gpu.example.com"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/jane/.ollama/models", "~/.ollama/models"),
        ("jane's file on janes-box", "USER's file on MACHINE"),
        ("janet stays", "janet stays"),
        ("http://gpu.example.com:11434 answers", "http://HOST:11434 answers"),
        ("http://a:11434 and http://gpu have gpus", "http://a:11434 and http://HOST have gpus"),
        (
            "http://192.0.2.7:11434 and http://127.0.0.1:11434",
            "http://ADDRESS:11434 and http://127.0.0.1:11434",
        ),
        ("http://me:secret@proxy:3128", "http://proxy:3128"),
        ("hf_abcdefghijklmnop, sk-abcdefgh12345678", "SECRET, SECRET"),
        ("a" * 64, "a" * 64),
        ("Z" * 48, "SECRET"),
    ],
)
def test_what_must_not_be_told(text: str, shown: str) -> None:
    assert redacted(text, NAMES) == shown
