"""The errors of the engine as text for its clients, and as data for llmstack."""

from __future__ import annotations

import msgspec
import pytest

from llmstack_tui.base.sentences import Sentence, Sentences, quoted
from llmstack_tui.base.text import with_full_stop
from llmstack_tui.core.wording import catalogue, text
from llmstack_tui.engine import errors
from llmstack_tui.engine.api.replies import ollama_error
from llmstack_tui.library.errors import LibraryError

DAMAGED = Sentence("library.weights_damaged")


@pytest.mark.parametrize(
    "error",
    [
        errors.LoadFailed("unknown model architecture: 'zebra'"),
        errors.LoadFailed(errors.text(DAMAGED).rstrip("."), (DAMAGED,)),
        errors.MemoryShort(12_300_000_000, -1, 4096),
        errors.PromptTooLong(5000, 4096),
        errors.RunnerDied("was killed (SIGKILL)"),
        errors.ServerBusy(),
        errors.EngineStopping(),
        errors.StoppedInAnswer(),
        errors.refusal(500, LibraryError("library.no_blob", digest="sha256:a")),
    ],
)
def test_an_error_goes_out_as_text_and_as_data_that_say_the_same(error: errors.ApiError) -> None:
    answer = msgspec.json.decode(ollama_error(error).body)
    assert answer.keys() == {"error", "sentences"}
    assert answer["error"] == str(error)
    sentences = msgspec.convert(answer["sentences"], Sentences)
    assert text(quoted("unknown", sentences)) == with_full_stop(" ".join(str(error).split()))


def test_the_faces_have_words_for_all_that_the_engine_says() -> None:
    assert {kind for room in errors.ROOMS for kind in room.SENTENCES} <= catalogue().keys()


def test_what_cannot_be_sent_as_data_is_sent_as_text() -> None:
    error = errors.refusal(500, LibraryError("library.damaged", path="a\udc80"))
    assert msgspec.json.decode(ollama_error(error).body) == {
        "error": "a\N{REPLACEMENT CHARACTER} is damaged: its content is not what its name says."
    }


def test_what_only_programs_read_is_text() -> None:
    answer = ollama_error(errors.ApiError(400, "model is required"))
    assert msgspec.json.decode(answer.body) == {"error": "model is required"}
