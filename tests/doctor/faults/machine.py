"""A system, a Python, a network and a terminal that are not as they should be."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.hardware.machine import Machine
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading
from tests.support.scripted_server import Reply, always, serving
from tests.support.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest

    from tests.doctor.checkups import Surroundings
    from tests.support.scripted_server import Request


async def old_macos(_: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    patch.setattr(platform, "mac_ver", lambda: ("13.6.1", ("", "", ""), ""))
    yield
    patch.setattr(platform, "mac_ver", lambda: ("14.0", ("", "", ""), ""))
    yield


async def greedy_graphics(_: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    def has_limit(gib: int) -> None:
        ram = Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=16 * 2**30)
        gpu = Device(kind=DeviceKind.APPLE, id="gpu", name="Apple M3", total=gib * 2**30, shared=True)
        patch.setattr(Machine, "read", lambda _: MachineReading(taken_at=0.0, ram=ram, devices=(gpu,)))

    has_limit(15)
    yield
    has_limit(12)
    yield


async def few_files(_: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    patch.setattr("resource.getrlimit", lambda _: (300, 4096))
    yield
    patch.setattr("resource.getrlimit", lambda _: (512, 4096))
    yield


def _distribution(here: Surroundings, patch: pytest.MonkeyPatch, name: str, more: str) -> Path:
    """A package that comes first on Python's path."""
    info = here.home / "packages" / f"{name}-0.1.dist-info"
    info.mkdir(parents=True)
    title = name.replace("_", "-")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {title}\nVersion: 0.1\n{more}")
    patch.syspath_prepend(str(info.parent))
    return info / "METADATA"


async def other_python(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    file = _distribution(here, patch, "llmstack_tui", "Requires-Python: >=4.0\n")
    yield
    file.write_text(file.read_text().replace("4.0", "3.11"))
    yield


async def old_package(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    file = _distribution(here, patch, "msgspec", "")
    yield
    file.unlink()
    file.parent.rmdir()
    yield


async def dead_registry(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    yield
    async with serving(always(Reply(status=401))) as server:
        here.registry = server.url
        yield


async def wrong_clock(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    date = "Wed, 01 Jul 2020 09:00:00 GMT"

    async def answer(_: Request) -> Reply:
        return Reply(status=401, headers={"Date": date})

    async with serving(answer) as server:
        here.registry = server.url
        yield
        date = format_datetime(datetime.now(UTC), usegmt=True)
        yield


async def proxy_in_the_way(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    here.environ |= {"http_proxy": "http://proxy:3128", "NO_PROXY": "example.com, *.a b"}
    yield
    yield


def _in_terminal(here: Surroundings, patch: pytest.MonkeyPatch, **variables: str) -> None:
    patch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((120, 40)))
    here.environ |= variables


async def few_colours(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _in_terminal(here, patch, TERM="xterm")
    yield
    yield


async def other_encoding(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _in_terminal(here, patch)
    null = Path(os.devnull)
    with null.open("w", encoding="latin-1") as poor, null.open("w", encoding="utf-8") as whole:
        patch.setattr(sys, "__stdout__", poor)
        yield
        patch.setattr(sys, "__stdout__", whole)
        yield


async def no_mouse(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _in_terminal(here, patch, TERM="linux")
    yield
    here.environ["TERM"] = "xterm-256color"
    yield


async def small_terminal(_: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    patch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((40, 12)))
    yield
    patch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((80, 24)))
    yield


async def deaf_tmux(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    _in_terminal(here, patch, TERM="tmux", TMUX="1")
    option, programs = here.home / "option", StandIns(here.home / "bin")
    option.write_text("external")
    shows = f'[ "$1" = set-option ] && printf %s "$4" > {option}\n[ "$1" = show-options ] && cat {option}'
    programs.program("tmux", f"#!/bin/sh\n{shows}\nexit 0\n")
    here.environ["PATH"] = f"{programs.folder}:/usr/bin:/bin"
    # It is run with the environment of the examination.
    patch.setenv("PATH", here.environ["PATH"])
    yield
