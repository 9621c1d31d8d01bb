"""A report that fits a bug report: without secrets, and without the names of people and machines. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r"(?<![\w.])(?!127\.|0\.0\.0\.0)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])")
# A password in a URL, and what looks like a key.
_LOGIN = re.compile(r"//[^/\s@]+@")
_KEY = re.compile(r"\b(?:sk|hf|ghp|gho|key|tok)[-_][A-Za-z0-9_-]{8,}|\b[A-Za-z0-9_-]{40,}={0,2}")
_DIGEST = re.compile(r"(?:sha256[-:])?[0-9a-f]{64}")


class Unnamed(NamedTuple):
    """What must not be in a report. One of a letter or none is not looked for."""

    home: str
    user: str
    machine: str
    hosts: tuple[str, ...] = ()


def redacted(text: str, names: Unnamed) -> str:
    """The text without the names, with addresses only of this machine, and without what may be a secret."""
    if len(names.home) > 1:
        text = text.replace(names.home, "~")
    hosts = ((host, "HOST") for host in sorted(names.hosts, key=len, reverse=True))
    for name, instead in (*hosts, (names.machine, "MACHINE"), (names.user, "USER")):
        if len(name) > 1 and name != "root":
            text = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", instead, text)
    text = _LOGIN.sub("//", _ADDRESS.sub("ADDRESS", text))
    return _KEY.sub(lambda found: found[0] if _DIGEST.fullmatch(found[0]) else "SECRET", text)


def report_text(heads: Iterable[tuple[str, str]], lines: Iterable[str], names: Unnamed) -> str:
    """A Markdown text: what is installed, then what was found."""
    head = "\n".join(f"- {name}: {value}" for name, value in heads)
    return redacted(f"{head}\n\n```\n" + "\n".join(lines) + "\n```\n", names)
