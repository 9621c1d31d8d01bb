"""The plans for versions in the user's own folders: install one, change to one that is kept, remove one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.structs import replace
from llmstack_tui.install.rules.releases import names
from llmstack_tui.install.types import (
    Fetch,
    InstallPlan,
    InstallStep,
    InstallWay,
    Link,
    Record,
    Remove,
    RunProgram,
    StartOllama,
    StopOllama,
    Unpack,
    Wait,
    Write,
)
from llmstack_tui.service.units import Autostart, unit_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.install.types import Asset, OllamaRelease, ThisMachine, Versions

# An archive and what is in it: releases of 2026 unpack to less than three times their size.
UNPACKED = 3
UNIT = "ollama.service"
# systemd answers in milliseconds, and says nothing while a service stops, for which it has 90 s.
_SYSTEMD_S = 100.0


def archive_plan(
    machine: ThisMachine, release: OllamaRelease | None, versions: Versions, problems: Sentences = ()
) -> InstallPlan:
    """The plan for the official archive, beside the versions that are there already."""
    if not machine.arch:
        return InstallPlan(way=InstallWay.ARCHIVE, problems=(Sentence("install.no_build"),))
    if machine.not_writable:
        return InstallPlan(way=InstallWay.ARCHIVE, problems=machine.not_writable)
    if release is None:
        return InstallPlan(way=InstallWay.ARCHIVE, problems=problems)
    is_kept = release.version in versions.kept
    wanted = () if is_kept else release.assets
    if not is_kept and len(wanted) < len(names(machine)):
        return InstallPlan(
            way=InstallWay.ARCHIVE, version=release.version, problems=(Sentence("install.no_file"),)
        )
    size = sum(each.size or 0 for each in wanted)
    plan = InstallPlan(
        way=InstallWay.ARCHIVE,
        version=release.version,
        steps=(*_fetch(machine, release.version, wanted), *_change(machine, versions, release.version)),
        problems=tuple(_hindrances(machine, wanted, size)),
        notes=tuple(_notes(machine, versions)),
        back=_back(versions, release.version),
        download=size or None,
        record=replace(versions.record, previous=versions.current, way=InstallWay.ARCHIVE),
    )
    if release.version == versions.current:
        return replace(
            plan, steps=(), problems=(Sentence("install.is_current", {"version": release.version}),)
        )
    return plan


def removal_plan(machine: ThisMachine, versions: Versions, version: str) -> InstallPlan:
    """The plan that removes one version; with the one in use, the service and the links go, too."""
    folder = machine.folder / "versions" / version
    steps: list[InstallStep] = []
    record = versions.record
    if version == versions.current:
        steps += _stopping(machine, versions, for_good=True)
        paths = [machine.folder / "current"]
        paths += [machine.unit] if machine.has_unit else []
        paths += [_command(machine)] if machine.has_command else []
        steps += [
            InstallStep(Sentence("install.remove", {"file": str(path)}), Remove(path)) for path in paths
        ]
        record = Record()
    elif version == record.previous:
        record = replace(record, previous="")
    steps.append(InstallStep(Sentence("install.remove", {"file": str(folder)}), Remove(folder)))
    return InstallPlan(
        way=InstallWay.ARCHIVE,
        version=version,
        steps=tuple(steps),
        notes=(Sentence("install.models_stay"),),
        record=record,
    )


def _fetch(machine: ThisMachine, version: str, wanted: tuple[Asset, ...]) -> Iterator[InstallStep]:
    files = tuple(machine.folder / "downloads" / f"{version}-{each.name}" for each in wanted)
    for asset, file in zip(wanted, files, strict=True):
        yield download_step(asset, file)
    if files:
        folder = machine.folder / "versions" / version
        yield InstallStep(Sentence("install.unpack", {"folder": str(folder)}), Unpack(files, folder))


def download_step(asset: Asset, file: Path) -> InstallStep:
    if asset.size is None:
        return InstallStep(Sentence("install.download_unsized", {"name": asset.name}), Fetch(asset, file))
    says = Sentence("install.download", {"name": asset.name, "size": asset.size})
    return InstallStep(says, Fetch(asset, file))


def _change(machine: ThisMachine, versions: Versions, version: str) -> Iterator[InstallStep]:
    """Have another version run, which is unpacked."""
    yield from _stopping(machine, versions)
    current = machine.folder / "current"
    yield InstallStep(
        Sentence("install.use", {"version": version}), Link(current, machine.folder / "versions" / version)
    )
    program = current / "bin" / "ollama"
    if not machine.has_command:
        command = _command(machine)
        yield InstallStep(Sentence("install.command", {"file": str(command)}), Link(command, program))
    if _is_elsewhere(machine, versions):
        return
    if not machine.has_user_services:
        yield InstallStep(Sentence("install.start", {"url": machine.url}), StartOllama(program, machine.url))
        return
    if machine.has_unit:
        yield InstallStep(Sentence("install.start_service"), _systemctl(("start", UNIT), ("stop", UNIT)))
    else:
        start = Autostart("Ollama", (str(program), "serve"), machine.variables, machine.folder / "log")
        yield InstallStep(Sentence("install.write_unit"), Write(machine.unit, unit_text(start)))
        yield InstallStep(Sentence("install.read_units"), _systemctl(("daemon-reload",), ("daemon-reload",)))
        enable, disable = ("enable", "--now", UNIT), ("disable", "--now", UNIT)
        yield InstallStep(Sentence("install.enable"), _systemctl(enable, disable))
    yield InstallStep(Sentence("install.wait", {"url": machine.url}), Wait(machine.url))


def _stopping(machine: ThisMachine, versions: Versions, *, for_good: bool = False) -> list[InstallStep]:
    if not versions.current:
        return []
    if machine.has_user_services and machine.has_unit:
        stop = ("disable", "--now", UNIT) if for_good else ("stop", UNIT)
        return [InstallStep(Sentence("install.stop_service"), _systemctl(stop, ("start", UNIT)))]
    return [InstallStep(Sentence("install.stop"), StopOllama())] if versions.is_running else []


def _is_elsewhere(machine: ThisMachine, versions: Versions) -> bool:
    """Whether a server has the address that is not one of these versions."""
    ours = versions.is_running or (machine.has_unit and bool(versions.current))
    return machine.server and not ours


def _hindrances(machine: ThisMachine, wanted: tuple[Asset, ...], size: int) -> Iterator[Sentence]:
    yield from no_zstd(machine, wanted)
    needed = size * (1 + UNPACKED)
    if machine.free is not None and machine.free < needed:
        folder = str(machine.folder)
        yield Sentence("install.too_little_disk", {"needed": needed, "free": machine.free, "folder": folder})


def no_zstd(machine: ThisMachine, assets: tuple[Asset, ...]) -> Sentences:
    """The sentence that zstd is missing, if these archives need it; else nothing."""
    is_needed = any(each.name.endswith(".zst") for each in assets)
    return (Sentence("install.no_zstd"),) if is_needed and not machine.has_zstd else ()


def _notes(machine: ThisMachine, versions: Versions) -> Iterator[Sentence]:
    if _is_elsewhere(machine, versions):
        yield Sentence("install.not_started", {"url": machine.url})
    elif machine.has_user_services:
        yield Sentence("install.while_logged_in")
    else:
        yield Sentence("install.own_process")


def _back(versions: Versions, version: str) -> Sentences:
    if versions.current:
        return (Sentence("install.back_version", {"version": versions.current}),)
    return (Sentence("install.back_archive", {"version": version}),)


def _systemctl(does: tuple[str, ...], back: tuple[str, ...]) -> RunProgram:
    first = ("systemctl", "--user")
    return RunProgram((*first, *does), (*first, *back), silence_s=_SYSTEMD_S)


def _command(machine: ThisMachine) -> Path:
    return (machine.home or machine.folder) / ".local/bin/ollama"
