"""Settings from a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.config.loading import LoadedSettings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, content: str | bytes, environ: dict[str, str] | None = None) -> LoadedSettings:
    """What is loaded where ``content`` is in ``config.toml``."""
    file = folder / "config.toml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_settings(file, environ or {})
