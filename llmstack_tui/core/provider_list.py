"""The known providers: which are set up, what is missing, and whether each answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import InvalidAddress
from llmstack_tui.base.paths import NoHome
from llmstack_tui.base.sentences import Failure, Sentence, Sentences, said
from llmstack_tui.base.structs import replace
from llmstack_tui.core.key_ring import key_ring
from llmstack_tui.hosts.transport import Timeouts
from llmstack_tui.keys.types import KeysFailed
from llmstack_tui.providers.registry import PROVIDERS, ProviderConfig, config_of, known, make
from llmstack_tui.providers.types import Ability, Health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.config.settings import Settings
    from llmstack_tui.keys.service import KeyRing

CHECK_S = 15.0
"""Seconds within which each has to answer."""

_USUAL = "ollama"


class ListedProvider(Struct, frozen=True, kw_only=True):
    """A provider in a list.

    Attributes:
        model: that is asked where none is named; "" if none is set.
        key_from: the variable or the vault that has its key; "" if there is none, or it needs none.
        is_default: programs that name no provider ask this one.
        after: its place among those that answer if the default fails, from 1; None for the others.
        problem: what is missing, or wrong; without it, it is set up.
        health: None as long as it was not asked.
    """

    name: str
    url: str = ""
    model: str = ""
    key_from: str = ""
    abilities: Ability = Ability(0)
    is_default: bool = False
    after: int | None = None
    problem: Sentences = ()
    health: Health | None = None

    @property
    def is_set_up(self) -> bool:
        return not self.problem


async def listed(
    settings: Settings, environ: Mapping[str, str], *, check: bool = False
) -> tuple[ListedProvider, ...]:
    """All known providers; with ``check``, each that is set up is asked something cheap, all at once.

    Raises:
        NoProvider: the settings or ``LLM_PROVIDER`` name one that there is not.
    """
    chosen = settings.providers
    default = environ.get("LLM_PROVIDER", "").strip().lower() or chosen.default
    default = default or next(iter(chosen.chain), _USUAL)
    followers = [name for name in chosen.chain if name != default]
    for name in (default, *chosen.chain, *chosen.models, *chosen.urls):
        known(name)
    try:
        ring = key_ring(settings, environ)
        places = {each.owner: each.place for each in await ring.listed() if not each.is_hidden}
    except (NoHome, KeysFailed):
        ring, places = None, {}

    async def row(name: str) -> ListedProvider:
        after = followers.index(name) + 1 if name in followers else None
        found = ListedProvider(name=name, is_default=name == default, after=after)
        try:
            config = _config(name, settings, environ)
            place = places.get(name, "")
            found = replace(found, url=config.url, model=config.model, key_from=place)
            provider = make(config)
            await provider.aclose()
            found = replace(found, abilities=provider.abilities)
            if not place and not config.is_set_up:
                variable = config.known.key_variable
                missing = Sentence("providers.set_up", {"provider": name, "variable": variable})
                return replace(found, problem=(missing,))
            return replace(found, health=await _health(config, ring)) if check else found
        except (InvalidAddress, Failure) as error:
            return replace(found, problem=said(error))

    return tuple(await asyncio.gather(*map(row, PROVIDERS)))


def _config(name: str, settings: Settings, environ: Mapping[str, str]) -> ProviderConfig:
    chosen = settings.providers
    return config_of(name, environ, models=chosen.models, urls=chosen.urls, safety=chosen.gemini_safety or "")


async def _health(config: ProviderConfig, ring: KeyRing | None) -> Health:
    """Raises KeysFailed."""
    key = await ring.find(config.known.name) if ring is not None and config.known.is_cloud else None
    provider = make(
        replace(config, key=key.secret if key else None), Timeouts(short_s=CHECK_S, call_s=CHECK_S)
    )
    try:
        return await provider.health()
    finally:
        await provider.aclose()
