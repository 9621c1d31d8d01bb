"""Asks for the newest versions of programs. Nothing is downloaded."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from llmstack_tui import __version__
from llmstack_tui.base.structs import replace
from llmstack_tui.registry.errors import RegistryError
from llmstack_tui.registry.http import HttpTimeouts, HttpTransport
from llmstack_tui.updates.programs import Program, Release, is_newer

_MOST_BYTES = 4 * 2**20


class _Published(msgspec.Struct):
    """A release as GitHub tells it."""

    tag_name: str = ""
    draft: bool = False
    prerelease: bool = False


class _About(msgspec.Struct):
    version: str = ""
    yanked: bool = False


class _Project(msgspec.Struct):
    """A project as the Python Package Index tells it."""

    info: _About = msgspec.field(default_factory=_About)


class Unanswered(Exception):
    """A sentence that says why."""


async def ask(address: str, before: Release) -> Release:
    """What is so now; of a question that fails the problem, beside what was known before. Raises nothing."""
    now = datetime.now(UTC)
    try:
        version = await _ask(before.program, address)
    except (RegistryError, Unanswered) as error:
        return replace(before, asked_at=now, problem=str(error))
    return Release(program=before.program, asked_at=now, version=version)


async def _ask(program: Program, address: str) -> str:
    host = urlsplit(address).netloc
    http = HttpTransport(user_agent=f"llmstack/{__version__} ({os.name})", timeouts=HttpTimeouts(), at_once=1)
    try:
        headers = {"Accept": "application/json"}
        reply = await http.ask(address, host=host, headers=headers, most_bytes=_MOST_BYTES)
    finally:
        await http.aclose()
    if reply.status != 200:
        raise Unanswered(f"{host} did not tell the newest {program}: status {reply.status}.")
    try:
        version = _version(program, reply.content)
    except msgspec.MsgspecError:
        version = ""
    # What is no version would be no news either, and may be anything.
    if not is_newer(version, "0.0.0.1"):
        raise Unanswered(f"{host} did not tell the newest {program}: its answer names no version.")
    return version.removeprefix("v")


def _version(program: Program, content: bytes) -> str:
    if program is Program.OLLAMA:
        release = msgspec.json.decode(content, type=_Published)
        return "" if release.draft or release.prerelease else release.tag_name.strip()
    about = msgspec.json.decode(content, type=_Project).info
    return "" if about.yanked else about.version.strip()
