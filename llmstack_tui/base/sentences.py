"""What there is to say, as data: a kind, and the values in it. It becomes words only where it is shown.

Events, decisions and reasons carry `Sentence` values, which the store keeps as JSON. Each room that makes
some has a ``wording`` module: a catalogue with one whole sentence for each kind, so that another language is
another catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any

from msgspec import Struct, field

from llmstack_tui.base.text import excerpt
from llmstack_tui.base.units import bytes_text, duration_text, exact_duration_text, seconds_text

# A tuple is a list of names, or reasons that follow a sentence.
Param = str | int | float | bool | None | tuple["str | Sentence", ...]


class Sentence(Struct, frozen=True):
    """One sentence, or two that always go together.

    Attributes:
        kind: its key in a catalogue: ``room.what``.
        params: what is filled in, by name; bytes and seconds as numbers.
    """

    kind: str
    params: Mapping[str, Param] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.kind)  # A mapping has no hash.


# None, one or several sentences, one after the other.
Sentences = tuple[Sentence, ...]


class Plural(Struct, frozen=True):
    """A sentence in two forms; ``of`` names the number that decides between them."""

    of: str
    one: str
    other: str


class Failure(Exception):
    """An error that a person is told of: `said` has what to tell. Its ``str`` is for logs alone.

    Attributes:
        kind: of the sentence that says what is wrong.
        params: of it. Words of a server or of the operating system are among these.
        hint: the kind of one more that says what to do, or an empty string.
    """

    def __init__(self, kind: str, /, *, hint: str = "", **params: Param) -> None:
        super().__init__(kind, params)
        self.kind = kind
        self.params = params
        self.hint = hint

    @property
    def sentence(self) -> Sentence:
        """What is wrong, without the hint."""
        return Sentence(self.kind, self.params)


Catalogue = Mapping[str, str | Plural]

QUOTED = "quoted"
"""The kind of words that are shown as they are; its parameter is ``text``, which may be sentences."""


def quoted(text: str | Sentences) -> Sentence:
    """Words that are shown as they are: a server's, or those of an older record; or what an error says."""
    return Sentence(QUOTED, {"text": text})


def said(error: BaseException | None) -> Sentences:
    """What there is to say of an error; nothing of none. One that is no `Failure` has words of its own."""
    if error is None:
        return ()
    if not isinstance(error, Failure):
        return (quoted(str(error)),)
    return error.sentence, *((Sentence(error.hint),) if error.hint else ())


def plural(count: int, one: str, other: str) -> str:
    """The form that goes with a number."""
    return one if count == 1 else other


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


class Wording:
    """Sentences in the words of a catalogue.

    What follows the colon of a placeholder says how its value is written: ``size`` (bytes), ``duration``,
    ``seconds`` or ``setting`` (in seconds; the second with tenths, the last one exactly), ``raw`` (text as it
    is). Any other text is made harmless, names are listed, and sentences are put into words in their turn.

    Args:
        form: looks a kind up in a catalogue; None where it is not there.
    """

    def __init__(self, form: Callable[[str], str | Plural | None]) -> None:
        self._form = form
        self._formatter = _Formatter(self)

    def text(self, *sentences: Sentence) -> str:
        """The sentences, one after the other; "" for none.

        A kind that is not known (a newer version recorded it) is shown with its values.
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
            # A figure and its unit are not broken over two lines.
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
