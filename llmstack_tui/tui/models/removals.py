"""What is asked before models are removed: which, and what disk that frees. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.draw.text import names_text

if TYPE_CHECKING:
    from llmstack_tui.lifecycle.states import ModelStatus


def removal_text(status: ModelStatus, models: list[ModelStatus]) -> str:
    """What is asked before a model is removed, and what disk that frees."""
    model = status.model
    if model is None:
        return "It is in memory, but installed under no name: it can only be deactivated."
    if status.state is ModelState.CLOUD:
        return "It runs elsewhere: only its entry here goes, and no disk is freed."
    shares = [
        clean(other.name, limit=60)
        for other in models
        if other.host == status.host
        and other.name != status.name
        and other.model
        and (
            other.model.digest == model.digest
            or (model.weights_digest and other.model.weights_digest == model.weights_digest)
        )
    ]
    if shares:
        others = f"{shares[0]} uses" if len(shares) == 1 else f"{shares[0]} and {len(shares) - 1} more use"
        text = f"Its files stay, because {others} the same weights: next to no disk is freed."
    else:
        text = f"This deletes it from the disk and frees up to {bytes_text(model.size)}."
    if status.running is not None:
        text += "\nIt is in memory: it is stopped first, when its running request has ended."
    return text


def removals_text(chosen: list[ModelStatus], models: list[ModelStatus]) -> str:
    """What is asked before several models are removed: which, and what disk that frees."""
    going = {(status.host, status.name) for status in chosen}
    kept = {files for each in models if (each.host, each.name) not in going for files in _files(each)}
    # Names that share their weights free them once.
    freed = {
        (_files(each) or ((each.host, each.name),))[0]: each.model.size or 0
        for each in chosen
        if each.model and each.state is not ModelState.CLOUD and not kept & {*_files(each)}
    }
    text = (
        names_text([status.name for status in chosen])
        + f"\n\nThis frees up to {bytes_text(sum(freed.values()))} of the disk."
    )
    if any(status.running for status in chosen):
        text += "\nThose in memory are stopped first, when their running requests have ended."
    return text


def _files(status: ModelStatus) -> tuple[tuple[str, str], ...]:
    """What a model has on the disk of its host: its weights where they are known, and its manifest."""
    model = status.model
    digests = (model.weights_digest, model.digest) if model else ()
    return tuple((status.host, digest) for digest in digests if digest)
