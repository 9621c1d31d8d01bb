"""Sentences as data: a kind and its parameters. They become text only where they are shown, by `Wording`.

Events, decisions, errors and reasons carry `Sentence` values, which the store keeps as JSON. Each room that
makes them has a ``wording`` module: a catalogue with one whole sentence per kind, so that a second language
is a second catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from llmstack_tui.base.languages import joined, later, tr

# A tuple holds names, or the sentences of a reason.
Param = str | int | float | bool | None | tuple["str | Sentence", ...]


class Sentence(Struct, frozen=True):
    """One sentence, or two that always go together.

    Attributes:
        kind: its key in a catalogue, such as ``store.full``.
        params: the values of its placeholders, by name; bytes and seconds as numbers.
    """

    kind: str
    params: Mapping[str, Param] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.kind)  # A mapping has no hash.


# Any number of sentences, in the order in which they are read; maybe none.
Sentences = tuple[Sentence, ...]


class Plural(Struct, frozen=True):
    """A sentence in singular and plural; ``of`` names the parameter whose number decides."""

    of: str
    one: str
    other: str


class UserFacingError(Exception):
    """An error that is shown to the user, in the sentences that `said` returns: those of its ``str``."""


class Failure(UserFacingError):
    """One whose sentences are data. Its ``str`` is for logs.

    Attributes:
        kind, params: those of the sentence that says what is wrong. A server's or the operating system's own
            words are a parameter.
        hint: the kind of a second sentence that says what to do, or an empty string.
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
"""The kind of text that is in no catalogue. Its parameter ``text`` is a string or sentences.

``sentences``, if there are any, come from outside and say the same: they are shown instead of the text if the
catalogue has a form for each, and each has what its form needs.
"""


def quoted(text: str | Sentences, sentences: Sentences = ()) -> Sentence:
    """A text as a sentence: a server's words, an older record, or the sentences of an error."""
    return Sentence(QUOTED, {"text": text, "sentences": sentences} if sentences else {"text": text})


def said(error: BaseException | None) -> Sentences:
    """The sentences of an error; none for None. For an error that is not a `Failure`, its ``str``."""
    if error is None:
        return ()
    if not isinstance(error, Failure):
        return (quoted(str(error)),)
    return error.sentence, *((Sentence(error.hint),) if error.hint else ())


ALL, ANY = later("{most} and {last}"), later("{most} or {last}")


def listed(names: Iterable[str], form: str = ALL) -> str:
    """Names joined as in a sentence: "a, b and c", or with `ANY` "a, b or c"."""
    *most, last = names
    return joined(tr(form), ", ".join(most), last) if most else last
