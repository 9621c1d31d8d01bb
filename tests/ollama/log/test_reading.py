"""Logs in files that grow, are emptied, replaced, or are no files at all; and systemd's journal."""

from __future__ import annotations

import json
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.ollama.log.files import MOST_BEHIND_BYTES, LogFile
from llmstack_tui.ollama.log.reading import FileLog, JournalLog, read_log
from tests.support.failures import fails
from tests.support.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmstack_tui.ollama.log.lines import LogLine
    from llmstack_tui.ollama.log.reading import LogSource


async def whole(
    source: LogSource, environ: Mapping[str, str] | None = None, *, follow: bool = False
) -> list[LogLine]:
    async with aclosing(read_log(source, environ or {}, follow=follow)) as batches:
        return [line for lines, _ in [batch async for batch in batches] for line in lines]


def taken(file: LogFile) -> tuple[list[bytes], list[str]]:
    """Everything that there is to read now, and what happened."""
    lines, happened = list[bytes](), list[str]()
    while (piece := file.read()) is not None:
        lines += piece.lines
        happened += [piece.happened.kind] if piece.happened is not None else []
    return lines, happened


async def test_only_the_end_of_a_huge_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with log.open("wb") as file:
        file.truncate(5 * 2**30)  # Of no size on the disk.
        file.seek(0, os.SEEK_END)
        file.write(b"\nfirst\nlast\n")
    assert [line.text for line in await whole(FileLog(log))][-2:] == ["first", "last"]


async def test_a_short_log_begins_in_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "server-1.log").write_text("older\n")
    (tmp_path / "server.log").write_text("newer\nno end")
    assert [line.text for line in await whole(FileLog(tmp_path / "server.log"))] == [
        "older",
        "newer",
        "no end",
    ]


def test_a_log_is_followed_as_it_grows_is_emptied_and_replaced(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"one\n")
    file = LogFile(log, 1000)
    assert taken(file) == ([b"one"], [])
    with log.open("ab") as more:
        more.write(b"two\r\nthr")
    assert taken(file) == ([b"two"], [])
    with log.open("ab") as more:
        more.write(b"ee\n")
    assert taken(file) == ([b"three"], [])
    log.write_bytes(b"4\n")
    assert taken(file) == ([b"4"], ["log.began_anew"])
    log.rename(tmp_path / "server-1.log")
    assert taken(file) == ([], [])
    log.write_bytes(b"five\n")
    assert taken(file) == ([b"five"], ["log.began_anew"])
    file.close()


def test_a_log_that_is_written_faster_than_it_is_read_is_cut_short(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"one\n")
    file = LogFile(log, 1000)
    assert taken(file) == ([b"one"], [])
    with log.open("ab") as more:
        more.write(b"x" * 99 + b"\n")
        more.write((b"y" * 99 + b"\n") * (MOST_BEHIND_BYTES // 100 + 1))
        more.write(b"last\n")
    lines, happened = taken(file)
    assert (lines[-1], happened) == (b"last", ["log.skipped"])
    assert {len(line) for line in lines[:-1]} == {99}
    file.close()


async def test_binary_and_endless_lines_are_read_as_far_as_they_can_be_shown(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(os.urandom(3000).replace(b"\n", b"") + b"\n" + b"z" * 200_000 + b"\nend\n")
    found = await whole(FileLog(log))
    assert found[-1].text == "end"
    assert all(len(line.text) <= 4000 for line in found)
    assert all(char.isprintable() for line in found for char in line.text if ord(char) < 160)


async def test_what_is_no_log_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("none", "log.missing"), ("pipe", "log.no_file"), (".", "log.no_file")):
        with fails(kind):
            await whole(FileLog(tmp_path / name))

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "closed").write_text("x")
    monkeypatch.setattr(os, "open", denied)
    with fails("log.unreadable", why="Permission denied"):
        await whole(FileLog(tmp_path / "closed"))


ENTRIES = [
    {"MESSAGE": "time=2026-11-30T13:08:56Z level=WARN source=a.go:1 msg=hm", "__REALTIME_TIMESTAMP": "1"},
    {"MESSAGE": [108, 255, 108], "__REALTIME_TIMESTAMP": "1796044136000000", "SYSLOG_IDENTIFIER": "ollama"},
    {"MESSAGE": None},
    {"MESSAGE": "Started ollama.service.", "SYSLOG_IDENTIFIER": "systemd"},
]


async def test_the_journal_is_read(tmp_path: Path) -> None:
    programs = StandIns(tmp_path / "bin")
    entries = "\n".join(map(json.dumps, ENTRIES))
    programs.program(
        "journalctl",
        f"#!/bin/sh\necho \"$*\" > {programs.folder}/calls\ncat <<'END'\n{entries}\nnot JSON\nEND\n",
    )
    found = await whole(JournalLog("ollama.service", user=True), programs.environ())
    assert [(line.source, line.message) for line in found] == [
        ("a.go:1", "hm"), ("", "l\ufffdl"), ("systemd", "Started ollama.service."),
    ]  # fmt: skip
    assert found[1].time is not None
    assert found[1].time.timestamp() == 1796044136
    assert programs.calls[0].startswith("--user --unit=ollama.service --output=json")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (
            "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2",
            "log.closed_journal",
        ),
        ("echo 'No journal files were found.' >&2; exit 1", "log.journal_ended"),
        (None, "command.missing"),
    ],
)
async def test_a_journal_that_cannot_be_read(tmp_path: Path, script: str | None, kind: str) -> None:
    programs = StandIns(tmp_path / "bin")
    if script is not None:
        programs.program("journalctl", f"#!/bin/sh\n{script}\n")
    environ = {
        **programs.environ(),
        "PATH": str(programs.folder) if script is None else programs.environ()["PATH"],
    }
    with fails(kind):
        await whole(JournalLog("ollama.service"), environ)


async def test_a_journal_that_may_not_be_read_is_not_waited_for(tmp_path: Path) -> None:
    programs = StandIns(tmp_path / "bin")
    hint = "echo 'Hint: You are currently not seeing messages from other users.' >&2"
    waits = 'case "$*" in *--follow*) exec sleep 60 ;; esac'
    programs.program("journalctl", f"#!/bin/sh\n{hint}\n{waits}\n")
    with fails("log.closed_journal"):
        await whole(JournalLog("ollama.service"), programs.environ(), follow=True)
