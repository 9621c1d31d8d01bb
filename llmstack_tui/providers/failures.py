"""What a failed request was: from the errors of HTTP and the codes of each vendor to one error for all.

The codes are those of OpenAI's page "Error codes", Anthropic's "Errors", Google's "Troubleshooting guide" of
the Gemini API and ``google/rpc/code.proto`` (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.base.text import with_full_stop
from llmstack_tui.hosts.errors import BadStream, NotFound, Refusal, Refused, Unreachable
from llmstack_tui.providers import errors

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Param
    from llmstack_tui.hosts.errors import HostError
    from llmstack_tui.providers.errors import ProviderError

_NO_QUOTA = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "enforced_spend_limit_reached",
    "quota_exceeded",
}
_NO_ACCESS = {
    "authentication_error",
    "permission_error",
    "invalid_api_key",
    "API_KEY_INVALID",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
}
_TOO_MANY = {"rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"}
_UNKNOWN_MODEL = {"model_not_found"}
_BLOCKED = {"content_filter", "content_policy_violation"}
_OVERLOADED = {
    "overloaded_error",
    "api_error",
    "timeout_error",
    "UNAVAILABLE",
    "INTERNAL",
    "DEADLINE_EXCEEDED",
}


def failure(error: HostError, *, provider: str, model: str = "") -> ProviderError:
    """The error of a provider for one of HTTP."""
    refusal = error.refusal or Refusal()
    kind = _kind(error, refusal)
    name, wait_s = _SENTENCES[kind], refusal.retry_after_s
    params: dict[str, Param] = {"model": model} if kind is errors.UnknownModel else {"said": _said(error)}
    if kind is errors.TooMany and wait_s is not None:
        name, params["wait_s"] = "providers.too_many_until", wait_s
    hint = "providers.give_key" if kind is errors.NoAccess else ""
    return kind(name, provider=provider, status=refusal.status, retry_after_s=wait_s, hint=hint, **params)


_SENTENCES: dict[type[ProviderError], str] = {
    errors.NotReachable: "providers.not_reachable",
    errors.BadAnswer: "providers.bad_answer",
    errors.NoQuota: "providers.no_quota",
    errors.NoAccess: "providers.no_access",
    errors.TooMany: "providers.too_many",
    errors.UnknownModel: "providers.unknown_model",
    errors.Blocked: "providers.blocked",
    errors.Overloaded: "providers.overloaded",
    errors.WrongRequest: "providers.wrong_request",
}


def _kind(error: HostError, refusal: Refusal) -> type[ProviderError]:
    if isinstance(error, Unreachable):
        return errors.NotReachable
    if isinstance(error, BadStream):
        return errors.BadAnswer
    return _kind_by_codes(error, refusal) or _kind_by_status(error, refusal.status)


def _kind_by_codes(error: HostError, refusal: Refusal) -> type[ProviderError] | None:
    codes = set(refusal.codes)
    # Anthropic says a lack of credit in words alone; Google's quota of a day comes back at midnight.
    spent = "credit balance is too low" in error.detail or any("PerDay" in code for code in codes)
    kinds = {
        errors.NoQuota: spent or codes & _NO_QUOTA,
        errors.NoAccess: codes & _NO_ACCESS,
        errors.UnknownModel: codes & _UNKNOWN_MODEL,
        errors.Blocked: codes & _BLOCKED,
        errors.TooMany: codes & _TOO_MANY,
        errors.Overloaded: codes & _OVERLOADED,
    }
    return next((kind for kind, found in kinds.items() if found), None)


def _kind_by_status(error: HostError, status: int | None) -> type[ProviderError]:
    by_status: dict[int | None, type[ProviderError]] = {
        401: errors.NoAccess,
        402: errors.NoQuota,
        403: errors.NoAccess,
        408: errors.Overloaded,
        429: errors.TooMany,
    }
    if found := by_status.get(status):
        return found
    if isinstance(error, NotFound) and error.params.get("model"):
        return errors.UnknownModel
    return errors.WrongRequest if isinstance(error, Refused | NotFound) else errors.Overloaded


def _said(error: HostError) -> Param:
    """The server's own words; where it has none, its status; where it did not answer, why."""
    if isinstance(error, BadStream | Unreachable):
        return (error.sentence,)
    status = error.refusal.status if error.refusal else None
    if error.detail in ("", f"status {status}"):
        return (Sentence("providers.status", {"status": status}),)
    return error.params.get("said") or (quoted(with_full_stop(error.detail)),)
