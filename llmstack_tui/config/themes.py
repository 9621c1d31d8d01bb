"""Themes as colours by their names: those of llmstack, and what a file of the user's says. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.sentences import Param, Sentence, Sentences
from llmstack_tui.config.kinds import THEME_NAME, wrong
from llmstack_tui.config.lines import LineNumbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "success",
    "warning",
    "error",
    "muted",  # lesser texts
    "border",  # frames and scrollbars
    "hover",  # a scrollbar under the mouse
)
"""The colours of a theme: those of Textual's `Theme`, and three more."""

LEAST_CONTRAST = 4.5
"""Of text on what is behind it (WCAG 2.2, 1.4.3)."""

_TEXTS = ("foreground", "muted", "primary", "success", "warning", "error")
_GROUNDS = ("background", "surface")


class ThemeColours(Struct, frozen=True):
    """A theme.

    Attributes:
        colours: each of the `NAMES`, as "#rrggbb".
    """

    name: str
    dark: bool
    colours: Mapping[str, str]


class ThemeFile(Struct, frozen=True):
    """What a file says.

    Attributes:
        theme: None if the file cannot be used.
        problems: the mistakes. The parts without one count.
        advice: what is hard to read.
    """

    name: str
    theme: ThemeColours | None
    problems: Sentences = ()
    advice: Sentences = ()


def _built_in(name: str, colours: str, *, dark: bool = True) -> ThemeColours:
    pairs = zip(NAMES, (f"#{each}" for each in colours.split()), strict=True)
    return ThemeColours(name, dark, dict(pairs))


_ALL = (
    _built_in(
        "dark",
        "7cb7ff 93a1b5 7cb7ff d5dbe4 12151a 171b21 1f252d 7ed491 edbb6a f08080 9fa8b5 626c79 76818f",
    ),
    _built_in(
        "light",
        "0a5fb4 5a6778 0a5fb4 20262e eef1f4 fbfcfd e4e8ed 177a3d 8f5c00 b92b2b 565d66 818893 6d7580",
        dark=False,
    ),
    _built_in(
        "high-contrast",
        "ffd700 ffffff ffd700 ffffff 000000 000000 1c1c1c 5fff87 ffaf00 ff8787 c0c0c0 ffffff ffd700",
    ),
    _built_in(
        "no-colour",
        "ffffff a8a8a8 ffffff dadada 121212 181818 262626 dadada ffffff ffffff b8b8b8 6c6c6c a8a8a8",
    ),
)
BUILT_IN = {each.name: each for each in _ALL}


def refusal(name: str, file: str) -> Sentence | None:
    """Why a file cannot be a theme of this name; None if it can."""
    if name in BUILT_IN:
        return Sentence("theme.taken", {"file": file, "name": name})
    return None if re.fullmatch(THEME_NAME, name) else Sentence("theme.bad_name", {"file": file})


def theme_of(name: str, file: str, text: str, document: Mapping[str, object]) -> ThemeFile:
    """The theme that a document describes. What is not in it is as in the dark or the light theme.

    Args:
        name: its own, that of the file.
        file: how the file is named in sentences.
        text: of which ``document`` is the content.
    """
    dark, given, faults = True, dict[str, str](), list[tuple[str, Sentence]]()
    for key, value in document.items():
        if key in NAMES:
            if (colour := _colour(value)) is not None:
                given[key] = colour
            else:
                faults.append((key, wrong(Sentence("allowed.colour"), value)))
        elif key != "dark":
            faults.append((key, Sentence("setting.unknown_colour", {"known": ("dark", *NAMES)})))
        elif isinstance(value, bool):
            dark = value
        else:
            faults.append((key, wrong(Sentence("allowed.flag"), value)))
    base = BUILT_IN["dark" if dark else "light"]
    theme = ThemeColours(name, dark, {**base.colours, **given})
    lines = LineNumbers(text)
    problems = (_in_file(file, lines.of((key,)), key, fault) for key, fault in faults)
    return ThemeFile(name, theme, tuple(problems), tuple(_faint(file, theme)))


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2 between two colours: 1 for equal ones, 21 for black and white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colour(value: object) -> str | None:
    if not isinstance(value, str) or not re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value):
        return None
    return (
        value.lower() if len(value) > len("#rgb") else "#" + "".join(2 * each for each in value[1:].lower())
    )


def _in_file(file: str, line: int, name: str, fault: Sentence) -> Sentence:
    named = Sentence(fault.kind, {"name": name, **fault.params})
    return Sentence("setting.in_file", {"file": file, "line": line, "fault": (named,)})


def _faint(file: str, theme: ThemeColours) -> Iterator[Sentence]:
    """A sentence for each ground on which texts are hard to read."""
    for ground in _GROUNDS:
        behind = theme.colours[ground]
        names = tuple(each for each in _TEXTS if contrast(theme.colours[each], behind) < LEAST_CONTRAST)
        if names:
            about: dict[str, Param] = {
                "file": file,
                "names": names,
                "ground": ground,
                "least": LEAST_CONTRAST,
            }
            yield Sentence("theme.faint", about)
