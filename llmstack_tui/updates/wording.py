"""Why no newer version of a model or a program is known: one sentence for each kind of reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "version.cloud": "It runs in the cloud.",
    "version.made_here": "It was created on its machine.",
    "version.not_in_registry": "The registry has no model of this name.",
    "version.not_in_registry_any_more": "The registry no longer has a model of this name.",
    "version.changed_here": "It was changed on its machine; the registry has another version.",
    "version.maybe_changed_here": (
        "It differs from the registry's version and was written later: it may have been changed here."
    ),
    "version.not_checked": "It has not been checked yet.",
    "version.no_digest": "Its server does not say which version it is.",
    "version.came_after": "It was installed after its registry was last asked.",
    "version.not_compared": "It has not been compared yet.",
    "release.status": "{host} did not tell the newest version of {program}: status {status}.",
    "release.none": "{host} did not tell the newest version of {program}: its answer has none.",
}
