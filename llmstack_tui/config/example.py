"""A settings file that documents itself, written from the table of settings."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from llmstack_tui.config.table import table

if TYPE_CHECKING:
    from llmstack_tui.config.table import Setting

_WIDTH = 100
_HEAD = """\
The settings of llmstack. Every one is here with its default: to change it, take away the # before its name.
A variable of the environment comes before this file, and an option of the command line before both.
`llmstack config` shows what is in force, and where it came from."""


def example() -> str:
    """The text of the file. It changes nothing as it is, nor with every setting in it put in force."""
    blocks = [_comment(_HEAD)]
    for section, settings in groupby(table(), key=lambda setting: setting.section):
        if section:
            blocks.append(f"[{section}]")
        blocks += map(_described, settings)
    return "\n\n".join(blocks) + "\n"


def _described(setting: Setting) -> str:
    kind = setting.kind
    variable = setting.variable + (f"={kind.in_environment}" if kind.in_environment else "")
    comment = _comment(f"{setting.purpose}\nValues: {kind.allowed}.\nEnvironment: {variable}")
    return f"{comment}\n#{setting.key} = {kind.write(setting.default)}"


def _comment(text: str) -> str:
    lines = (
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
    )
    return "\n".join(f"# {line}" for line in lines)
