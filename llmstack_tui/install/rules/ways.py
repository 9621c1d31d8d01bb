"""The plan of each way to install Ollama on a machine, the best way first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.install.rules.archive import archive_plan, download_step, no_zstd
from llmstack_tui.install.rules.engine import engine_plan
from llmstack_tui.install.rules.releases import SCRIPT
from llmstack_tui.install.types import (
    InstallPlan,
    InstallStep,
    InstallWay,
    Move,
    RunProgram,
    StartOllama,
    Wait,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.install.types import OllamaRelease, ThisMachine, Versions

APP = Path("/Applications/Ollama.app")


def plans(
    machine: ThisMachine, release: OllamaRelease | None, versions: Versions, problems: Sentences = ()
) -> tuple[InstallPlan, ...]:
    """What can be done.

    Args:
        release: the version that is wanted; None if it could not be asked for, and ``problems`` say why.
    """
    found = tuple(_ollama(machine, release, versions, problems))
    engine = engine_plan(machine)
    # Without a network, the engine is what can be had.
    return (engine, *found) if release is None else (*found, engine)


def _ollama(
    machine: ThisMachine, release: OllamaRelease | None, versions: Versions, problems: Sentences
) -> Iterator[InstallPlan]:
    match machine.system:
        case "Linux":
            if machine.is_root or machine.has_sudo:
                yield script_plan(machine, release, versions, problems)
            yield archive_plan(machine, release, versions, problems)
        case "Darwin":
            if machine.has_brew:
                yield brew_plan(machine)
            yield app_plan(machine, release, problems)


def script_plan(
    machine: ThisMachine, release: OllamaRelease | None, versions: Versions, problems: Sentences
) -> InstallPlan:
    """The official script, which installs for all users, with a service where there is systemd."""
    if release is None or release.script is None or not release.script_text:
        return InstallPlan(way=InstallWay.SCRIPT, problems=problems)
    file = machine.folder / SCRIPT
    run = RunProgram(
        ("env", f"OLLAMA_VERSION={release.version}", "sh", str(file)), as_root=not machine.is_root
    )
    says = Sentence("install.run_script") if machine.is_root else Sentence("install.run_script_with_sudo")
    steps = [
        InstallStep(Sentence("install.write_script"), Write(file, release.script_text)),
        InstallStep(says, run, True),
    ]
    if machine.has_services:
        steps.append(InstallStep(Sentence("install.wait", {"url": machine.url}), Wait(machine.url)))
    elif not machine.server:
        start = StartOllama(Path("ollama"), machine.url)
        steps.append(InstallStep(Sentence("install.start", {"url": machine.url}), start))
    checked = Sentence("install.script_checked", {"version": release.version})
    notes = [checked if release.script.sha256 else Sentence("install.script_unchecked")]
    if machine.ollama is not None:
        notes.append(Sentence("install.script_replaces"))
    back = [Sentence("install.back_script")]
    if machine.version and machine.version != release.version:
        back.insert(0, Sentence("install.back_version", {"version": machine.version}))
    return InstallPlan(
        way=InstallWay.SCRIPT,
        version=release.version,
        steps=tuple(steps),
        # The script takes the old version away before it looks for zstd.
        problems=no_zstd(machine, release.assets),
        notes=tuple(notes),
        back=tuple(back),
        script=release.script_text,
        record=replace(versions.record, previous=machine.version, way=InstallWay.SCRIPT),
    )


def brew_plan(machine: ThisMachine) -> InstallPlan:
    """Homebrew's own version, with its service."""
    return InstallPlan(
        way=InstallWay.BREW,
        steps=(
            InstallStep(Sentence("install.brew"), RunProgram(("brew", "install", "ollama"))),
            InstallStep(
                Sentence("install.brew_service"),
                RunProgram(("brew", "services", "start", "ollama"), ("brew", "services", "stop", "ollama")),
            ),
            InstallStep(Sentence("install.wait", {"url": machine.url}), Wait(machine.url)),
        ),
        notes=(Sentence("install.brew_version"),),
        back=(Sentence("install.back_brew"),),
    )


def app_plan(machine: ThisMachine, release: OllamaRelease | None, problems: Sentences) -> InstallPlan:
    """The official app, into the folder of applications; one that is there is kept aside."""
    asset = release.assets[0] if release is not None and release.assets else None
    if release is None or asset is None:
        return InstallPlan(way=InstallWay.APP, problems=problems or (Sentence("install.no_file"),))
    file, staging = machine.folder / "downloads" / asset.name, machine.folder / "app"
    aside = machine.folder / "Ollama-before.app"
    unzip = RunProgram(("ditto", "-x", "-k", str(file), str(staging)))
    steps = [
        download_step(asset, file),
        InstallStep(Sentence("install.unpack", {"folder": str(staging)}), unzip),
    ]
    if machine.ollama is not None and APP in machine.ollama.parents:
        steps.append(InstallStep(Sentence("install.set_aside", {"file": str(APP)}), Move(APP, aside)))
    steps += [
        InstallStep(Sentence("install.move_app", {"file": str(APP)}), Move(staging / APP.name, APP)),
        InstallStep(Sentence("install.open_app"), RunProgram(("open", "-a", str(APP), "--args", "hidden"))),
        InstallStep(Sentence("install.wait", {"url": machine.url}), Wait(machine.url)),
    ]
    return InstallPlan(
        way=InstallWay.APP,
        version=release.version,
        steps=tuple(steps),
        problems=machine.not_writable,
        back=(Sentence("install.back_app"),),
        download=asset.size,
    )
