"""``llmstack guide``: the topics, a page in the user's language, and the nearest to a word that is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmstack_tui.guide.pages import FOLDER, TOPICS

if TYPE_CHECKING:
    from tests.support.program import Program


def test_the_topics_are_listed_with_what_they_are_about(llmstack: Program) -> None:
    done = llmstack("guide")
    assert (done.returncode, done.stderr) == (0, "")
    assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == [*TOPICS]
    document = json.loads(llmstack("guide", "--json").stdout)
    assert [each["topic"] for each in document["topics"]] == [*TOPICS]
    assert all(each["title"] and each["purpose"].endswith(".") for each in document["topics"])


def test_a_page_is_written_as_it_is_in_the_language_of_the_user(llmstack: Program) -> None:
    assert llmstack("guide", "guard").stdout == (FOLDER / "en" / "guard.md").read_text("utf-8")
    spanish = llmstack.given(LLMSTACK_UI_LANGUAGE="es")
    assert spanish("guide", "guard").stdout == (FOLDER / "es" / "guard.md").read_text("utf-8")
    document = json.loads(spanish("guide", "gu", "--json").stdout)
    assert (document["language"], document["topic"]) == ("en", "guard")
    assert document["text"] == (FOLDER / "en" / "guard.md").read_text("utf-8")


def test_a_word_that_is_no_topic_is_one_sentence_with_the_near_ones(llmstack: Program) -> None:
    for word, said in (("landlock", "engine"), ("xyz", "`llmstack guide` lists them")):
        done = llmstack("guide", word)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert repr(word) in line
        assert said in line
