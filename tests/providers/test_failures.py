"""Each vendor's errors, as its documentation shows them, become one error for all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.core.wording import words
from llmstack_tui.hosts.decoding import StreamLine
from llmstack_tui.hosts.errors import HostError
from llmstack_tui.hosts.refusals import MAX_WAIT_S
from llmstack_tui.hosts.transport import Timeouts, Transport
from llmstack_tui.providers import errors
from llmstack_tui.providers.failures import failure
from tests.support.scripted_server import Reply, always, document, serving

if TYPE_CHECKING:
    from llmstack_tui.providers.errors import ProviderError

KEY = "sk-very-secret-0123456789"


def openai(code: str | None, kind: str, message: str = "No.") -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(kind: str, message: str = "No.") -> dict[str, object]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def google(code: int, status: str, *details: dict[str, object]) -> dict[str, object]:
    return {"error": {"code": code, "message": "No.", "status": status, "details": list(details)}}


PER_DAY: dict[str, object] = {
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]
}


async def asked(reply: Reply) -> ProviderError:
    async with serving(always(reply)) as server:
        http = Transport(
            server.url, user_agent="", timeouts=Timeouts(), not_it="", key=Secret(KEY), key_header="x-api-key"
        )
        events = http.events("/v1/x", StreamLine(), StreamLine, lambda event: event, missing="gpt-9")
        with pytest.raises(HostError) as caught:
            async for _ in events:
                pass
        await events.aclose()
        await http.aclose()
        assert server.requests[0].headers["x-api-key"] == KEY
        assert "authorization" not in server.requests[0].headers
    return failure(caught.value, provider="openai", model="gpt-9")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, openai("invalid_api_key", "invalid_request_error"), errors.NoAccess),
        (401, anthropic("authentication_error"), errors.NoAccess),
        (403, anthropic("permission_error"), errors.NoAccess),
        (400, google(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}), errors.NoAccess),
        (429, openai("insufficient_quota", "insufficient_quota"), errors.NoQuota),
        (402, anthropic("billing_error"), errors.NoQuota),
        (400, anthropic("invalid_request_error", "Your credit balance is too low."), errors.NoQuota),
        (429, google(429, "RESOURCE_EXHAUSTED", PER_DAY), errors.NoQuota),
        (429, openai("rate_limit_exceeded", "requests"), errors.TooMany),
        (429, anthropic("rate_limit_error"), errors.TooMany),
        (429, google(429, "RESOURCE_EXHAUSTED"), errors.TooMany),
        (404, openai("model_not_found", "invalid_request_error"), errors.UnknownModel),
        (404, anthropic("not_found_error"), errors.UnknownModel),
        (404, google(404, "NOT_FOUND"), errors.UnknownModel),
        (400, openai("content_filter", "invalid_request_error"), errors.Blocked),
        (400, openai(None, "invalid_request_error"), errors.WrongRequest),
        (413, anthropic("request_too_large"), errors.WrongRequest),
        (400, google(400, "INVALID_ARGUMENT"), errors.WrongRequest),
        (529, anthropic("overloaded_error"), errors.Overloaded),
        (503, google(503, "UNAVAILABLE"), errors.Overloaded),
        (500, openai(None, "server_error"), errors.Overloaded),
        (408, {}, errors.Overloaded),
        # In the middle of a stream.
        (200, anthropic("overloaded_error"), errors.Overloaded),
        (200, google(503, "UNAVAILABLE"), errors.Overloaded),
        (200, anthropic("rate_limit_error"), errors.TooMany),
    ],
)
async def test_an_error_is_told_apart(status: int, body: object, kind: type[ProviderError]) -> None:
    reply = document(body, status)
    if status == 200:
        reply = Reply([b"event: error\ndata: ", *reply.pieces, b"\n\n"], 200, "text/event-stream")
    error = await asked(reply)
    assert type(error) is kind
    assert error.status == (status if status != 200 else None)
    assert "openai" in words(error)


@pytest.mark.parametrize(
    ("header", "body", "least", "most"),
    [
        ("20", openai(None, "requests"), 20, 20),
        ("99999999", openai(None, "requests"), MAX_WAIT_S, MAX_WAIT_S),
        (timedelta(seconds=90), openai(None, "requests"), 30, 90),
        (timedelta(days=-9), openai(None, "requests"), 0, 0),
        ("", google(429, "RESOURCE_EXHAUSTED", {"retryDelay": "34.07s"}), 34.07, 34.07),
    ],
)
async def test_when_to_ask_again_is_bounded(
    header: str | timedelta, body: object, least: float, most: float
) -> None:
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header)
    headers = {"Retry-After": header} if header else {}
    reply = document(body, 429)
    error = await asked(Reply(reply.pieces, 429, headers=headers))
    assert error.retry_after_s is not None
    assert least <= error.retry_after_s <= most
    assert "wants to be asked again in" in words(error)


@pytest.mark.parametrize("status", [401, 403, 400, 500])
async def test_a_key_that_the_server_repeats_is_in_no_sentence(status: int) -> None:
    error = await asked(document(openai(None, "x", f"{'a' * 290} wrong key: {KEY}"), status))
    assert KEY[:8] not in words(error) + repr(error) + str(error.params)


async def test_a_page_or_nothing_is_a_bad_answer_or_not_reached() -> None:
    assert type(await asked(Reply([b"<html>Bonjour \xe9</html>\n"]))) is errors.BadAnswer
    assert type(await asked(Reply(raw=b"\r\n"))) in (errors.BadAnswer, errors.NotReachable)
    error = await asked(Reply([b""], 503))
    assert words(error) == "openai failed, or has no room now: status 503."
