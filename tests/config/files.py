"""Settings from a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.config.loading import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.base.sentences import Param
    from llmstack_tui.config.loading import KeyCheck
    from llmstack_tui.config.settings import LoadedSettings


def load(
    folder: Path,
    content: str | bytes,
    environ: dict[str, str] | None = None,
    check_keys: KeyCheck = lambda _: (),
) -> LoadedSettings:
    """What is loaded where ``content`` is in ``config.toml``."""
    file = folder / "config.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_settings(file, environ or {}, check_keys)


def in_file(line: int, kind: str, **params: Param) -> Sentence:
    """A fault of a setting in that file; its parameters as they come, ``name`` first."""
    fault = Sentence(f"setting.{kind}", params)
    return Sentence("setting.in_file", {"file": "config.toml", "line": line, "fault": (fault,)})


def place(problem: Sentence) -> tuple[Param, Param]:
    """The line of a problem in the file, and the name of its setting."""
    fault = problem.params["fault"]
    assert isinstance(fault, tuple)
    assert isinstance(fault[0], Sentence)
    return problem.params["line"], fault[0].params["name"]
