"""What Ollama 0.24.0 said of pulls that failed, as it was recorded, and what it means."""

from __future__ import annotations

import pytest

from llmstack_tui.base.sentences import Sentence, quoted, said
from llmstack_tui.downloads.failures import explained
from llmstack_tui.hosts.errors import BadStream, HostError, ServerError

NAME = "127.0.0.1:44383/library/f0:x"
FIGURES = {"registry": "127.0.0.1:44383", "name": NAME}
SAID = {
    'pull model manifest: realm host "" does not match original host "127.0.0.1:44383"': ("private", None),
    "pull model manifest: 429:": ("too_often", None),
    "pull model manifest: 500: failed": ("registry_failed", "500"),
    "pull model manifest: invalid character '<' looking for beginning of value": ("web_page", None),
    "pull model manifest: unexpected end of JSON input": ("bad_manifest", None),
    "invalid digest format": ("bad_manifest", None),
    "pull model manifest: file does not exist": ("no_model", None),
    "file does not exist": ("part_missing", None),
    "500:": ("registry_broke_off", "500"),
    "digest mismatch, file must be downloaded again: want sha256:a00d, got sha256:6519": (
        "wrong_digest",
        None,
    ),
    "max retries exceeded": ("stalled_silently", None),
    "max retries exceeded: unexpected EOF": ("stalled", "unexpected EOF"),
    'max retries exceeded: Get "http://cdn.example/data?signature=secret": dial tcp 127.0.0.1:9: connect: '
    "connection refused": ("stalled", "dial tcp 127.0.0.1:9: connect: connection refused"),
    "write /m/blobs/sha256-ab-partial: no space left on device": ("disk_full", None),
    'pull model manifest: Get "http://127.0.0.1:9/v2/a/b/manifests/latest": dial tcp 127.0.0.1:9: '
    "connect: connection refused": ("unreachable", "connection refused"),
    'pull model manifest: Get "https://nohost.invalid/v2/a": dial tcp: lookup nohost.invalid on '
    "10.0.0.1:53: no such host": ("no_such_host", None),
}
QUOTED = {
    'something new: Head "http://cdn.example/data?signature=secret": EOF': "something new: EOF.",
    # The built-in engine's are sentences.
    "pull model manifest: file does not exist: r.example has no model x:y.": "r.example has no model x:y.",
    "r.example failed (status 500): try again later.": "r.example failed (status 500): try again later.",
    "something that nobody has seen yet": "something that nobody has seen yet.",
}


def failed(detail: str) -> ServerError:
    return ServerError("host.failed", host="http://127.0.0.1:11434", detail=detail)


@pytest.mark.parametrize(("detail", "meaning"), SAID.items())
def test_a_server_s_words_have_a_meaning(detail: str, meaning: tuple[str, str | None]) -> None:
    kind, said = meaning
    expected = FIGURES if said is None else {**FIGURES, "said": said}
    assert explained(failed(detail), NAME) == (Sentence(f"download.{kind}", expected),)


@pytest.mark.parametrize(("detail", "words"), QUOTED.items())
def test_words_that_are_not_known_are_quoted_without_addresses(detail: str, words: str) -> None:
    assert explained(failed(detail), NAME) == (quoted(words),)


@pytest.mark.parametrize("name", ["x", "not a name"])
def test_other_errors_speak_for_themselves(name: str) -> None:
    error: HostError = BadStream("answer.broke_off", host="h", hint="host.is_it_ollama")
    assert explained(error, name) == said(error)
    (found,) = explained(failed("pull model manifest: file does not exist"), name)
    assert found.kind == "download.no_model"
