"""Why a pull failed, in one sentence, whichever server said it. Pure.

The built-in engine says sentences. What Ollama says was seen on 0.24.0, and is translated; what is not known
is shown as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.text import excerpt, sentence
from llmstack_tui.hosts.errors import HostError, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping


class PullRefused(HostError):
    """It is not worth asking the server: the text says why."""

    title = "Not pulled"


class NoRoom(PullRefused):
    """The disk is too small."""

    title = "Disk full"


_AGAIN = "what came is kept, try again later"
# The first that is found in the server's words; what is in parentheses there is {said}.
_MEANINGS: Mapping[str, str] = {
    r"^pull model manifest: file does not exist$": (
        "{registry} has no model {name}: check the name and the tag."
    ),
    r"^pull model manifest: (realm host|401|403|unauthorized)": (
        "{registry} does not show {name} to everybody: it is private, or not there."
    ),
    r"^pull model manifest: 429": "{registry} has been asked too often: try again in a few minutes.",
    r"^pull model manifest: (\d{3})": "{registry} failed (status {said}): try again later.",
    r"^pull model manifest: invalid character '<'": (
        "{registry} answered with a web page instead of a manifest: is a proxy or a log-in in between?"
    ),
    r"^(?:pull model manifest: unexpected end|invalid digest format|pull model manifest: json)": (
        "The manifest of {name} from {registry} is not understood: the model is broken there."
    ),
    r"^file does not exist$": (
        "{registry} does not have a part that the manifest of {name} names: the model is broken there."
    ),
    r"^(\d{3}):": f"{{registry}} failed (status {{said}}) while it sent the model: {_AGAIN}.",
    r"^digest mismatch": "What came is not what its digest says, and was thrown away: pull again.",
    r"^max retries exceeded(?:: (.*))?": f"The download does not go on ({{said}}): {_AGAIN}.",
    r"no space left on device$": "The server's disk is full: make room there and pull again.",
    r"(no such host)$": "{registry} cannot be reached: there is no such host.",
    r"(connection refused|i/o timeout|TLS handshake timeout|network is unreachable|no route to host)$": (
        "{registry} cannot be reached: {said}."
    ),
}
# What Go's client says before the cause. The address may be a signed one, and says nothing to anybody.
_REQUEST = re.compile(r'\b(?:Get|Head) "[^"]*": ')
_PREFIX = "pull model manifest: file does not exist: "


def explained(error: HostError, name: str) -> str:
    """The sentence for the person who asked for ``name``."""
    if not isinstance(error, ServerError) or not error.detail:
        return str(error)
    try:
        registry, shown = (parsed := ModelName.parse(name)).host, parsed.short
    except InvalidName:
        registry, shown = "The registry", excerpt(name)
    detail = _REQUEST.sub("", error.detail)
    for pattern, meaning in _MEANINGS.items():
        if found := re.search(pattern, detail):
            said = (found[1] if found.re.groups else "") or "it says no more"
            return meaning.format(registry=registry, name=shown, said=said)
    return sentence(detail.removeprefix(_PREFIX))
