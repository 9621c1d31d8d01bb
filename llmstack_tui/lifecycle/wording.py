"""The sentences about acts on models and about what other programs do, one for each kind of event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor
from llmstack_tui.base.languages import later, tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Catalogue
    from llmstack_tui.store.tables.activations import Activation

ACTORS: Mapping[Actor, str] = {
    Actor.USER: later("the dashboard"),
    Actor.CLI: later("the command line"),
    Actor.GUARD: later("the guard"),
    Actor.CLIENT: later("another client"),
    Actor.UNKNOWN: later("unknown"),
}
"""Who asked, as the end of a sentence with "by"; `tr` where it is shown."""
_ACTORS = ACTORS.items()

_ENDS = {
    "failed": later("could not be loaded"),
    "cancelled": later("cancelled"),
    "stopped": later("unloaded"),
    "left": later("expired or unloaded elsewhere"),
    "unnoticed": later("gone when llmstack looked again"),
    "replaced": later("reloaded"),
    "unknown": later("unknown"),
}


def end_text(load: Activation) -> str:
    """How a load ended, and by whom; or that it has not ended."""
    if load.outcome is None:
        return tr("is loading") if load.loaded_at is None else tr("in memory now")
    end = tr(_ENDS[load.outcome])
    return end if load.ended_by is None else tr("{end} by {who}", end=end, who=tr(ACTORS[load.ended_by]))


SENTENCES: Catalogue = {
    # How an act ended: its kind, and its end.
    "activate.loaded": "{model} was loaded in {seconds:seconds}.",
    "activate.loaded_by_guard": "The guard renewed the keep-alive of {model}.",
    "activate.failed": "{model} was not loaded: {error:raw}",
    "title.given_up": "Load given up",
    "activate.interrupted": "{model} was unloaded before it had loaded.",
    "activate.cancelled": "Loading {model} was cancelled.",  # In older records.
    **{f"activate.cancelled_by_{by}": f"Loading {{model}} was cancelled by {who}." for by, who in _ACTORS},
    "deactivate.gone": "{model} was unloaded.",
    "deactivate.gone_by_guard": "{model} was unloaded by the guard.",
    "deactivate.leaving": "{model} will be unloaded when its running request has ended.",
    "deactivate.leaving_by_guard": "The guard will unload {model} when its running request has ended.",
    "deactivate.kept": "{model} stays loaded: another client has asked for it in the meantime.",
    "deactivate.superseded": "{model} had not been unloaded yet when it was asked for again.",
    "deactivate.failed": "{model} was not unloaded: {error:raw}",
    "deactivate.cancelled": "Unloading {model} was cancelled.",  # In older records.
    **{
        f"deactivate.cancelled_by_{by}": f"Unloading {{model}} was cancelled by {who}." for by, who in _ACTORS
    },
    "deactivate.nameless": (
        "{model} was removed while it was loaded, so it cannot be unloaded by name. It is unloaded when its "
        "keep-alive ends."
    ),
    "remove.done": "{model} was removed.",
    "remove.failed": "{model} was not removed: {error:raw}",
    "remove.cancelled": "Removing {model} was cancelled.",
    "remove.answers": (
        "{model} is still answering a request and was not removed. Remove it when the request has ended."
    ),
    "remove.not_stopped": "It could not be unloaded first. {why}",
    "import.done": "{model} was imported.",
    "import.failed": "{model} was not imported: {error:raw}",
    "import.cancelled": "Importing {model} was cancelled.",
    "copy.done": "{model} was copied to {name}.",
    "copy.failed": "{model} was not copied: {error:raw}",
    "copy.cancelled": "Copying {model} was cancelled.",
    "rename.done": "{model} was renamed to {name}.",
    "rename.done_loaded": "{model} was renamed to {name}. It stays loaded.",
    "rename.failed": "{model} was not renamed: {error:raw}",
    "rename.cancelled": "Renaming {model} was cancelled.",
    "create.done": "{model} was created.",
    "create.failed": "{model} was not created: {error:raw}",
    "create.cancelled": "Creating {model} was cancelled.",
    # What was observed.
    "client.loaded": "{model} was loaded by another client.",
    "client.unloaded": "{model} was unloaded: its keep-alive ended, or another client unloaded it.",
    "server.answers": "{url} answers again.",
    "missed.loaded": "While llmstack was closed: {loaded} loaded.",
    "missed.unloaded": "While llmstack was closed: {unloaded} unloaded.",
    "missed.both": "While llmstack was closed: {unloaded} unloaded, {loaded} loaded.",
    # Why a model computes on the CPU.
    "fallback.partly": (
        "{missing:size} of it did not fit on the card: unload another model, use a shorter context or a "
        "smaller quantization, and load it again."
    ),
    "fallback.too_large": (
        "It is larger than the card's memory: choose a smaller model, or a smaller quantization."
    ),
    "fallback.lost_card": "The card no longer answers: restart the server, or the machine.",
    "fallback.unused_nvidia": (
        "The server does not use the card: the card's driver is too old or was updated while the server ran, "
        "or the server runs in a container without access to the card. Restart the server; its log names the "
        "cause."
    ),
    "fallback.unused_card": "The server does not use the card: its log names the cause.",
    # Why a model was loaded or unloaded.
    "reason.chat": "chat",
    "reason.restart": "restart",
    "reason.remove": "remove",
    "reason.pull": "pull",
    "reason.update": "update",
    "reason.pinned": "It was pinned.",
    "reason.unpinned": "It was unpinned.",
}
