"""The machine and the program: macOS, Python, packages, limits of the system."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.types import Finding, FindingState
from llmstack_tui.hardware.readings import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.doctor.facts import Package, ProgramFacts, SystemFacts
    from llmstack_tui.hardware.readings import MachineReading

# Ollama's documentation (macos): Sonoma or newer.
LEAST_MACOS = 14
# A server with some clients, models and downloads has fewer files open.
LEAST_FILES = 512
_GIB = 2**30


def mac_system(id_: str, system: SystemFacts) -> Iterator[Finding]:
    if not system.macos:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_mac"))
        return
    is_old = int(re.match(r"[0-9]{1,4}|", system.macos)[0] or 0) < LEAST_MACOS  # type: ignore[index]  # It matches "".
    yield Finding(
        id=id_,
        state=FindingState.WARNING if is_old else FindingState.FINE,
        says=Sentence("doctor.macos", {"version": system.macos}),
        advice=(Sentence("doctor.old_macos", {"least": LEAST_MACOS}),) if is_old else (),
    )


def mac_memory(id_: str, machine: MachineReading) -> Iterator[Finding]:
    """The chip, its unified memory, and how much of that graphics may take, which leaves some to macOS."""
    gpu = next((each for each in machine.devices if each.kind is DeviceKind.APPLE), None)
    memory = machine.ram.total
    if gpu is None or gpu.total is None or memory is None:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_apple_chip"))
        return
    is_high = gpu.total > memory - max(2 * _GIB, memory // 8)
    yield Finding(
        id=id_,
        state=FindingState.WARNING if is_high else FindingState.FINE,
        says=Sentence("doctor.unified_memory", {"chip": gpu.name, "memory": memory, "limit": gpu.total}),
        advice=(Sentence("doctor.high_gpu_limit"),) if is_high else (),
        command="sudo sysctl iogpu.wired_limit_mb=0" if is_high else "",
    )


def open_files(id_: str, system: SystemFacts) -> Iterator[Finding]:
    limit = system.open_files
    if limit is None:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.files_unlimited"))
        return
    is_low = limit < LEAST_FILES
    yield Finding(
        id=id_,
        state=FindingState.ADVICE if is_low else FindingState.FINE,
        says=Sentence("doctor.files", {"limit": limit}),
        advice=(Sentence("doctor.raise_files"),) if is_low else (),
        command=f"ulimit -n {LEAST_FILES}" if is_low else "",
    )


def python(id_: str, program: ProgramFacts) -> Iterator[Finding]:
    """Whether this is a Python that llmstack, as it is installed, was made for."""
    is_wrong = not suits(program.python)
    yield Finding(
        id=id_,
        state=FindingState.BROKEN if is_wrong else FindingState.FINE,
        says=Sentence("doctor.python", {"version": program.python.installed}),
        advice=(Sentence("doctor.wrong_python", {"wanted": program.python.wanted}),) if is_wrong else (),
    )


def packages(id_: str, program: ProgramFacts) -> Iterator[Finding]:
    """Whether the packages are there in the versions that llmstack needs."""
    wrong = [each for each in program.packages if not suits(each)]
    if not program.packages:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_package_list"))
    elif not wrong:
        says = Sentence("doctor.packages", {"count": len(program.packages)})
        seen = tuple(_package(each) for each in program.packages)
        yield Finding(id=id_, state=FindingState.FINE, says=says, evidence=seen)
    else:
        says = Sentence("doctor.wrong_packages", {"count": len(wrong)})
        seen = tuple(map(_package, wrong))
        advice = (Sentence("doctor.install_again"),)
        yield Finding(
            id=id_,
            state=FindingState.BROKEN,
            says=says,
            evidence=seen,
            advice=advice,
            command="pip install --upgrade llmstack-tui",
        )


def _package(package: Package) -> Sentence:
    about = {"name": package.name, "wanted": package.wanted, "installed": package.installed}
    if package.installed is None:
        return Sentence("doctor.package_missing", about)
    return Sentence("doctor.package" if suits(package) else "doctor.package_wrong", about)


def suits(package: Package) -> bool:
    """Whether the installed version is within the bounds, which are all ``>=`` and ``<``."""
    if package.installed is None:
        return False
    version = _numbers(package.installed)
    bounds = re.findall(r"(>=|<)\s*([0-9.]+)", package.wanted)
    return all((version >= _numbers(bound)) == (sign == ">=") for sign, bound in bounds)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", version.partition("+")[0]))
