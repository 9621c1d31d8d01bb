"""Which layers a model has, as far as its server shows it. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from llmstack_tui.updates.rules import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.hosts.types import ModelDetails


def shown_parts(details: ModelDetails) -> Mapping[Change, str]:
    """Digests by part: of the weights as it says, of each text because a text is its layer.

    Parameters are shown in another form than their layer has, so nothing is known of them.
    """
    texts = {
        Change.TEMPLATE: details.template,
        Change.SYSTEM: details.system,
        Change.LICENSE: details.license,
    }
    parts = {part: hashlib.sha256(text.encode()).hexdigest() for part, text in texts.items() if text}
    return parts | ({Change.WEIGHTS: details.weights_digest} if details.weights_digest else {})
