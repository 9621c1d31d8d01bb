"""What removing models would do: which names go, and how much disk space that frees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmstack_tui.hosts.host import Host
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.library.use import FolderUse
    from llmstack_tui.lifecycle.states import ModelStatus

# Bytes by which models of the same weights may differ: their texts.
_TEXTS = 2**20


class Removal(Struct, frozen=True):
    """A model to be removed.

    Attributes:
        freed: bytes of disk that this frees. Where the folder cannot be seen, the size of the model, and
            None if others share the weights.
        sharers: the names of the models that share its weights.
        is_loaded: it has to be unloaded first.
        is_cloud: only its entry is removed.
        keeps_blobs: no blob goes, as another manifest in the folder cannot be read, and may name it.
    """

    host: str
    name: str
    freed: int | None
    sharers: tuple[str, ...]
    is_loaded: bool
    is_cloud: bool
    keeps_blobs: bool = False


async def plan_removal(
    chosen: Iterable[tuple[Host, ModelStatus]],
    installed: Mapping[str, Sequence[Model]],
    folders: Sequence[FolderUse] = (),
) -> tuple[Removal, ...]:
    """Work out what removing these models in this order frees. Models that are not installed are left out.

    A folder of this machine tells exactly. Without it, the hosts are asked which models share weights: a list
    has only the digests of manifests.

    Args:
        installed: the installed models, by the URLs of their hosts.
        folders: of models on this machine.

    Raises:
        HostError: a host could not be asked.
    """
    plan: dict[tuple[str, str], Removal] = {}
    for host, status in chosen:
        key, model = (host.url, status.name), status.model
        if key in plan or model is None:
            continue
        before = {name for at, name in plan if at == host.url}
        use = _folder_of(model, folders) if is_loopback(host.url) else None
        if use is not None:
            sharers = tuple(name for name in use.sharers(status.name) if name not in before)
            freed: int | None = use.freed({*before, status.name}) - use.freed(before)
        else:
            others = [each for each in installed[host.url] if each.name not in {status.name, *before}]
            sharers = tuple([other.name for other in others if await _share_weights(host, model, other)])
            freed = None if sharers or model.is_cloud else model.size
        plan[key] = Removal(
            host=host.url,
            name=status.name,
            freed=freed,
            sharers=sharers,
            # With another name left for its process, it stays loaded under that.
            is_loaded=status.running is not None and before.issuperset(status.shares),
            is_cloud=model.is_cloud,
            keeps_blobs=use is not None and use.keeps_blobs({*before, status.name}),
        )
    return tuple(plan.values())


def _folder_of(model: Model, folders: Sequence[FolderUse]) -> FolderUse | None:
    """The folder that has this version of the model under its name: that of its server."""
    wanted = model.name, model.digest
    for use in folders:
        if any((each.name, each.digest) == wanted for each in use.models):
            return use
    return None


async def _share_weights(host: Host, one: Model, other: Model) -> bool:
    if one.digest and one.digest == other.digest:
        return True
    if one.is_cloud or other.is_cloud or one.unusable or other.unusable:
        return False
    kind = (one.family, one.parameters, one.quantization)
    alike = kind == (other.family, other.parameters, other.quantization)
    # The labels of a copy may differ; its size hardly does.
    if not alike and abs((one.size or 0) - (other.size or 0)) > _TEXTS:
        return False
    weights = [model.weights_digest or (await host.show(model.name)).weights_digest for model in (one, other)]
    return weights[0] is not None and weights[0] == weights[1]
