"""``llmstack guide``: the topics of the user's guide, and its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import current, tr
from llmstack_tui.cli import output
from llmstack_tui.guide.pages import TOPICS, near, page, pages, topic_of

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "topic",
        nargs="?",
        type=_topic,
        choices=TOPICS,
        metavar=tr("TOPIC"),
        help=tr("the page to write, or the beginning of its name (default: the list of pages)"),
    )


def run(_: Core, options: Namespace) -> int:
    if options.topic is None:
        topics = [{"topic": each.topic, "title": each.title, "purpose": each.purpose} for each in pages()]
        return output.answer(options, {"language": current().code, "topics": topics}, _write_topics)
    found = page(options.topic)
    document = {"language": current().code, **found._asdict()}
    return output.answer(options, document, lambda: output.write_text(found.text, end=""))


def _topic(word: str) -> str:
    if topic := topic_of(word):
        return topic
    if found := near(word):
        raise output.WrongUsage(
            tr(
                "The guide has no page {word}. Near it are: {topics}.",
                word=repr(word),
                topics=", ".join(found),
            )
        )
    raise output.WrongUsage(tr("The guide has no page {word}; `llmstack guide` lists them.", word=repr(word)))


def _write_topics() -> None:
    output.write_table((tr("TOPIC"), tr("ABOUT")), [(each.topic, each.purpose) for each in pages()])
