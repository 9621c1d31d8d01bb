"""The sentences about providers: why a request failed, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.wording import Wording

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue, Param

SENTENCES: Catalogue = {
    # What is missing, or was left out.
    "providers.no_key": "There is no key for {provider}: add one with `llmstack keys`, or in its variable.",
    "providers.needs_schema": "{provider} writes JSON only by a schema: give the request one.",
    "providers.left_out_sampling": (
        "{model} chooses its words itself: temperature, top_p and top_k were left out."
    ),
    # Providers in an order.
    "providers.follows": "{why} {provider} answers instead.",
    "providers.rests": "{provider} has failed several times in a row, and is left alone for a while.",
    "providers.all_failed": "No provider has answered. {why}",
    "providers.none": "No provider is set up: `llmstack providers` says what is missing.",
    "providers.unknown": "There is no provider {provider}; these are: {known}.",
    "providers.set_up": "{provider} is not set up: set {variable}, or `llmstack keys add {provider}`.",
    "providers.nobody_embeds": "None of the providers makes embeddings.",
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
    "providers.fell_silent": (
        "{provider} has sent nothing more for {limit_s:duration}: the answer was given up."
    ),
    "providers.no_end": "The answer of {provider} broke off before its end. Ask again.",
    "providers.vectors_missing": "{provider} did not answer as it should. It sent fewer vectors than texts.",
    # What cannot be done: nothing was sent.
    "providers.cannot_chat": "{model} at {provider} cannot chat: choose another model.",
    "providers.cannot_generate": "{model} at {provider} writes no text: choose another model.",
    "providers.cannot_embed": (
        "{model} at {provider} makes no embeddings: choose a model that is made for it."
    ),
    "providers.cannot_use_tools": (
        "{model} at {provider} cannot use tools: choose a model that can, or ask without them."
    ),
    "providers.cannot_see": (
        "{model} at {provider} sees no images: choose a model that does, or ask without them."
    ),
    "providers.cannot_keep_schema": "{model} at {provider} cannot keep to a JSON schema: ask without one.",
    "providers.cannot_reason": ("{model} at {provider} does not think before it answers: do not ask it to."),
    "providers.cannot_go_on": "{provider} only chats: it does not go on with a raw text.",
    # What sets a provider up.
    "providers.no_model_named": (
        "Say which model of {provider} is meant: give model=…, or set {variable} or [providers] models."
    ),
    "providers.wrong_message": (
        "A message is a table with a role (system, user, assistant or tool) and a content, which is a text."
    ),
    "providers.wrong_option": "A question cannot have such an option: {why}.",
    "providers.wrong_number": "{variable} is no number that makes sense here: {value:quoted}.",
    "providers.wrong_address": "The address of {provider} is wrong. {why}",
    "providers.wrong_file": "{file} does not set up providers as it should: {why}.",
    "providers.unreadable_file": "{file} cannot be read: {why}.",
}


def notice(kind: str, **params: Param) -> str:
    """A sentence of this room as a text, for what is told while an answer comes."""
    return Wording(SENTENCES.get).text(Sentence(kind, params))
