"""The opened folder: what is read and written, and that nothing outside it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.providers.types import ToolCall
from llmstack_tui.tools.folder import MOST_READ_BYTES, OpenedFolder
from llmstack_tui.tools.toolset import MOST_CHARACTERS, built_in
from llmstack_tui.tools.types import ToolFailed

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.tools.toolset import ToolSet
    from llmstack_tui.tools.types import CallResult


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo Canción\nthree\n")
    (folder / "deep/b.py").write_text("print('one')\n")
    (tmp_path / "secret.txt").write_text("a secret")
    return folder


@pytest.fixture
def tools(notes: Path) -> ToolSet:
    return built_in(OpenedFolder(notes), environ=os.environ, with_shell=True)


async def called(tools: ToolSet, name: str, **arguments: object) -> CallResult:
    return await tools.run(await tools.propose(ToolCall(id="1", name=name, arguments=arguments)))


async def said(tools: ToolSet, name: str, **arguments: object) -> str:
    """Why a call fails, before it is made or in it."""
    try:
        result = await called(tools, name, **arguments)
    except ToolFailed as error:
        return str(error)
    assert result.is_error
    return result.text


async def test_reading_listing_and_searching(tools: ToolSet, notes: Path) -> None:
    assert (await called(tools, "read_file", path="a.txt")).text == "one\ntwo Canción\nthree\n"
    assert (await called(tools, "read_file", path=str(notes / "a.txt"), line=3)).text == "three\n"
    assert (await called(tools, "list_folder")).text == "a.txt\ndeep/"
    assert (await called(tools, "search", text="ONE")).text == "a.txt:1: one\ndeep/b.py:1: print('one')"
    assert (await called(tools, "search", text="one", files="*.py")).text == "deep/b.py:1: print('one')"
    assert (await called(tools, "search", text="nowhere")).text == "[nothing found]"


async def test_a_long_file_is_read_in_parts_and_a_long_result_cut(tools: ToolSet, notes: Path) -> None:
    (notes / "long.txt").write_text("".join(f"line {number}\n" for number in range(1, 1001)))
    first = (await called(tools, "read_file", path="long.txt")).text
    assert first.endswith("line 400\n\n[lines 1 to 400 of 1000]")
    assert (await called(tools, "read_file", path="long.txt", line=901)).text.startswith("line 901\n")
    (notes / "wide.txt").write_text("x" * 50_000)
    result = await called(tools, "read_file", path="wide.txt")
    assert result.left_out == 50_000 - MOST_CHARACTERS
    assert "[… 20000 characters left out …]" in result.text


@pytest.mark.parametrize(
    "path", ["../secret.txt", "/etc/passwd", "deep/../../secret.txt", "link.txt", "out/secret.txt"]
)
@pytest.mark.parametrize("tool", ["read_file", "list_folder", "write_file"])
async def test_nothing_outside_is_reached(tools: ToolSet, notes: Path, tool: str, path: str) -> None:
    (notes / "link.txt").symlink_to(notes.parent / "secret.txt")
    (notes / "out").symlink_to(notes.parent)
    more = {"text": "x"} if tool == "write_file" else {}
    with pytest.raises(ToolFailed) as raised:
        await called(tools, tool, path=path, **more)
    assert "is not in the opened folder" in str(raised.value)
    assert (notes.parent / "secret.txt").read_text() == "a secret"


class Raced(OpenedFolder):
    """A folder where another program puts a link in the place of a file that was just looked at."""

    def inside(self, path: str) -> Path:
        found = super().inside(path)
        found.unlink()
        found.symlink_to(self.path.parent / "secret.txt")
        return found


def test_a_link_that_is_put_there_after_the_look_is_not_followed(notes: Path) -> None:
    with pytest.raises(ToolFailed) as raised:
        Raced(notes).read("deep/b.py")
    assert "cannot be read" in str(raised.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.txt", "There is no"),
        ("deep", "no file"),
        ("fifo", "no file"),
        ("zip.txt", "no text file"),
        ("large.txt", "more than"),
        ("a\0b", "no path"),
    ],
)
async def test_what_cannot_be_read_is_said(tools: ToolSet, notes: Path, path: str, words: str) -> None:
    os.mkfifo(notes / "fifo")
    (notes / "zip.txt").write_bytes(b"PK\x03\x04\0\0")
    with (notes / "large.txt").open("wb") as large:
        large.truncate(MOST_READ_BYTES + 1)
    assert words in await said(tools, "read_file", path=path)


async def test_an_old_encoding_and_hostile_text_are_read_harmlessly(tools: ToolSet, notes: Path) -> None:
    (notes / "old.txt").write_bytes("canción".encode("latin-1"))
    assert (await called(tools, "read_file", path="old.txt")).text == "canción"
    (notes / "evil.txt").write_text("a\x1b[31mred\u202e")
    assert (await called(tools, "read_file", path="evil.txt")).text == "a\ufffd[31mred\ufffd"


async def test_writing_shows_the_difference_and_keeps_what_changed_meanwhile(
    tools: ToolSet, notes: Path
) -> None:
    call = ToolCall(id="1", name="write_file", arguments={"path": "a.txt", "text": "one\nTWO\n"})
    proposal = await tools.propose(call)
    assert "-two Canción" in proposal.preview
    assert "+TWO" in proposal.preview
    assert (await tools.run(proposal)).text == "a.txt is written: 2 lines."
    assert (notes / "a.txt").read_text() == "one\nTWO\n"
    assert sorted(each.name for each in notes.iterdir()) == ["a.txt", "deep"]

    call = ToolCall(id="2", name="write_file", arguments={"path": "a.txt", "text": "three\n"})
    proposal = await tools.propose(call)
    (notes / "a.txt").write_text("mine\n")
    result = await tools.run(proposal)
    assert result.is_error
    assert "has changed since it was read" in result.text
    assert (notes / "a.txt").read_text() == "mine\n"

    assert "1 lines" in (await called(tools, "write_file", path="new/c.txt", text="c")).text
    assert (notes / "new/c.txt").read_text() == "c"
    with pytest.raises(ToolFailed) as raised:
        await called(tools, "write_file", path="new/c.txt", text="c")
    assert "has this text already" in str(raised.value)


async def test_a_command_runs_in_the_folder_without_the_users_keys(notes: Path) -> None:
    environ = {**os.environ, "OPENAI_API_KEY": "sk-abc", "PLAIN": "seen"}
    tools = built_in(OpenedFolder(notes), environ=environ, with_shell=True)
    command = "pwd; echo $OPENAI_API_KEY-$PLAIN; exit 3"
    proposal = await tools.propose(ToolCall(id="1", name="run_command", arguments={"command": command}))
    assert proposal.preview == command
    result = await tools.run(proposal)
    assert result.text == f"{notes}\n-seen\n[exit status 3]"
    assert result.is_error


def test_a_shell_is_there_only_where_it_was_turned_on(notes: Path) -> None:
    anywhere = {"calculate", "current_time", "fetch_page"}
    in_a_folder = {"read_file", "list_folder", "search", "write_file"}
    assert {each.name for each in built_in(OpenedFolder(notes), environ={}).specs} == anywhere | in_a_folder
    assert {each.name for each in built_in(None, environ={}).specs} == anywhere
