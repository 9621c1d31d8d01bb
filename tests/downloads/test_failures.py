"""What Ollama 0.24.0 said of pulls that failed, in sentences; what was recorded is on the left."""

from __future__ import annotations

import pytest

from llmstack_tui.downloads.failures import explained
from llmstack_tui.hosts.errors import BadStream, HostError, ServerError

NAME = "127.0.0.1:44383/library/f0:x"
SAID = {
    'pull model manifest: realm host "" does not match original host "127.0.0.1:44383"': "does not show",
    "pull model manifest: 429:": "has been asked too often",
    "pull model manifest: 500: failed": "127.0.0.1:44383 failed (status 500): try again later.",
    "pull model manifest: invalid character '<' looking for beginning of value": "a web page",
    "pull model manifest: unexpected end of JSON input": "is not understood",
    "invalid digest format": "is not understood",
    "pull model manifest: file does not exist": f"127.0.0.1:44383 has no model {NAME}",
    "file does not exist": "does not have a part",
    "500:": "failed (status 500) while it sent the model",
    "digest mismatch, file must be downloaded again: want sha256:a00d, got sha256:6519": "thrown away",
    "max retries exceeded: unexpected EOF": "does not go on (unexpected EOF)",
    'max retries exceeded: Get "http://cdn.example/data?signature=secret": dial tcp 127.0.0.1:9: connect: '
    "connection refused": "does not go on (dial tcp 127.0.0.1:9: connect: connection refused)",
    'something new: Head "http://cdn.example/data?signature=secret": EOF': "something new: EOF.",
    "write /m/blobs/sha256-ab-partial: no space left on device": "disk is full",
    'pull model manifest: Get "http://127.0.0.1:9/v2/a/b/manifests/latest": dial tcp 127.0.0.1:9: '
    "connect: connection refused": "127.0.0.1:44383 cannot be reached: connection refused.",
    'pull model manifest: Get "https://nohost.invalid/v2/a": dial tcp: lookup nohost.invalid on '
    "10.0.0.1:53: no such host": "there is no such host",
    # The built-in engine's are sentences.
    "pull model manifest: file does not exist: r.example has no model x:y.": "r.example has no model x:y.",
    "r.example failed (status 500): try again later.": "r.example failed (status 500): try again later.",
    "something that nobody has seen yet": "something that nobody has seen yet.",
}


@pytest.mark.parametrize(("said", "words"), SAID.items())
def test_a_server_s_words_become_one_sentence(said: str, words: str) -> None:
    error = ServerError(f"http://127.0.0.1:11434 failed: {said}", host="http://127.0.0.1:11434", detail=said)
    found = explained(error, NAME)
    assert words in found
    assert found.endswith((".", "?"))
    assert "pull model manifest" not in found
    assert "11434" not in found
    assert "secret" not in found


@pytest.mark.parametrize("name", ["x", "not a name"])
def test_other_errors_speak_for_themselves(name: str) -> None:
    error: HostError = BadStream("It broke off.", host="h", hint="Is it an Ollama server?")
    assert explained(error, name) == "It broke off. Is it an Ollama server?"
    assert "has no model" in explained(
        ServerError("no", host="h", detail="pull model manifest: file does not exist"), name
    )
