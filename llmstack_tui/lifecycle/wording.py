"""What is said of acts on models, and of what other programs do: one sentence for each kind of event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Catalogue

ACTORS: Mapping[Actor, str] = {
    Actor.USER: "the dashboard",
    Actor.CLI: "the command line",
    Actor.GUARD: "the guard",
    Actor.CLIENT: "another client",
    Actor.UNKNOWN: "unknown",
}
"""Who asked, as the end of a sentence with "by"."""

SENTENCES: Catalogue = {
    # What came of an act: its kind, and its end.
    "activate.loaded": "{model} was loaded in {seconds:seconds}.",
    "activate.loaded_by_guard": "{model} was told to stay by the guard.",
    "activate.failed": "{model} was not loaded: {error:raw}",
    "activate.interrupted": "{model} was stopped before it was loaded.",
    "activate.cancelled": "Loading {model} was cancelled.",
    "deactivate.gone": "{model} was unloaded.",
    "deactivate.gone_by_guard": "{model} was unloaded by the guard.",
    "deactivate.leaving": "{model} will be unloaded when its running request has ended.",
    "deactivate.leaving_by_guard": "The guard unloads {model} when its running request has ended.",
    "deactivate.kept": "{model} stays loaded: another client has asked for it meanwhile.",
    "deactivate.superseded": "{model} was still loaded when something else was asked of it.",
    "deactivate.failed": "{model} was not unloaded: {error:raw}",
    "deactivate.cancelled": "Unloading {model} was cancelled.",
    "deactivate.nameless": (
        "{model} was removed while it was loaded: its name cannot stop it any more. It leaves when its "
        "keep-alive ends."
    ),
    "remove.done": "{model} was removed.",
    "remove.failed": "{model} was not removed: {error:raw}",
    "remove.cancelled": "Removing {model} was cancelled.",
    "remove.answers": (
        "{model} still answers a request and was not removed. Remove it when the request has ended."
    ),
    "remove.not_stopped": "It could not be stopped first. {why}",
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
    # Why a model computes on the processor.
    "fallback.partly": (
        "{missing:size} of it did not fit beside what was on the card: unload another model, use a shorter "
        "context or a stronger quantization, and activate it again."
    ),
    "fallback.too_large": (
        "It is larger than the card's memory: choose a smaller one, or a stronger quantization."
    ),
    "fallback.lost_card": "The card does not answer any more: start the server again, or the machine.",
    "fallback.unused_nvidia": (
        "The server does not use the card: its driver is too old or was updated while the server ran, or the "
        "server is in a container without it. Start the server again; its log names the cause."
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
