"""The models on this machine's disk, as a host would list them that nobody has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState
from llmstack_tui.hosts.types import Model, Snapshot
from llmstack_tui.library.installed import FaultyModel
from llmstack_tui.library.library import Library
from llmstack_tui.lifecycle.states import statuses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from llmstack_tui.library.installed import InstalledModel

NOBODY = ""
"""The URL of a host that is none."""


def models_on_disk(folders: Sequence[Path]) -> HostState:
    """The models in these folders, the newest first, none of them loaded. Blocking, for use in a thread."""
    found: list[InstalledModel | FaultyModel] = []
    if folders:
        own, *others = folders
        contents = Library(own, others).contents()
        found = [*sorted(contents.models, key=lambda each: each.modified_at, reverse=True), *contents.faulty]
    snapshot = Snapshot(url=NOBODY, capabilities=Capability(0), installed=tuple(map(_model, found)))
    return HostState(snapshot, statuses(snapshot))


def _model(found: InstalledModel | FaultyModel) -> Model:
    model = Model(name=found.name.short, digest=found.digest, size=found.size, modified_at=found.modified_at)
    if isinstance(found, FaultyModel):
        return replace(model, unusable=quoted(found.fault))
    config = found.config
    return replace(
        model,
        format=config.model_format,
        family=config.model_family,
        parameters=config.model_type,
        quantization=config.file_type,
        weights_digest=found.weights_digest,
    )
