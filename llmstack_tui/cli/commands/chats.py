"""``llmstack chats``: the talks that are kept: list, show, search, export, import, remove."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.private_files import replace_private
from llmstack_tui.base.system_errors import system_words
from llmstack_tui.base.text import brief
from llmstack_tui.chat.export import SUFFIXES, exported
from llmstack_tui.cli import output
from llmstack_tui.cli.options import Subcommands
from llmstack_tui.cli.stacks import opened, refuse_read_only
from llmstack_tui.core.wording import text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Sequence

    from llmstack_tui.chat.service import ChatService
    from llmstack_tui.chat.types import FoundTurn, Session
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core

_LONGEST_TITLE = 60


def add_options(parser: Parser) -> None:
    commands = Subcommands(parser, depth=1, usual=_list)
    commands.add("list", _list, tr("List the talks: the pinned ones first, then the newest."))
    _id(commands.add("show", _show, tr("Write a talk as Markdown, as its screen shows it.")))
    search = commands.add("search", _search, tr("Find words in titles, questions and answers."))
    search.add_argument("words", metavar=tr("WORD"), nargs="+", help=tr("what to find; accents do not count"))
    export = commands.add(
        "export", _export, tr("Write a talk to a file: .md, .html, or .json, which can be imported.")
    )
    _id(export)
    export.add_argument("file", metavar=tr("FILE"), help=tr("a new file; its ending says the format"))
    taken = commands.add(
        "import", _import, tr("Add talks from a file of llmstack, Open WebUI or ChatGPT (its ZIP, too).")
    )
    taken.add_argument("file", metavar=tr("FILE"), help=tr("the file"))
    removed = commands.add("rm", _remove, tr("Delete a talk."))
    _id(removed)
    removed.add_argument("-y", "--yes", action="store_true", help=tr("do not ask"))


def _id(parser: Parser) -> None:
    parser.add_argument("id", metavar=tr("ID"), help=tr("the beginning of its id, or last"))


@asynccontextmanager
async def _chats(core: Core) -> AsyncIterator[ChatService]:
    async with opened(core, ()) as stack:
        yield stack.chats
        for notice in stack.chats.notices:
            output.say(text(notice))


async def _list(core: Core, options: Namespace) -> int:
    async with _chats(core) as chats:
        sessions = await chats.sessions()
    return output.answer(options, {"talks": [_document(each) for each in sessions]}, lambda: _write(sessions))


async def _show(core: Core, options: Namespace) -> int:
    async with _chats(core) as chats:
        talk = await chats.open((await chats.find(options.id)).id)
        files = await chats.files(talk) if options.json else {}
    whole = msgspec.json.decode(exported(talk, "json", files))
    return output.answer(options, whole, lambda: output.write_text(exported(talk, "markdown"), end=""))


async def _search(core: Core, options: Namespace) -> int:
    async with _chats(core) as chats:
        found = await chats.search(" ".join(options.words))
    documents = [_document(each.session) | {"turn": each.turn, "excerpt": _excerpt(each)} for each in found]
    return output.answer(options, {"found": documents}, lambda: _write_found(found))


async def _export(core: Core, options: Namespace) -> int:
    file = Path(options.file)
    if (kind := SUFFIXES.get(file.suffix.lower())) is None:
        raise output.WrongUsage(tr("The file must end with .md, .html or .json, which is the format."))
    if await asyncio.to_thread(file.exists):
        raise output.Failed(tr("{file} is there already: choose another name.", file=str(file)))
    async with _chats(core) as chats:
        talk = await chats.open((await chats.find(options.id)).id)
        content = exported(talk, kind, await chats.files(talk))
    try:
        await asyncio.to_thread(replace_private, file, content.encode(errors="replace"))
    except OSError as error:
        why = system_words(error.strerror or "?")
        raise output.Failed(tr("{file} cannot be written: {why}.", file=str(file), why=why)) from None
    return output.answer(
        options, {"id": talk.session.id, "file": str(file)}, tr("The talk is in {file}.", file=str(file))
    )


async def _import(core: Core, options: Namespace) -> int:
    from llmstack_tui.chat.imports import read_talks  # noqa: PLC0415  # only for this one

    refuse_read_only(core)
    talks = await asyncio.to_thread(read_talks, Path(options.file))
    async with _chats(core) as chats:
        sessions = await chats.take_in(talks)
        await chats.kept()
    said = tr_n("1 talk was imported.", "{count} talks were imported.", len(sessions))
    return output.answer(options, {"talks": [_document(each) for each in sessions]}, said)


async def _remove(core: Core, options: Namespace) -> int:
    refuse_read_only(core)
    async with _chats(core) as chats:
        session = await chats.find(options.id)
        title = brief(session.title, _LONGEST_TITLE)
        output.confirm(options, tr("Delete the talk “{title}”?", title=title), tr("Nothing was deleted."))
        await chats.delete(session.id)
        await chats.kept()
    return output.answer(options, {"id": session.id}, tr("The talk “{title}” was deleted.", title=title))


def _document(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "title": session.title,
        "folder": session.folder,
        "pinned": session.is_pinned,
        "model": session.model,
        "created_at": session.created_at,
        "changed_at": session.changed_at,
    }


def _write(sessions: Sequence[Session]) -> None:
    rows = [
        [each.id, _when(each), each.model, each.folder, brief(each.title, _LONGEST_TITLE)]
        for each in sessions
    ]
    output.write_table([tr("ID"), tr("CHANGED"), tr("MODEL"), tr("FOLDER"), tr("TITLE")], rows)


def _write_found(found: Sequence[FoundTurn]) -> None:
    rows = [[each.session.id, _when(each.session), brief(_excerpt(each), 200)] for each in found]
    output.write_table([tr("ID"), tr("CHANGED"), tr("TEXT")], rows)


def _excerpt(found: FoundTurn) -> str:
    return "".join(piece for piece, _ in found.excerpt)


def _when(session: Session) -> str:
    return f"{session.changed_at.astimezone():%Y-%m-%d %H:%M}"
