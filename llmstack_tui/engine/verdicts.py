"""Which Jinja templates llama.cpp cannot read. That is found out once for each, and kept in a file.

A template is looked at when its model is pulled, imported or made, and when a load failed.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import msgspec

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.engine.runners.probe import template_fault

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_NAME = "unreadable-templates.json"


class _Kept(msgspec.Struct):
    """``faults``: why, by the sha256 of the template. Another version of llama.cpp may be able to read it."""

    llama_cpp: str = ""
    faults: dict[str, str] = {}


class Verdicts:
    """Must be used from one event loop; `fault` may be called by any thread.

    Args:
        models: the folder in which the file is.
        scratch: a private folder, for processes that try a template.
    """

    def __init__(self, models: Path, scratch: Path, *, confine: bool) -> None:
        self._path = models / _NAME
        self._scratch = scratch
        self._confine = confine
        self._readable = set[str]()
        self._kept: _Kept | None = None

    def fault(self, jinja: str) -> Sentence | None:
        """Why llama.cpp cannot read the template, if that is known."""
        why = self._known().faults.get(_key(jinja))
        return None if why is None else Sentence("template.unreadable", {"why": why})

    async def look(self, jinja: str) -> Sentence | None:
        """As `fault`, but a template that was not looked at yet is tried."""
        if (known := self.fault(jinja)) or _key(jinja) in self._readable:
            return known
        why = await template_fault(jinja, self._scratch, confine=self._confine)
        if why is None:
            self._readable.add(_key(jinja))
        else:
            self._known().faults[_key(jinja)] = why
            self._keep()
        return self.fault(jinja)

    def _known(self) -> _Kept:
        if self._kept is None:
            self._kept = _Kept(llama_cpp=_version())
            with suppress(OSError, msgspec.MsgspecError):
                kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
                self._kept = kept if kept.llama_cpp == self._kept.llama_cpp else self._kept
        return self._kept

    def _keep(self) -> None:
        half = self._path.with_suffix(".tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(msgspec.json.encode(self._known()))
            half.replace(self._path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)


def _key(jinja: str) -> str:
    return hashlib.sha256(jinja.encode()).hexdigest()


def _version() -> str:
    try:
        return version("xllamacpp")
    except PackageNotFoundError:
        return ""
