"""Sessions over a file: what is typed, streamed, branched, found, deleted."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.chat.rules.tree import shown, siblings
from llmstack_tui.chat.service import ChatService
from llmstack_tui.chat.types import AttachedFile, Attachment, Talk, TurnState, UnknownSession
from llmstack_tui.providers.types import Ending, EndReason, Parameters, Piece, ToolCall
from llmstack_tui.providers.usage import Usage
from llmstack_tui.store.errors import StoreReadOnly
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ENDING = Ending(reason=EndReason.STOP, usage=Usage(answer_tokens=2), model="tiny:1", provider="ollama")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.db"


@pytest.fixture
async def chats(path: Path) -> AsyncIterator[ChatService]:
    service = ChatService(path)
    yield service
    await service.aclose()


async def exchange(chats: ChatService, session: str, question: str, answer: str) -> Talk:
    """Ask at the end of the talk, and answer."""
    asked = await chats.ask(session, question, parent=chats.talk(session).session.leaf)
    begun = await chats.begin(session, parent=asked.id, model="tiny")
    chats.append(begun.id, Piece(text=answer, reasoning="hm"))
    chats.append(begun.id, Piece(ending=ENDING))
    await chats.end(begun.id)
    return chats.talk(session)


async def other_program(path: Path, session: str) -> Talk:
    """The talk as another program sees it in the file."""
    other = ChatService(path)
    try:
        return await other.open(session)
    finally:
        await other.aclose()


async def test_a_talk_comes_back_as_it_was(chats: ChatService, path: Path) -> None:
    talk = await chats.new(
        model="tiny", host="h", system="Be brief.", parameters=Parameters(temperature=0.5, stop=("x",))
    )
    call = ToolCall(id="1", name="time", arguments={"zone": "UTC"})
    await exchange(chats, talk.session.id, "Why?\nTell me.", "Because.")
    leaf = chats.talk(talk.session.id).session.leaf
    tools = await chats.begin(talk.session.id, parent=leaf, model="tiny")
    chats.append(tools.id, Piece(tool_calls=(call,)))
    await chats.end(tools.id, TurnState.STOPPED)
    chats.draft(talk.session.id, "And")
    await chats.kept()
    there = await other_program(path, talk.session.id)
    assert there == chats.talk(talk.session.id)
    assert there.session.title == "Why?"
    assert there.draft == "And"
    question, answer, last = shown(there)
    assert (question.message.text, answer.message.text, answer.message.reasoning) == (
        "Why?\nTell me.", "Because.", "hm",
    )  # fmt: skip
    assert (answer.model, answer.provider, answer.usage, answer.reason, answer.state) == (
        "tiny:1", "ollama", ENDING.usage, EndReason.STOP, TurnState.WHOLE,
    )  # fmt: skip
    assert (last.message.tool_calls, last.state) == ((call,), TurnState.STOPPED)


async def test_a_branch_leaves_the_other_one(chats: ChatService) -> None:
    session = (await chats.new()).session.id
    await exchange(chats, session, "One?", "1")
    first = shown(chats.talk(session))
    again = await chats.begin(session, parent=first[0].id, model="other")
    await chats.end(again.id)
    other = await chats.ask(session, "Two?", parent=first[0].parent)
    talk = chats.talk(session)
    assert shown(talk) == (other,)
    assert [each.model for each in siblings(talk.turns, talk.turns[again.id])] == ["tiny:1", "other"]
    await chats.change(session, leaf=first[-1].id)
    assert shown(await chats.open(session)) == first


async def test_what_is_not_used_is_not_kept(chats: ChatService) -> None:
    talk = await chats.new()
    assert await chats.sessions() == ()
    assert await chats.open(talk.session.id) == talk


async def test_sessions_are_found_by_the_beginning_of_their_id(chats: ChatService) -> None:
    with pytest.raises(UnknownSession) as none:
        await chats.find("last")
    assert none.value.kind == "chat.no_sessions"
    ids = [(await chats.new()).session.id for _ in range(40)]
    for each in ids:
        chats.draft(each, "x")
    assert (await chats.find(ids[0][:9].upper())).id == ids[0]
    assert (await chats.find("last")).id == ids[-1]
    for wrong, kind in (("", "chat.no_session"), ("xyz", "chat.no_session")):
        with pytest.raises(UnknownSession) as error:
            await chats.find(wrong)
        assert error.value.kind == kind
    digits = {each[0] for each in ids}
    many = next(each for each in digits if sum(id_.startswith(each) for id_ in ids) > 1)
    with pytest.raises(UnknownSession) as error:
        await chats.find(many)
    assert error.value.kind == "chat.many_sessions"


async def test_pinned_talks_are_first_then_the_newest(chats: ChatService) -> None:
    ids = [(await chats.new()).session.id for _ in range(3)]
    for each in ids:
        await exchange(chats, each, "Q", "A")
    await chats.change(ids[0], is_pinned=True, title="Mine", folder="Work")
    found = await chats.sessions()
    assert [each.id for each in found] == [ids[0], ids[2], ids[1]]
    assert (found[0].title, found[0].folder, found[0].is_pinned) == ("Mine", "Work", True)
    assert found[1].title == "Q"


async def test_a_deleted_talk_can_be_had_back(chats: ChatService, path: Path) -> None:
    session = (await chats.new()).session.id
    await exchange(chats, session, "secret words", "A")
    await chats.delete(session)
    assert await chats.sessions() == ()
    assert await chats.search("secret") == ()
    await chats.restore(session)
    assert [each.id for each in await chats.sessions()] == [session]
    await chats.delete(session)
    await chats.kept()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE sessions SET deleted_at = 0")
    assert await ChatService(path).sessions() == ()
    with closing(sqlite3.connect(path)) as connection:
        left = connection.execute("SELECT id FROM sessions UNION ALL SELECT id FROM turn_words_docsize")
        assert left.fetchall() == []


async def test_words_are_found_without_accents_and_while_they_are_typed(chats: ChatService) -> None:
    session = (await chats.new()).session.id
    await exchange(chats, session, "¿Conoces una CANCIÓN?", "The song «Volver»")
    await chats.change(session, title="Música")
    [found] = await chats.search("cancion")
    assert found.excerpt == (("¿Conoces una ", False), ("CANCIÓN", True), ("?", False))
    assert found.session.id == session
    assert [(each.turn is None) for each in await chats.search("musica")] == [True]
    assert len(await chats.search("the volv")) == 1
    assert await chats.search("volv ") == ()
    assert await chats.search('" OR *') == ()


async def test_an_attached_file_is_kept_once_and_sent(chats: ChatService) -> None:
    session = (await chats.new(system="Be brief.")).session.id
    text = AttachedFile(
        Attachment(name="a.md", media_type="text/plain", size_bytes=9, digest="t"), b"```\nx\n```"
    )
    image = AttachedFile(Attachment(name="i.png", media_type="image/png", size_bytes=1, digest="i"), b"P")
    first = await chats.ask(session, "What?", parent=None, files=(text, image))
    await chats.ask(session, "Again", parent=first.id, files=(text,))
    system, asked, again = await chats.messages(shown(await chats.open(session)), "Be brief.")
    assert system.text == "Be brief."
    assert asked.text == "a.md\n````\n```\nx\n```\n````\n\nWhat?"
    assert [each.content for each in asked.images] == [b"P"]
    assert (again.text.startswith("a.md\n"), again.images) == (True, ())


async def test_what_was_typed_and_streamed_outlives_a_kill(chats: ChatService, path: Path) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chat.writer", str(path), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    session = (await writer.stdout.readline()).decode().strip()
    ours = await chats.open(session)
    assert shown(ours)[-1].state is TurnState.STREAMING

    async def has_come() -> bool:
        talk = await chats.open(session)
        return talk.draft == "next" and shown(talk)[-1].message.text.count("word") >= 20

    await wait_for(has_come)
    writer.kill()
    await writer.wait()
    last = shown(await other_program(path, session))[-1]
    assert last.state is TurnState.BROKEN_OFF
    assert last.message.text.startswith("word 0 word 1 ")
    assert [each.turn for each in await chats.search("word")] == [last.id]


async def test_a_file_of_a_newer_version_is_read_and_left_as_it_is(path: Path) -> None:
    chats = ChatService(path)
    session = (await chats.new()).session.id
    await exchange(chats, session, "Old?", "1")
    await chats.aclose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO migrations VALUES ('2099-01 news', 0)")
        connection.execute("ALTER TABLE turns ADD COLUMN news TEXT")
    chats = ChatService(path)
    await chats.open(session)
    await exchange(chats, session, "New?", "2")
    assert len(shown(await chats.open(session))) == 4
    assert [each.kind for each in chats.notices] == ["store.not_remembered"]
    with pytest.raises(StoreReadOnly):
        await chats.kept()
    await chats.aclose()
    assert len(shown(await other_program(path, session))) == 2


async def test_votes_are_kept(chats: ChatService) -> None:
    await chats.vote(("a", "b"), "b")
    await chats.vote(("a", "b"), None)
    assert [(each.models, each.winner) for each in await chats.votes()] == [
        (("a", "b"), "b"), (("a", "b"), None),
    ]  # fmt: skip
