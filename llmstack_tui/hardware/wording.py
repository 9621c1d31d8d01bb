"""Sentences about this machine: how its profile was found, and which figures are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # How the profile was found.
    "profile.cards": (
        "{names} with {size_gb} GB of VRAM, of which {reserve_gib:.1f} GiB are kept for the desktop."
    ),
    "profile.apple": (
        "{name} with {memory_gb} GB of unified memory, of which models get {budget_gib:.1f} GiB."
    ),
    "profile.apple_unknown": "{name} with unknown memory.",
    "profile.shared": (
        "{name} with up to {size_gb} GB of the main memory, which it shares with all programs."
    ),
    "profile.cpu": "No graphics card that runs models was found, so they run on the processor.",
    "profile.chosen": "Chosen in the settings. Without that, this machine is {found}.",
    "profile.chosen_and_found": "Chosen in the settings, and found. {reason}",
    "profile.unknown": (
        "There is no profile {name!r}: use cpu, nvidia_8gb or amd_16gb with the size of the card, or "
        "apple_m1 to apple_m5."
    ),
    # Problems with a card.
    "card.all_lost": "NVIDIA's driver lost its cards: restart the machine to use them again.",
    "card.lost": (
        "{name} no longer answers, and models that were on it have failed: restart the machine if it does "
        "not come back."
    ),
    "card.mismatch": (
        "NVIDIA's driver and its library are of different versions, as after an update: restart the machine "
        "to use the card again."
    ),
    "card.no_driver": "NVIDIA's driver does not answer ({why}): see what nvidia-smi says.",
    "card.no_instance": (
        "{name} is in MIG mode without an instance, so nothing can run on it: make one with nvidia-smi mig "
        "-cgi, or turn MIG off."
    ),
    "card.no_memory": "{name} does not report its memory ({why}).",
    # What could not be read.
    "unread.figures": "The figures of {what:word} could not be read; the log says why.",
    "unread.tool": "{tool} does not answer ({why}): figures of memory are missing.",
}
