"""The limits of a host, from the settings and the hardware profile. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.address import is_loopback, server_id
from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.names import model_key
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.guard.rules.watch import Rules
from llmstack_tui.guard.types import Consent, Limits
from llmstack_tui.hardware.readings import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.config.settings import GuardSettings
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import Device, MachineReading
    from llmstack_tui.hosts.host import Host
    from llmstack_tui.store.tables.preferences import ModelPreference

_VRAM = "VRAM"
# An older reading, of a driver that no longer answers, says nothing about the present heat.
_OLD_S = 30.0
_NAME_LIMIT = 60


def why_off(settings: GuardSettings, host: Host, *, may_act: bool) -> Sentences:
    """Why a host is not guarded; empty if it is."""
    if not settings.enabled:
        return (Sentence("guard.disabled"),)
    if Capability.UNLOAD not in host.capabilities:
        return (Sentence("guard.cannot_unload"),)
    if not may_act:
        return (Sentence("guard.may_not_act"),)
    if not is_loopback(host.url) and not settings.remote:
        return (Sentence("guard.is_remote"),)
    return ()


def neighbours(url: str, urls: Iterable[str]) -> tuple[str, ...]:
    """The URLs of the other servers on this machine, each server once; none if ``url`` is remote."""
    if not is_loopback(url):
        return ()
    places = {server_id(each): each for each in urls if is_loopback(each)}
    return tuple(each for where, each in places.items() if where != server_id(url))


def limits(settings: GuardSettings, profile: Profile | None) -> Limits:
    """The limits of a server.

    Args:
        profile: supplies what the settings leave open; None for a remote server, or if not known yet.
    """
    max_loaded, budget = settings.max_loaded, settings.memory_budget
    if profile is not None:
        max_loaded = profile.max_loaded if max_loaded is None else max_loaded
        budget = profile.memory_budget if budget is None else budget
    return Limits(
        max_loaded=max_loaded,
        memory_budget=budget or None,
        memory_word=profile.memory_word if profile else "memory",
    )


def consent(setting: bool | None, answer: Consent, *, unanswered: Consent) -> Consent:
    """Whether models of other programs may be unloaded.

    Args:
        setting: takes precedence; None leaves it to the user's ``answer``.
        unanswered: counts where neither says anything.
    """
    if setting is not None:
        return Consent.YES if setting else Consent.NO
    return unanswered if answer is Consent.ASK else answer


def rules(
    settings: GuardSettings,
    url: str,
    profile: Profile | None,
    preferences: Mapping[str, ModelPreference],
    *,
    held: bool,
    others: Consent = Consent.YES,
) -> Rules:
    """The rules for a host.

    Args:
        profile: of this machine; not used for a remote server. None if not known yet.
        preferences: by `model_key`.
        others: whether models of other programs may be unloaded.
    """
    allowed = limits(settings, profile if is_loopback(url) else None)
    by_name = times(settings)
    return Rules(
        limits=allowed,
        pins=frozenset(key for key, preference in preferences.items() if preference.pinned),
        idle_limit_s=_seconds(settings.idle_stop),
        idle_limits_s={
            key: _seconds(idle_limit(settings, key, preferences.get(key), by_name))
            for key in {*by_name, *preferences}
        },
        held=held,
        others=others,
        on_card=allowed.memory_word == _VRAM,
    )


def times(settings: GuardSettings) -> Mapping[str, timedelta]:
    """The settings' idle limits for single models, by `model_key`."""
    return {model_key(name): length for name, length in settings.models.items()}


def idle_limit(
    settings: GuardSettings, key: str, preference: ModelPreference | None, by_name: Mapping[str, timedelta]
) -> timedelta:
    """How long a model may be idle; zero or less is for ever.

    Args:
        key: the model's, see `model_key`.
        preference: the user's for this model; it takes precedence over the settings.
        by_name: the settings' limits for single models, see `times`.
    """
    if preference is not None and preference.idle_stop is not None:
        return preference.idle_stop
    return by_name.get(key, settings.idle_stop)


def heat(reading: MachineReading | None, limit: int | None, now_s: float) -> Sentences:
    """Why the machine is too hot; empty if it is not, or if that is not known.

    Args:
        limit: °C; None relies on the cards, which tell when they slow down because of heat.
    """
    if reading is None:
        return ()
    for device in reading.devices:
        if reading.age(device, now_s) <= _OLD_S and (said := _heat(device, limit)):
            return (said,)
    return ()


def _seconds(length: timedelta) -> float | None:
    return length.total_seconds() if length > timedelta(0) else None


def _heat(device: Device, limit: int | None) -> Sentence | None:
    name, temperature = device.name[:_NAME_LIMIT], device.temperature
    if limit is not None and temperature is not None and temperature > limit:
        figures = {"temperature": round(temperature), "limit": limit}
        return Sentence("guard.too_hot", {"device": name, **figures})
    if not device.throttles or Throttle.HEAT not in device.throttles:
        return None
    if temperature is None:
        return Sentence("guard.throttled", {"device": name})
    return Sentence("guard.throttled_at", {"device": name, "temperature": round(temperature)})
