"""A talk as a file: Markdown and HTML to read, JSON to import again."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping  # noqa: TC003  # msgspec reads the annotations
from html import escape
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, json

from llmstack_tui.base.languages import tr
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import clean, clean_lines
from llmstack_tui.chat.rules.tree import shown
from llmstack_tui.chat.types import Session, Talk, Turn, TurnState
from llmstack_tui.providers.types import Parameters, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

ExportFormat = Literal["markdown", "html", "json"]
SUFFIXES: Mapping[str, ExportFormat] = {
    ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html", ".json": "json",
}  # fmt: skip
FORMAT = "llmstack talk"
VERSION = 1

_FENCE = re.compile(r"^ *(`{3,}|~{3,})[^\n]*\n(.*?)(?:^ *\1[`~]*[ \t]*$\n?|\Z)", re.MULTILINE | re.DOTALL)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1b1b;background:#fff}h2{font-size:1rem;margin:2rem 0 .3rem;color:#555}"
    "p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}"
    "pre{background:#f3f3f3;padding:.7rem;overflow-x:auto}img{max-width:100%}"
    "small,summary{color:#666}"
    "@media(prefers-color-scheme:dark){body{color:#e4e4e4;background:#181818}pre{background:#262626}"
    "h2,small,summary{color:#aaa}}"
)


class TalkFile(Struct, frozen=True, kw_only=True):
    """What our JSON has: the whole tree. ``files`` are the contents of what is attached, by digest."""

    format: str
    version: int
    session: Session
    turns: tuple[Turn, ...]
    files: Mapping[str, bytes] = {}


def exported(talk: Talk, format_: ExportFormat, files: Mapping[str, bytes] | None = None) -> str:
    """The talk in a format. It has no address of a server and no options in a provider's own words.

    Markdown and HTML have the branch that is shown, JSON all of them.

    Args:
        files: the contents of what is attached, by digest: HTML has the images, JSON all.
    """
    match format_:
        case "markdown":
            return _markdown(talk)
        case "html":
            return _html(talk, files or {})
        case "json":
            return _json(talk, files or {})


def _json(talk: Talk, files: Mapping[str, bytes]) -> str:
    own = talk.session.parameters
    session = replace(
        talk.session,
        host="",
        parameters=Parameters(
            temperature=own.temperature,
            max_tokens=own.max_tokens,
            top_p=own.top_p,
            top_k=own.top_k,
            seed=own.seed,
            stop=own.stop,
            context_length=own.context_length,
        ),
    )
    file = TalkFile(
        format=FORMAT, version=VERSION, session=session, turns=tuple(talk.turns.values()), files=files
    )
    return json.format(json.encode(file), indent=1).decode() + "\n"


def _markdown(talk: Talk) -> str:
    return "\n\n".join(_markdown_parts(talk)) + "\n"


def _markdown_parts(talk: Talk) -> Iterator[str]:
    yield f"# {_title(talk)}"
    if talk.session.system:
        yield f"## {tr('System prompt')}"
        yield clean_lines(talk.session.system, None).strip()
    for turn in shown(talk):
        yield f"## {_speaker(turn)}"
        if turn.message.reasoning:
            lines = clean_lines(turn.message.reasoning, None).strip().splitlines()
            yield "\n".join(f"> {line}".rstrip() for line in lines)
        yield from (f"*{line}*" for line in _notes(turn))
        if text := clean_lines(turn.message.text, None).strip():
            yield text


def _html(talk: Talk, files: Mapping[str, bytes]) -> str:
    title = escape(_title(talk))
    body = "\n".join(_html_parts(talk, files))
    # Nothing is fetched and nothing runs, whatever a model has written.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{body}\n"
        "</body></html>\n"
    )


def _html_parts(talk: Talk, files: Mapping[str, bytes]) -> Iterator[str]:
    if talk.session.system:
        yield f"<h2>{escape(tr('System prompt'))}</h2>"
        yield from _html_text(talk.session.system)
    for turn in shown(talk):
        yield f"<h2>{escape(_speaker(turn))} <small>{turn.at.astimezone():%Y-%m-%d %H:%M}</small></h2>"
        if turn.message.reasoning:
            thoughts = "".join(_html_text(turn.message.reasoning))
            yield f"<details><summary>{escape(tr('Reasoning'))}</summary>{thoughts}</details>"
        for note in _notes(turn):
            yield f"<p><small>{escape(note)}</small></p>"
        for each in turn.attachments:
            if each.is_image and each.digest in files:
                source = f"data:{each.media_type};base64,{b64encode(files[each.digest]).decode()}"
                yield f'<p><img alt="{escape(clean(each.name))}" src="{escape(source)}"></p>'
        yield from _html_text(turn.message.text)


def _html_text(text: str) -> Iterator[str]:
    """Paragraphs as they were written, and blocks of code."""
    text = clean_lines(text, None)
    at = 0
    for found in _FENCE.finditer(text):
        if before := text[at : found.start()].strip("\n"):
            yield f"<p>{escape(before)}</p>"
        yield f"<pre><code>{escape(found[2])}</code></pre>"
        at = found.end()
    if rest := text[at:].strip("\n"):
        yield f"<p>{escape(rest)}</p>"


def _title(talk: Talk) -> str:
    return clean(talk.session.title) or tr("Talk")


def _speaker(turn: Turn) -> str:
    match turn.message.role:
        case Role.USER:
            return tr("You")
        case Role.TOOL:
            return clean(turn.message.tool) or tr("Tool")
        case Role.SYSTEM:
            return tr("System prompt")
        case _:
            return clean(turn.model) or tr("Model")


def _notes(turn: Turn) -> Iterator[str]:
    for each in turn.attachments:
        yield clean(each.name)
    for call in turn.message.tool_calls:
        yield clean(f"{call.name}({call.written or json.encode(call.arguments).decode()})")
    if turn.state is TurnState.STOPPED:
        yield tr("The answer was stopped.")
    elif turn.state is not TurnState.WHOLE:
        yield tr("The answer was broken off.")
