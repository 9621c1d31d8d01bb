"""A text that nobody should see: it is shown as "set", wherever it gets to."""

from __future__ import annotations


class Secret:
    """A key or a password. Only ``text`` has it: formatting, printing, logging and a traceback do not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @property
    def text(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "set"

    def __repr__(self) -> str:
        return "Secret(set)"

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)
