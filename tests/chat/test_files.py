"""Talks as files: our own there and back, what people read, and what other programs export."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.chat import imports
from llmstack_tui.chat.attachments import made
from llmstack_tui.chat.export import exported
from llmstack_tui.chat.imports import NotImported, read_talks
from llmstack_tui.chat.rules.tree import shown
from llmstack_tui.chat.service import ChatService
from llmstack_tui.chat.types import TurnState
from llmstack_tui.core.wording import words
from llmstack_tui.providers.types import Parameters, Piece, Role, ToolCall

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.chat.types import Talk

PNG = b"\x89PNG\r\n\x1a\n rest"
EVIL = "<script>alert(1)</script> & \x1b[31m **bold**\n```html\n<b>\n```\nend"


async def branched(chats: ChatService) -> Talk:
    """A question with a file, two answers, of which the first is shown."""
    session = (
        await chats.new(
            model="tiny",
            host="http://10.0.0.1:11434",
            system="Be brief.",
            parameters=Parameters(temperature=0.5, more={"key": "sk-secret"}),
        )
    ).session.id
    asked = await chats.ask(session, EVIL, parent=None, files=(made("i.png", PNG),))
    first = await chats.begin(session, parent=asked.id, model="tiny<b>")
    call = ToolCall(id="1", name="time", arguments={})
    chats.append(first.id, Piece(text="One", reasoning="Hm\n<i>", tool_calls=(call,)))
    await chats.end(first.id, TurnState.STOPPED)
    other = await chats.begin(session, parent=asked.id, model="big")
    chats.append(other.id, Piece(text="Two"))
    await chats.end(other.id)
    await chats.change(session, leaf=first.id)
    return chats.talk(session)


async def test_our_own_file_brings_the_whole_tree_back(tmp_path: Path) -> None:
    chats = ChatService(None)
    talk = await branched(chats)
    written = exported(talk, "json", await chats.files(talk))
    assert "sk-secret" not in written
    assert "10.0.0.1" not in written
    file = tmp_path / "talk.json"
    file.write_text(written)
    [session] = await chats.take_in(read_talks(file))
    back = await chats.open(session.id)
    assert session.id != talk.session.id
    assert (back.session.title, back.session.system, back.session.parameters.temperature) == (
        talk.session.title, "Be brief.", 0.5,
    )  # fmt: skip
    assert [each.message for each in back.turns.values()] == [each.message for each in talk.turns.values()]
    assert [each.message for each in shown(back)] == [each.message for each in shown(talk)]
    assert await chats.files(back) == {shown(talk)[0].attachments[0].digest: PNG}
    assert {each.turn for each in await chats.search("alert") if each.turn} == {
        shown(talk)[0].id,
        shown(back)[0].id,
    }
    await chats.aclose()


async def test_a_page_shows_what_was_written_and_runs_nothing() -> None:
    chats = ChatService(None)
    talk = await branched(chats)
    page = exported(talk, "html", await chats.files(talk))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page
    assert "<pre><code>&lt;b&gt;\n</code></pre>" in page
    assert "data:image/png;base64,iVBOR" in page
    assert "<summary>Reasoning</summary><p>Hm\n&lt;i&gt;</p>" in page
    assert "tiny&lt;b&gt;" in page
    assert "The answer was stopped." in page
    assert "Two" not in page
    assert "\x1b" not in page
    await chats.aclose()


async def test_markdown_is_as_it_was_written() -> None:
    chats = ChatService(None)
    text = exported(await branched(chats), "markdown")
    assert text.startswith("# <script>alert(1)</script> & ")
    assert "## You\n\n*i.png*\n\n<script>" in text
    assert "## tiny<b>\n\n> Hm\n> <i>\n\n*time({})*\n\n*The answer was stopped.*\n\nOne\n" in text
    await chats.aclose()


GPT = [
    {
        "title": "Colours",
        "create_time": 1700000000.5,
        "update_time": 1700000100.0,
        "current_node": "a2",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
            "sys": {"message": {"author": {"role": "system"}, "content": {"parts": [""]}}, "parent": "root"},
            "ctx": {"message": {"author": {"role": "user"}, "content": {
                "content_type": "user_editable_context", "user_profile": "x"}}, "parent": "sys"},
            "q": {"message": {"author": {"role": "user"}, "create_time": 1700000001.0, "content": {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "image_asset_pointer"}, "Which colour?"]}}, "parent": "ctx"},
            "a1": {"message": {"author": {"role": "assistant"}, "content": {"parts": ["Red"]},
                               "metadata": {"model_slug": "gpt-4o"}}, "parent": "q"},
            "a2": {"message": {"author": {"role": "assistant"}, "metadata": {"model_slug": "gpt-4o"},
                               "content": {"content_type": "code", "text": "x"}}, "parent": "q"},
            "alien": {"message": {"author": {"role": "critic"}, "content": {"parts": ["n"]}}, "parent": "a1"},
            "more": {"message": {"author": {"role": "user"}, "content": {"parts": ["Why?"]}},
                     "parent": "alien"},
            "round1": {"message": None, "parent": "round2"},
            "round2": {"message": None, "parent": "round1"},
        },
    },
    {"title": "Empty", "mapping": {}},
]  # fmt: skip

WEB_UI = [
    {
        "id": "x",
        "title": "Farben",
        "pinned": True,
        "created_at": 1700000000,
        "updated_at": 1700000100,
        "chat": {
            "title": "Farben",
            "models": ["llama3:8b"],
            "params": {"system": "Be kind."},
            "history": {
                "currentId": "2",
                "messages": {
                    "2": {"id": "2", "parentId": "1", "role": "assistant", "content": "Blau <b>",
                          "model": "llama3:8b", "timestamp": 1700000002},
                    "1": {"id": "1", "parentId": None, "childrenIds": ["2", "3"], "role": "user",
                          "content": "Farbe?", "timestamp": 1700000001},
                    "3": {"id": "3", "parentId": "1", "role": "assistant", "content": "Rot"},
                },
            },
        },
    }
]  # fmt: skip


def zipped(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat.html", "x")
        archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("in_zip", [False, True])
def test_an_export_of_chatgpt(tmp_path: Path, *, in_zip: bool) -> None:
    file, content = tmp_path / "export", json.dumps(GPT).encode()
    file.write_bytes(zipped("export/conversations.json", content) if in_zip else content)
    [(talk, files)] = read_talks(file)
    assert files == {}
    assert (talk.session.title, talk.session.model) == ("Colours", "gpt-4o")
    assert talk.session.created_at == datetime.fromtimestamp(1700000000.5, UTC)
    texts = {each.id: each.message.text for each in talk.turns.values()}
    assert [each.message.text for each in shown(talk)] == ["Which colour?", "```\nx\n```"]
    assert sorted(texts.values()) == ["Red", "Which colour?", "Why?", "```\nx\n```"]
    why = next(each for each in talk.turns.values() if each.message.text == "Why?")
    assert why.parent is not None
    assert texts[why.parent] == "Red"


def test_an_export_of_open_web_ui(tmp_path: Path) -> None:
    file = tmp_path / "chats.json"
    file.write_text(json.dumps(WEB_UI))
    [(talk, _)] = read_talks(file)
    own = talk.session
    assert (own.title, own.is_pinned, own.system, own.model) == ("Farben", True, "Be kind.", "llama3:8b")
    assert [(each.message.role, each.message.text) for each in shown(talk)] == [
        (Role.USER, "Farbe?"), (Role.ASSISTANT, "Blau <b>"),
    ]  # fmt: skip
    assert len(talk.turns) == 3


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "chat.import_broken"),
        (b"{", "chat.import_broken"),
        (b"\xff\xfe\x00", "chat.import_broken"),
        (b"[" * 100_000, "chat.import_unknown"),
        (b"[]", "chat.import_empty"),
        (b'{"mapping": {}}', "chat.import_empty"),
        (b'[{"mapping": 3}]', "chat.import_broken"),
        (b'{"hello": 1}', "chat.import_unknown"),
        (b'{"format": "llmstack talk", "version": 99}', "chat.import_newer"),
        (b'{"format": "llmstack talk", "version": 1}', "chat.import_broken"),
        (json.dumps([*GPT, {"title": "x"}]).encode(), "chat.import_unknown"),
        (zipped("conversations.json", b"{"), "chat.import_broken"),
        (zipped("conversations.json", b"[]")[:-30], "chat.import_broken"),
        (zipped("other.json", b"[]"), "chat.import_empty"),
        (zipped("conversations.json", b" " * 3_000_000), "chat.import_large"),
        (b" " * 2_000_001, "chat.import_large"),
    ],
)
def test_what_cannot_be_imported_is_said_in_one_sentence(
    content: bytes, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_BYTES", 2_000_000)
    file = tmp_path / "talks"
    file.write_bytes(content)
    with pytest.raises(NotImported) as error:
        read_talks(file)
    assert error.value.kind == kind
    assert words(error.value).startswith(("There is no talk in ", str(file)))


def test_a_folder_is_no_file_of_talks(tmp_path: Path) -> None:
    with pytest.raises(NotImported) as error:
        read_talks(tmp_path)
    assert error.value.kind == "chat.unreadable"
