"""The sentences about providers: why a request failed, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # A request that failed.
    "providers.not_reachable": "{provider} cannot be reached. {said}",
    "providers.bad_answer": "{provider} did not answer as it should. {said}",
    "providers.no_access": "{provider} does not take the key, or the key has no right to this: {said}",
    "providers.give_key": "Give it another one with `llmstack keys`, or in its variable.",
    "providers.no_quota": "The account at {provider} has nothing left to spend: {said}",
    "providers.too_many": "{provider} is asked too often or for too much now: {said}",
    "providers.too_many_until": (
        "{provider} is asked too often or for too much now, and wants to be asked again in "
        "{wait_s:duration}: {said}"
    ),
    "providers.status": "status {status}.",
    "providers.unknown_model": "{provider} has no model {model}.",
    "providers.wrong_request": "{provider} refuses the request: {said}",
    "providers.blocked": "The safety rules of {provider} refuse this: {said}",
    "providers.overloaded": "{provider} failed, or has no room now: {said}",
}
