"""Turns sentences into text, by a catalogue; and the catalogue of this room."""

from __future__ import annotations

from contextlib import suppress
from string import Formatter
from typing import TYPE_CHECKING, Any

from llmstack_tui.base.languages import form_for, number, tr
from llmstack_tui.base.sentences import ALL, ANY, QUOTED, Plural, Sentence, listed, said
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.base.text import excerpt, shortened, with_full_stop
from llmstack_tui.base.units import bytes_text, duration_text, exact_duration_text, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "home.unknown": "No home folder is known for this user: set HOME to a folder that you can write to.",
    "file.dead_link": "{file} is a link to {target}, where nothing is. Make that file or remove the link.",
    "file.no_file": "{file} is no file that can be written: it is a folder or a device.",
    "file.too_large": "{file} has more than {limit:size}: no such file has that. Look what it is.",
    "file.not_text": "{file} is not text in UTF-8: put that right first.",
    "file.unreadable": "{file} cannot be read: {why}.",
    "file.of_another_user": "{file} belongs to {owner}: only that user may change it.",
    "file.read_only_file": "{file} may not be written: its permissions forbid it.",
    "file.changed": "{file} has changed since it was read. Nothing was written: look again.",
    "file.not_written": "{file} cannot be written: {why}. It is as it was.",
    "command.missing": "The program {program} is not on this machine, or not on the path.",
    "command.not_run": "The program {program} cannot be run: {why}.",
    "command.hangs": "`{command}` has not ended within {limit_s:g} s, and was ended.",
    "command.refused": "`{command}` was refused: {words}",
    "command.refused_silently": "`{command}` failed with exit status {status}.",
    "command.root_failed": "`{command}` failed with exit status {status}: it was not done.",
    "command.needs_root": "This needs root: {command}",
    "name.invalid": "{why}",
    "name.invalid_part": "{text:quoted} is not a model name: {why}",
    "name.bad_host": "{text:quoted} cannot be the registry of a model.",
    "name.bad_namespace": "{text:quoted} cannot be the owner of a model.",
    "name.bad_model": "{text:quoted} cannot be the name of a model.",
    "name.bad_tag": "{text:quoted} cannot be the tag of a model.",
    "name.bad_scheme": "{text:quoted} is not a scheme of a registry: use http or https.",
    "name.characters": "Use up to 80 letters from a to z, digits, '-', '_' and '.'.",
    "name.examples": "Names look like qwen2.5-coder:7b or hf.co/user/model:Q4_K_M.",
    "time.invalid": "{text:quoted} is not a length of time: write it as 90s, 10m or 1h30m.",
    "address.of_ollama": "OLLAMA_HOST has a wrong address. {why}",
    "address.scheme": "{text:quoted} has an unknown scheme: an address begins with http://, https:// or ssh://.",
    "address.user": "An address has no user name or password: leave out everything before the @.",
    "address.password": "An address has no password: use a key or an SSH agent.",
    "address.ssh": "{text:quoted} is not the address of a server over SSH.",
    "address.ssh_examples": (
        "Such addresses look like ssh://user@box or ssh://user@box:2222?server=127.0.0.1:8080, where server "
        "is the address on that machine."
    ),
    "address.path": "{text:quoted} is not an address of a server: no path can have such characters.",
    "address.port": "The port in {text:quoted} is not a number from 0 to 65535.",
    "address.invalid": "{text:quoted} is not an address of a server.",
    "address.examples": "Addresses look like 127.0.0.1:11434 or https://example.com.",
}


class Wording:
    """Turns sentences into text.

    The format after a placeholder's colon says how the value is written: ``size`` (bytes), ``duration``
    (seconds, rounded), ``seconds`` (seconds, with tenths), ``setting`` (seconds, exact), ``word`` (one of the
    program's words, translated), ``quoted`` (text in quotation marks), ``any`` (names, "a, b or c") or
    ``raw`` (text, as it is). Without one, text is made harmless, names are listed, and nested sentences
    become text.

    Args:
        form: the entry of a catalogue for a kind, or None.
    """

    def __init__(self, form: Callable[[str], str | Plural | None]) -> None:
        self._form = form
        self._formatter = _Formatter(self._text)
        self._strict = _Formatter(self._known)

    def text(self, *sentences: Sentence) -> str:
        """The sentences, one after the other; "" for none.

        An unknown kind, which a newer version recorded, is shown with its parameters.
        """
        return " ".join(map(self._text, sentences))

    def words(self, error: BaseException | None) -> str:
        """The sentences of an error; "" for none."""
        return self.text(*said(error))

    def _text(self, sentence: Sentence) -> str:
        try:
            return self._filled(sentence, self._formatter)
        except (LookupError, TypeError, ValueError):
            return _unknown(sentence)

    def _known(self, sentence: Sentence) -> str:
        """As `_text`. Raises LookupError, TypeError or ValueError for what would be shown as unknown."""
        return self._filled(sentence, self._strict)

    def _filled(self, sentence: Sentence, formatter: Formatter) -> str:
        kind, params = sentence.kind, sentence.params
        if kind == QUOTED:
            with suppress(LookupError, TypeError, ValueError):
                return self._from_outside(params["sentences"])
            return formatter.vformat("{text:raw}", (), params)
        form = self._form(kind)
        if not form:
            raise LookupError(kind)
        if isinstance(form, Plural):
            count = params.get(form.of)
            form = form_for(count if isinstance(count, int) else 2, form.one, form.other)
        else:
            form = tr(form)
        return formatter.vformat(form, (), params)

    def _from_outside(self, sentences: Any) -> str:  # anything may have been stored
        """The text of a server's sentences, harmless as its own text would be. Raises as `_known`."""
        if not all(isinstance(each, Sentence) for each in sentences):
            raise TypeError("Something else than sentences.")
        return with_full_stop(excerpt(" ".join(map(self._known, sentences))))


class _Formatter(Formatter):
    """Fills a form. ``write`` makes the text of the sentences in a value."""

    def __init__(self, write: Callable[[Sentence], str]) -> None:
        self._write = write

    def format_field(self, value: Any, format_spec: str) -> str:  # as the base class has it
        if format_spec not in _OF_TEXT and isinstance(value, str | tuple | list):
            raise ValueError(f"{format_spec} is for numbers.")
        if isinstance(value, tuple | list):
            sentences = [each for each in value if isinstance(each, Sentence)]
            form = ANY if format_spec == "any" else ALL
            return " ".join(map(self._write, sentences)) if sentences else listed(map(excerpt, value), form)
        if format_spec == "raw":
            return str(value)
        if format_spec == "word":
            return tr(value)
        if format_spec == "quoted":
            value = repr(shortened(value, 80))
        if (write := _WRITERS.get(format_spec)) is not None:
            # No line break between a figure and its unit.
            return write(value).replace(" ", "\N{NO-BREAK SPACE}")
        if isinstance(value, str):
            return excerpt(system_words(value))
        return number(format(value, format_spec))


_OF_TEXT = frozenset({"", "raw", "word", "quoted", "any"})
_WRITERS: Mapping[str, Callable[[Any], str]] = {
    "size": bytes_text,
    "duration": duration_text,
    "seconds": seconds_text,
    "setting": exact_duration_text,
}


def _unknown(sentence: Sentence) -> str:
    values = ", ".join(f"{name} {excerpt(str(value))}" for name, value in sentence.params.items())
    return f"{excerpt(sentence.kind)}: {values}" if values else excerpt(sentence.kind)
