"""How the program is called, and how it ends when it is called in a wrong way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from llmstack_tui import __version__
from llmstack_tui.cli.main import build_parser
from llmstack_tui.cli.options import hosts, with_options
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import EngineSettings, Settings
from tests.support.program import COMMAND

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.program import Program


@pytest.mark.parametrize(
    "line",
    [
        "--host a --host b --engine ollama --read-only ls",
        "ls --host a --host b --engine ollama --read-only",
        "--host a --read-only ls --engine ollama --host b",
        "--engine ollama ls --host=a --host=b --read-only",
    ],
)
def test_options_stand_before_or_after_the_command(line: str) -> None:
    options = build_parser().parse_args(line.split())
    settings = with_options(Settings(hosts=(HostSettings(url="http://c:11434"),)), options)
    assert settings == Settings(
        hosts=tuple(HostSettings(url=f"http://{name}:11434", allow="act") for name in "ab"),
        read_only=True,
        engine=EngineSettings(choice="ollama"),
    )


def test_a_host_that_is_named_may_be_acted_on_unless_the_settings_say_otherwise() -> None:
    a, b, c = (f"http://{name}:11434" for name in "abc")
    settings = Settings(hosts=(HostSettings(url=a, name="A"), HostSettings(url=b, allow="look")))
    assert [settings.may_act(url) for url in (a, b)] == [False, False]
    options = build_parser().parse_args(["--host", "a", "--host", "b", "--host", "c", "--host", "A", "ls"])
    named = with_options(settings, options)
    assert [host.url for host in named.hosts] == [a, b, c]
    assert [host.name for host in named.hosts] == ["A", "", ""]
    assert [named.may_act(url) for url in (a, b, c)] == [True, False, True]


def test_without_options_the_settings_stay() -> None:
    settings = Settings(
        hosts=(HostSettings(url="http://c:11434"),), read_only=True, engine=EngineSettings(choice="builtin")
    )
    options = build_parser().parse_args(["ls"])
    assert hosts(options) == ()
    assert with_options(settings, options) == settings


def test_the_version_is_told_before_and_after_the_command(llmstack: Program) -> None:
    for line in (["--version"], ["ls", "--version"], ["engine", "start", "--version"]):
        done = llmstack(*line)
        assert (done.returncode, done.stdout) == (0, f"llmstack {__version__}\n")


def test_help_names_every_command(llmstack: Program) -> None:
    done = llmstack("--help")
    assert (done.returncode, done.stderr) == (0, "")
    commands = (
        "ls",
        "ps",
        "show",
        "start",
        "stop",
        "rm",
        "import",
        "chat",
        "status",
        "engine",
        "config",
        "guard",
        "pin",
        "unpin",
        "history",
    )
    for command in commands:
        assert re.search(rf"^    {command} ", done.stdout, flags=re.MULTILINE)
        assert llmstack(command, "--help").returncode == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "'nonsense'"),
        ("--json", "--json"),
        ("ls extra", "extra"),
        ("ls --js", "--js"),
        ("--host http://:x ls", "The port"),
        ("ls --host ftp://a", "https:// or ssh://"),
        ("ls --engine vllm", "'vllm'"),
        ("--config /no/such/file.toml ls", "/no/such/file.toml"),
        ("show", "NAME"),
        ("start", "NAME"),
        ("start a --ctx 0", "above 0"),
        ("start a --ctx many", "above 0"),
        ("start a --keep-alive soon", "90s, 10m or 1h30m"),
        ("stop", "--all"),
        ("stop a --all", "--all"),
        ("rm", "NAME"),
        ("rm a", "--yes"),
        ("rm a --json", "--yes"),
        ("import", "FILE"),
        ("import a.gguf [/red]", "not a model name"),
        ("chat a", "question"),
        ("engine", "COMMAND"),
        ("config --path --example", "--path"),
        ("engine start --port 70000", "65535"),
        ("--host a engine start", "llmstack engine start --host"),
        ("show \x1b[31m --wrong", "unrecognized"),
    ],
)
def test_wrong_usage_is_a_sentence_and_2(llmstack: Program, line: str, words: str) -> None:
    done = llmstack(*line.split())
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stdout == ""
    assert "\x1b" not in done.stderr


def test_the_dashboard_needs_a_terminal(llmstack: Program) -> None:
    done = llmstack()
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr
    assert "llmstack --help" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_wrong_in_the_settings_is_said_and_the_rest_applies(
    llmstack: Program, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('hosts = ["127.0.0.1:1"]\nread_only = true\n[engine]\nport = "x"\n')
    done = llmstack("stop", "--all", "--config", file)
    assert done.returncode == 1
    assert done.stderr == (
        'llmstack: mine.toml line 4: engine.port must be a whole number from 1 to 65535, or "auto", '
        "not 'x'.\n"
        "llmstack: Nothing was changed: --read-only or read_only in the settings forbids it.\n"
    )


@pytest.mark.parametrize(
    "line", ["start a", "stop a", "rm a --yes", "import a.gguf", "engine start", "engine stop"]
)
def test_read_only_forbids_every_change(llmstack: Program, line: str) -> None:
    done = llmstack("--read-only", *line.split())
    assert done.returncode == 1
    assert done.stderr.startswith("llmstack: Nothing was changed")


@pytest.mark.parametrize("arguments", [["--help"], ["ls", "--help"]])
def test_a_reader_that_goes_away_is_no_error(llmstack: Program, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, *arguments], env=llmstack.environment, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="the shell's way to close a stream")
@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(llmstack: Program, closing: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m llmstack_tui engine status {closing}'],
        env=llmstack.environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_full_disk_under_standard_output(llmstack: Program) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [*COMMAND, "--help"],
            env=llmstack.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            encoding="utf-8",
        )
    assert done.returncode == 1
    assert done.stderr == "llmstack: The system says: No space left on device.\n"
