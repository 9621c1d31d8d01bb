"""Explains why a pull failed, from the server's error. Pure.

The built-in engine's sentences stay as they are. Ollama's messages (0.24.0) are recognised by patterns;
unknown ones are quoted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.names import InvalidName, ModelName
from llmstack_tui.base.sentences import Sentence, quoted, said
from llmstack_tui.base.text import with_full_stop
from llmstack_tui.hosts.errors import HostError, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstack_tui.base.sentences import Param, Sentences


class PullRefused(HostError):
    """The pull is bound to fail, so the server is not asked."""

    title = "title.not_pulled"


class NoRoom(PullRefused):
    """The disk is too small."""

    title = "title.disk_full"


# The pattern of a server's message, and its meaning; the first match counts. Its group becomes {said}.
_MEANINGS: Mapping[str, str] = {
    r"^pull model manifest: file does not exist$": "no_model",
    r"^pull model manifest: (?:realm host|401|403|unauthorized)": "private",
    r"^pull model manifest: 429": "too_often",
    r"^pull model manifest: (\d{3})": "registry_failed",
    r"^pull model manifest: invalid character '<'": "web_page",
    r"^(?:pull model manifest: (?:unexpected end|json)|invalid digest format)": "bad_manifest",
    r"^file does not exist$": "part_missing",
    r"^(\d{3}):": "registry_broke_off",
    r"^digest mismatch": "wrong_digest",
    r"^max retries exceeded: (.+)": "stalled",
    r"^max retries exceeded": "stalled_silently",
    r"no space left on device$": "disk_full",
    r"no such host$": "no_such_host",
    r"(connection refused|i/o timeout|TLS handshake timeout|network is unreachable|no route to host)$": (
        "unreachable"
    ),
}
# Go's HTTP client puts this before the cause. The address may be signed, and does not help the user.
_REQUEST = re.compile(r'\b(?:Get|Head) "[^"]*": ')
_PREFIX = "pull model manifest: file does not exist: "


def explained(error: HostError, name: str) -> Sentences:
    """Why ``name`` could not be pulled."""
    if not isinstance(error, ServerError) or not error.detail:
        return said(error)
    if isinstance(own := error.params.get("said"), tuple):
        return tuple(each for each in own if isinstance(each, Sentence))
    detail = _REQUEST.sub("", error.detail)
    for pattern, meaning in _MEANINGS.items():
        if found := re.search(pattern, detail):
            params = _params(name)
            if found.re.groups:
                params["said"] = found[1]
            return (Sentence(f"download.{meaning}", params),)
    return (quoted(with_full_stop(detail.removeprefix(_PREFIX))),)


def _params(name: str) -> dict[str, Param]:
    try:
        parsed = ModelName.parse(name)
    except InvalidName:
        return {"registry": "the registry", "name": name}
    return {"registry": parsed.host, "name": parsed.short}
