"""Prompts as files, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "title: Greet\npurpose: Greet somebody.\n"
VARIABLES = "variables:\n  input:\n    purpose: who\n"


def prompt_file(folder: Path, name: str, head: str = HEAD, template: str = "Hello!") -> Path:
    """A file of a prompt, with this YAML and this template."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.md"
    file.write_text(f"---\n{head}---\n{template}\n", encoding="utf-8")
    return file
