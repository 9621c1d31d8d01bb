"""``llmstack providers``: who can answer, here and in clouds, and what is missing where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.units import seconds_text
from llmstack_tui.cli import output
from llmstack_tui.core.wording import text
from llmstack_tui.providers.types import Ability

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.provider_list import ListedProvider

_WORDS = {
    Ability.CHAT: later("chat"),
    Ability.EMBED: later("embed"),
    Ability.TOOLS: later("tools"),
    Ability.IMAGES: later("images"),
    Ability.SCHEMA: later("JSON schema"),
    Ability.REASONING: later("reasoning"),
}


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "--check",
        action="store_true",
        help=tr("ask each that is set up for its models, which costs nothing; fails if none answers"),
    )


async def run(core: Core, options: Namespace) -> int:
    from llmstack_tui.core.provider_list import listed  # noqa: PLC0415  # imports httpx

    found = await listed(core.settings, core.environ, check=options.check)
    output.answer(options, document(found), lambda: _write(found, checked=options.check))
    return int(options.check and not any(each.health and each.health.is_healthy for each in found))


def document(found: Sequence[ListedProvider]) -> dict[str, object]:
    return {
        "providers": [
            {
                "name": each.name,
                "url": each.url,
                "is_set_up": each.is_set_up,
                "key_from": each.key_from or None,
                "model": each.model or None,
                "abilities": [ability.name.lower() for ability in each.abilities if ability.name],
                "is_default": each.is_default,
                "after": each.after,
                "problem": text(*each.problem) or None,
                "health": each.health
                and {
                    "is_healthy": each.health.is_healthy,
                    "latency_s": each.health.latency_s,
                    "problem": each.health.problem or None,
                },
            }
            for each in found
        ]
    }


def _write(found: Sequence[ListedProvider], *, checked: bool) -> None:
    rows = [
        [
            output.mark(_mark(each)),
            each.name,
            _role(each),
            each.model or "–",
            each.key_from or "–",
            *([_answer(each)] if checked else []),
            ", ".join(tr(word) for ability, word in _WORDS.items() if ability in each.abilities),
        ]
        for each in found
    ]
    answer = [tr("ANSWER")] if checked else []
    heads = ["", tr("NAME"), tr("ASKED"), tr("MODEL"), f"{tr('KEY')}?", *answer, f"{tr('CAN')}?"]
    output.write_table(heads, rows)
    for each in found:
        if problem := text(*each.problem) or (each.health.problem if each.health else ""):
            output.inform(problem)


def _mark(each: ListedProvider) -> str:
    if each.health is not None:
        return "fine" if each.health.is_healthy else "broken"
    return "active" if each.is_set_up else "inactive"


def _role(each: ListedProvider) -> str:
    """Whether it is asked first, or as which of those that follow."""
    if each.is_default:
        return tr("first")
    return "–" if each.after is None else str(each.after + 1)


def _answer(each: ListedProvider) -> str:
    if each.health is None:
        return "–"
    if each.health.latency_s is None:
        return tr("none")
    return seconds_text(each.health.latency_s)
