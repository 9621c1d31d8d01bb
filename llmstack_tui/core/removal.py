"""What removing models would do: which names go, and how much disk space that frees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.lifecycle.states import ModelStatus


class Removal(Struct, frozen=True):
    """A model to be removed.

    Attributes:
        freed: bytes of disk that this frees; None if other models share the weights, or if it is not known.
        sharers: the names of the models that share its weights.
        is_loaded: it has to be unloaded first.
        is_cloud: only its entry is removed.
    """

    host: str
    name: str
    freed: int | None
    sharers: tuple[str, ...]
    is_loaded: bool
    is_cloud: bool


async def plan_removal(
    chosen: Iterable[tuple[Host, ModelStatus]], installed: Mapping[str, Sequence[Model]]
) -> tuple[Removal, ...]:
    """Work out what removing these models in this order frees. Models that are not installed are left out.

    The hosts are asked which models share weights: a list has only the digests of manifests.

    Args:
        installed: the installed models, by the URLs of their hosts.

    Raises:
        HostError: a host could not be asked.
    """
    plan: dict[tuple[str, str], Removal] = {}
    for host, status in chosen:
        key, model = (host.url, status.name), status.model
        if key in plan or model is None:
            continue
        gone = {status.name, *(other for at, other in plan if at == host.url)}
        others = [each for each in installed[host.url] if each.name not in gone]
        sharers = tuple([other.name for other in others if await _share_weights(host, model, other)])
        plan[key] = Removal(
            host=host.url,
            name=status.name,
            freed=None if sharers or model.is_cloud else model.size,
            sharers=sharers,
            is_loaded=status.running is not None,
            is_cloud=model.is_cloud,
        )
    return tuple(plan.values())


async def _share_weights(host: Host, one: Model, other: Model) -> bool:
    if one.digest and one.digest == other.digest:
        return True
    kind = (one.family, one.parameters, one.quantization)
    alike = kind == (other.family, other.parameters, other.quantization)
    if not alike or one.is_cloud or other.is_cloud:
        return False
    weights = [model.weights_digest or (await host.show(model.name)).weights_digest for model in (one, other)]
    return weights[0] is not None and weights[0] == weights[1]
