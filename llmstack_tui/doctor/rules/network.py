"""The network: the registry, proxies, and the clock, which certificates are judged by."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.types import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.doctor.facts import RegistryFacts, SystemFacts

# A certificate or a token may be a few minutes old.
_WRONG_S = 300.0
_LOCAL = ("localhost", "127.0.0.1", "*")


def registry(id_: str, registry: RegistryFacts) -> Iterator[Finding]:
    if not registry.url:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.not_asked"))
    elif registry.problem:
        says, advice = Sentence("doctor.no_registry", {"url": registry.url}), (Sentence("doctor.offline"),)
        yield Finding(
            id=id_,
            state=FindingState.WARNING,
            says=says,
            evidence=registry.problem,
            advice=advice,
            opens=("settings", "updates.check_every"),
        )
    else:
        says = Sentence("doctor.registry", {"url": registry.url})
        yield Finding(id=id_, state=FindingState.FINE, says=says)


def clock(id_: str, registry: RegistryFacts, system: SystemFacts) -> Iterator[Finding]:
    """Whether our clock agrees with the registry's."""
    if registry.ahead_s is None:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.clock_unknown"))
        return
    apart = abs(registry.ahead_s)
    if apart < _WRONG_S:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.clock"))
        return
    about = {"apart_s": apart}
    says = Sentence("doctor.clock_fast" if registry.ahead_s > 0 else "doctor.clock_slow", about)
    advice = (Sentence("doctor.set_clock"),)
    command = "sudo sntp -sS time.apple.com" if system.macos else "sudo timedatectl set-ntp true"
    yield Finding(id=id_, state=FindingState.WARNING, says=says, advice=advice, command=command)


def proxy(id_: str, system: SystemFacts) -> Iterator[Finding]:
    """Whether a proxy is in the way of servers on this machine, as for Ollama's own client."""
    if not system.proxies:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_proxy"))
        return
    seen = tuple(
        Sentence("doctor.proxy", {"scheme": scheme, "url": url}) for scheme, url in system.proxies.items()
    )
    is_in_the_way = "http" in system.proxies and not set(_LOCAL) & set(system.direct)
    if is_in_the_way:
        says, advice = Sentence("doctor.proxy_in_the_way"), (Sentence("doctor.except_local"),)
        direct = shlex.quote(",".join((*system.direct, *_LOCAL[:2])))
        yield Finding(
            id=id_,
            state=FindingState.WARNING,
            says=says,
            evidence=seen,
            advice=advice,
            command=f"export NO_PROXY={direct}",
        )
    else:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.proxy_fine"), evidence=seen)
