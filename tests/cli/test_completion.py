"""What a shell completes, in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.cli.completion import forms, script
from llmstack_tui.cli.main import COMMANDS, build_whole_parser

if TYPE_CHECKING:
    from pathlib import Path

# As `llmstack ls` writes them; the third would be run by a shell that completes it.
LISTED = """
   NAME            SIZE
●  alpha:7b        4.7 GB
●  alpha:14b       9.0 GB
○  $(touch$IFS./hit)  1 GB
○  hf.co/a/b:Q4    1 GB
"""
_BASH = """
source {script}
COMP_LINE={line!r} COMP_POINT={point}
_llmstack
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """A folder with a ``llmstack`` that only lists."""
    stub = tmp_path / "llmstack"
    stub.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTED.strip()}\nEND\n")
    stub.chmod(0o755)
    return tmp_path


def completed(shell: str, folder: Path, line: str) -> set[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    file = folder / "script"
    file.write_text(script(shell, [*forms(build_whole_parser())]))
    code = f"source {file}; complete -C {line!r}"
    if shell == "bash":
        code = _BASH.format(script=file, line=line, point=len(line))
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [shell, "-c", code], env=environment, cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    assert not done.stderr
    assert not (folder / "hit").exists(), "a name was evaluated"
    return {found.split("\t")[0] for found in done.stdout.splitlines() if found}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_commands_options_and_models(shell: str, stub: Path) -> None:
    assert {each.name for each in COMMANDS} <= completed(shell, stub, "llmstack ")
    assert completed(shell, stub, "llmstack st") == {"start", "stop", "status"}
    assert completed(shell, stub, "llmstack --read-only guard ex") == {"explain"}
    assert completed(shell, stub, "llmstack start --kee") == {"--keep-alive"}
    assert completed(shell, stub, "llmstack show hf") == {"hf.co/a/b:Q4"}
    assert completed(shell, stub, "llmstack guard idle hf") == {"hf.co/a/b:Q4"}
    assert completed(shell, stub, "llmstack completion z") == {"zsh"}


def test_bash_takes_a_colon_for_the_end_of_a_word(stub: Path) -> None:
    assert completed("bash", stub, "llmstack rm alpha:") == {"7b", "14b"}
    assert completed("bash", stub, "llmstack rm alpha:1") == {"14b"}
    assert completed("bash", stub, "llmstack rm al") == {"alpha:7b", "alpha:14b"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_option_of_every_command_is_in_the_script(shell: str) -> None:
    found = [*forms(build_whole_parser())]
    text = script(shell, found)
    assert len(found) > len(COMMANDS)
    for form in found:
        for option, _ in form.options:
            assert (f"-l {option[2:]} " if shell == "fish" else option) in text


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_completes_on_a_terminal(stub: Path) -> None:
    from tests.support.terminal import Terminal  # noqa: PLC0415 - not on Windows

    (stub / "script").write_text(script("zsh", [*forms(build_whole_parser())]))
    environment = {"PATH": f"{stub}:{os.environ['PATH']}", "HOME": str(stub), "LANG": "C.UTF-8"}
    with Terminal([shutil.which("zsh") or "", "-f"], environment, cwd=stub) as terminal:
        terminal.type("autoload -U compinit && compinit -u; source script; echo re''ady\r")
        terminal.wait_for("ready")
        for typed, whole in (("guard ex", "guard explain"), ("show hf", "show hf.co/a/b:Q4")):
            terminal.type(f"\x15llmstack {typed}\t")
            terminal.wait_for(f"llmstack {whole}")
    assert not (stub / "hit").exists()
