"""Retries, breakers and chains: only before the first token, limited, and never where it is of no use."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.providers import errors
from llmstack_tui.providers.breaker import Breaker, BreakerRules
from llmstack_tui.providers.chain import ChainLink, ChainProvider
from llmstack_tui.providers.retries import RetryingProvider, RetryRules, wait_s
from llmstack_tui.providers.types import Ability, EmbedRequest, Piece, Prefill, TextRequest
from tests.providers.clouds import asking
from tests.providers.scripted import ScriptedProvider, done
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from llmstack_tui.providers.errors import ProviderError
    from llmstack_tui.providers.provider import Provider

QUICK = RetryRules(first_wait_s=0.001)


def lost(name: str = "a", retry_after_s: float | None = None) -> errors.Overloaded:
    return errors.Overloaded("providers.overloaded", provider=name, said="Full.", retry_after_s=retry_after_s)


def refused(kind: type[ProviderError] = errors.NoQuota, name: str = "a") -> ProviderError:
    return kind("providers.no_quota", provider=name, said="Nothing left.")


async def heard(provider: Provider) -> list[Piece]:
    return [piece async for piece in provider.chat(asking())]


def texts(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


# --- retries ---


async def test_a_failure_that_may_pass_is_tried_again() -> None:
    a = ScriptedProvider("a", [lost()], [lost(retry_after_s=0.002)], [Piece(text="Here."), done("a")])
    assert texts(await heard(RetryingProvider(a, QUICK))) == "Here."
    assert (len(a.models_asked), a.open) == (3, 0)


async def test_after_some_tries_the_last_failure_is_raised() -> None:
    a = ScriptedProvider("a", [lost()])
    with pytest.raises(errors.Overloaded):
        await heard(RetryingProvider(a, QUICK))
    assert len(a.models_asked) == QUICK.tries


async def test_nothing_is_tried_again_after_the_first_piece() -> None:
    a = ScriptedProvider("a", [Piece(text="Half"), lost()])
    with pytest.raises(errors.Overloaded):
        await heard(RetryingProvider(a, QUICK))
    assert (len(a.models_asked), a.open) == (1, 0)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (lost(), True),
        (lost(retry_after_s=3.0), 3.0),
        (lost(retry_after_s=31.0), False),
        (refused(errors.NoAccess), False),
        (refused(errors.NoQuota), False),
        (refused(errors.UnknownModel), False),
        (refused(errors.WrongRequest), False),
        (refused(errors.Blocked), False),
        (refused(errors.CannotDo), False),
        (refused(errors.BadAnswer), False),
        (refused(errors.TooMany), True),
        (refused(errors.NotReachable), True),
        (RuntimeError(), False),
    ],
)
def test_which_failures_may_pass(error: Exception, expected: bool | float) -> None:
    assert wait_s(error, RetryRules()) == expected


async def test_who_waits_for_the_next_try_can_stop(caplog: pytest.LogCaptureFixture) -> None:
    a = ScriptedProvider("a", [lost(retry_after_s=29.0)])
    task = asyncio.create_task(heard(RetryingProvider(a)))
    await wait_until(lambda: len(a.models_asked) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(a.models_asked), a.open) == (1, 0)
    # Nothing would be written over the screen.
    assert logging.getLogger("stamina").handlers


async def test_an_answer_that_is_left_early_is_closed() -> None:
    a = ScriptedProvider("a", [Piece(text="1"), Piece(text="2"), done("a")])
    async with aclosing(RetryingProvider(a, QUICK).chat(asking())) as pieces:
        await anext(pieces)
        assert a.open == 1
    assert a.open == 0


async def test_vectors_are_tried_again_too() -> None:
    a = ScriptedProvider("a", [lost()], [done("a")])
    found = await RetryingProvider(a, QUICK).embed(EmbedRequest(model="m", texts=("a", "b")))
    assert len(found.vectors) == 2


# --- the breaker ---


def test_a_breaker_opens_lets_one_through_and_closes() -> None:
    now = 100.0
    breaker = Breaker(BreakerRules(failures=2, rest_s=10), clock=lambda: now)
    for _ in range(2):
        assert breaker.admits()
        breaker.tried()
        breaker.failed(lost())
    assert not breaker.admits()
    now = 109.9
    assert not breaker.admits()
    now = 110.0
    assert breaker.admits()
    breaker.tried()
    assert not breaker.admits()  # The others wait for how that one ends.
    breaker.failed(lost())
    now = 119.9
    assert not breaker.admits()
    now = 120.0
    assert breaker.admits()
    breaker.tried()
    breaker.succeeded()
    breaker.failed(lost())
    assert breaker.admits()


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        (errors.NotReachable, True),
        (errors.TooMany, True),
        (errors.BadAnswer, True),
        (errors.WrongRequest, False),
        (errors.Blocked, False),
        (errors.CannotDo, False),
    ],
)
def test_what_a_breaker_counts(kind: type[ProviderError], counts: bool) -> None:
    breaker = Breaker(BreakerRules(failures=1))
    breaker.failed(refused(kind))
    assert breaker.admits() is not counts


# --- chains ---


async def test_the_next_provider_answers_and_that_is_said() -> None:
    a, b = ScriptedProvider("a", [Piece(prefill=Prefill(read=1, total=9)), lost()]), ScriptedProvider("b")
    chain = ChainProvider([ChainLink(a), ChainLink(b, model="m-2")])
    progress, notice, text, end = await heard(chain)
    assert progress.prefill
    assert notice.notice == "a failed, or has no room now: Full. b answers instead."
    assert text.text == "I am b."
    assert end.ending
    assert end.ending.provider == "b"
    assert (a.models_asked, b.models_asked) == (["m-1"], ["m-2"])
    await chain.aclose()
    assert a.is_closed
    assert b.is_closed


@pytest.mark.parametrize(
    "script", [[Piece(text="Half"), lost()], [Piece(reasoning="Hm"), lost()], [refused(errors.Blocked)]]
)
async def test_after_the_first_token_or_a_refusal_nobody_follows(script: list[Piece | Exception]) -> None:
    b = ScriptedProvider("b")
    with pytest.raises(errors.ProviderError):
        await heard(ChainProvider([ChainLink(ScriptedProvider("a", script)), ChainLink(b)]))
    assert b.models_asked == []


async def test_if_all_fail_each_reason_is_told() -> None:
    a, b = ScriptedProvider("a", [lost()]), ScriptedProvider("b", [refused(name="b")])
    with pytest.raises(errors.NoProvider) as caught:
        await heard(ChainProvider([ChainLink(a), ChainLink(b)]))
    assert str(caught.value) == (
        "No provider has answered. a failed, or has no room now: Full. "
        "The account at b has nothing left to spend: Nothing left."
    )
    with pytest.raises(errors.NoProvider) as none:
        await heard(ChainProvider([]))
    assert str(none.value) == "No provider is set up: `llmstack providers` says what is missing."


async def test_who_has_failed_in_a_row_is_passed_over() -> None:
    a, b = ScriptedProvider("a", [lost()]), ScriptedProvider("b")
    chain = ChainProvider([ChainLink(a, breaker=Breaker(BreakerRules(failures=2))), ChainLink(b)])
    answers = [await heard(chain) for _ in range(4)]
    assert {texts(pieces) for pieces in answers} == {"I am b."}
    assert len(a.models_asked) == 2
    assert answers[-1][0].notice.startswith("a has failed several times in a row")


async def test_a_chain_goes_on_with_texts_and_embeds() -> None:
    a = ScriptedProvider("a", [refused(errors.CannotDo)])
    b = ScriptedProvider("b", abilities=Ability.CHAT | Ability.EMBED)
    chain = ChainProvider([ChainLink(a), ChainLink(b)])
    pieces = [piece async for piece in chain.generate(TextRequest(model="m", prompt="Once"))]
    assert texts(pieces) == "I am b."
    assert len((await chain.embed(EmbedRequest(model="m", texts=("x",)))).vectors) == 1
    assert [each.name for each in await chain.models()] == ["a-1", "b-1"]
    assert chain.abilities == Ability.CHAT | Ability.EMBED
    with pytest.raises(errors.NoProvider):
        await ChainProvider([ChainLink(a)]).embed(EmbedRequest(model="m", texts=("x",)))
