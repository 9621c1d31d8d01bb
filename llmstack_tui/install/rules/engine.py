"""How the built-in engine's packages get into the environment in which llmstack runs.

Facts from the documentation of the tools: pipx keeps ``pipx_metadata.json`` in its environments, uv's tools
have ``uv-receipt.toml``, and a Python with ``EXTERNALLY-MANAGED`` (PEP 668) is the distribution's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.install.types import InstallPlan, InstallStep, InstallWay, RunProgram, StartEngine

if TYPE_CHECKING:
    from llmstack_tui.install.types import Python, ThisMachine

PACKAGE = "llmstack-tui"
WHAT = f"{PACKAGE}[engine]"


def command(python: Python) -> tuple[str, ...]:
    """The command that adds the engine; empty if nothing but a person can."""
    in_environment = python.prefix != python.base
    if "pipx_metadata.json" in python.has:
        return ("pipx", "runpip", PACKAGE, "install", WHAT)
    if "uv-receipt.toml" in python.has:
        return ("uv", "tool", "install", WHAT)
    if not in_environment and "EXTERNALLY-MANAGED" in python.has:
        return ()
    if python.has_pip:
        user = () if in_environment else ("--user",)
        return (python.program, "-m", "pip", "install", *user, WHAT)
    return ("uv", "pip", "install", "--python", python.program, WHAT) if python.has_uv else ()


def engine_plan(machine: ThisMachine) -> InstallPlan:
    """What makes the built-in engine run: its packages, or only its start."""
    start = InstallStep(Sentence("install.start_engine"), StartEngine())
    if not machine.engine_missing:
        return InstallPlan(way=InstallWay.ENGINE, steps=(start,), back=(Sentence("install.back_engine"),))
    argv = command(machine.python)
    if not argv:
        return InstallPlan(
            way=InstallWay.ENGINE,
            problems=(quoted(machine.engine_missing), Sentence("install.by_pipx", {"what": WHAT})),
        )
    add = InstallStep(Sentence("install.add_engine"), RunProgram(argv))
    return InstallPlan(way=InstallWay.ENGINE, steps=(add,), notes=(Sentence("install.open_again"),))
