"""Turns sentences into text, by a catalogue."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any

from llmstack_tui.base.sentences import QUOTED, Plural, Sentence, listed
from llmstack_tui.base.text import excerpt
from llmstack_tui.base.units import bytes_text, duration_text, exact_duration_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Wording:
    """Turns sentences into text.

    The format after a placeholder's colon says how the value is written: ``size`` (bytes), ``duration``
    (seconds, rounded), ``seconds`` (seconds, with tenths), ``setting`` (seconds, exact) or ``raw`` (text, as
    it is). Without one, text is made harmless, names are listed, and nested sentences become text.

    Args:
        form: the entry of a catalogue for a kind, or None.
    """

    def __init__(self, form: Callable[[str], str | Plural | None]) -> None:
        self._form = form
        self._formatter = _Formatter(self)

    def text(self, *sentences: Sentence) -> str:
        """The sentences, one after the other; "" for none.

        An unknown kind, which a newer version recorded, is shown with its parameters.
        """
        return " ".join(map(self._text, sentences))

    def _text(self, sentence: Sentence) -> str:
        kind, params = sentence.kind, sentence.params
        form = "{text:raw}" if kind == QUOTED else self._form(kind)
        if isinstance(form, Plural):
            form = form.one if params.get(form.of) == 1 else form.other
        try:
            return self._formatter.vformat(form or "", (), params) if form else _unknown(sentence)
        except (LookupError, TypeError, ValueError):
            return _unknown(sentence)


class _Formatter(Formatter):
    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def format_field(self, value: Any, format_spec: str) -> str:  # as the base class has it
        if isinstance(value, tuple | list):
            sentences = [each for each in value if isinstance(each, Sentence)]
            return self._wording.text(*sentences) if sentences else listed(map(excerpt, value))
        if format_spec == "raw":
            return str(value)
        if (write := _WRITERS.get(format_spec)) is not None:
            # No line break between a figure and its unit.
            return write(value).replace(" ", "\N{NO-BREAK SPACE}")
        return excerpt(value) if isinstance(value, str) else format(value, format_spec)


_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "size": bytes_text,
    "duration": duration_text,
    "seconds": seconds_text,
    "setting": exact_duration_text,
}


def _unknown(sentence: Sentence) -> str:
    values = ", ".join(f"{name} {excerpt(str(value))}" for name, value in sentence.params.items())
    return f"{excerpt(sentence.kind)}: {values}" if values else excerpt(sentence.kind)
