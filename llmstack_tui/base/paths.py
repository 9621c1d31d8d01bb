"""Where the program keeps its files, in the platform's own folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformdirs import PlatformDirs


class NoHome(Exception):
    """The user's folder cannot be found; the text says what to do."""


def _dirs() -> PlatformDirs:
    from platformdirs import PlatformDirs  # noqa: PLC0415 (what only parses its arguments does without)

    return PlatformDirs("llmstack", appauthor=False)


def _resolved(path: str) -> Path:
    # Without HOME and without an entry in the user database, "~" stays as it is, and a folder of that name
    # would be made wherever the program happens to run.
    if path.startswith("~"):
        raise NoHome("No home folder is known for this user: set HOME to a folder that you can write to.")
    return Path(path)


def config_file() -> Path:
    """The settings, unless ``--config`` names another file."""
    return _resolved(_dirs().user_config_dir) / "config.toml"


def data_folder() -> Path:
    """State, logs and the engine's own models."""
    return _resolved(_dirs().user_data_dir)


def state_file() -> Path:
    """What is remembered between sessions."""
    return data_folder() / "state.db"


def theme_file() -> Path:
    """The name of the theme that was shown last: it is wanted sooner than the state can be opened."""
    return data_folder() / "theme"


def models_folder() -> Path:
    """The engine's own models, in Ollama's layout: ``manifests/`` and ``blobs/``."""
    return data_folder() / "models"


def logs_folder() -> Path:
    return data_folder() / "logs"
