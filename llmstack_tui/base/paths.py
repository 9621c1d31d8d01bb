"""Where the program keeps its files, in the platform's own folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platformdirs import PlatformDirs


Look = Literal["theme", "language"]
"""What the dashboard needs to know for its first paint."""


class NoHome(Failure):
    """The user's home folder cannot be found."""


def _dirs() -> PlatformDirs:
    from platformdirs import PlatformDirs  # noqa: PLC0415 (not needed to parse the command line)

    return PlatformDirs("llmstack", appauthor=False)


def _resolved(path: str) -> Path:
    # Without HOME and an entry in the user database, "~" is not expanded, and a folder named "~" would be
    # made in the current one.
    if path.startswith("~"):
        raise NoHome("home.unknown")
    return Path(path)


def config_file() -> Path:
    """The file of settings, unless ``--config`` names another."""
    return _resolved(_dirs().user_config_dir) / "config.toml"


def prompts_folder() -> Path:
    """The folder of the user's own prompts."""
    return config_file().parent / "prompts"


def data_folder() -> Path:
    """The folder of the state, the logs and the engine's own models."""
    return _resolved(_dirs().user_data_dir)


def state_file() -> Path:
    """The database of what is remembered between sessions."""
    return data_folder() / "state.db"


def look_file(look: Look) -> Path:
    """The file with the last theme, or the last language, which is needed before the state can be opened."""
    return data_folder() / look


def models_folder() -> Path:
    """The folder of the engine's own models, in Ollama's layout: ``manifests/`` and ``blobs/``."""
    return data_folder() / "models"


def ollama_folder() -> Path:
    """The folder of the versions of Ollama that llmstack has installed for this user alone."""
    return data_folder() / "ollama"


def keys_folder() -> Path:
    """The folder of the keys of providers and servers that are stored."""
    return data_folder() / "keys"


def logs_folder() -> Path:
    return data_folder() / "logs"


def user_units_folder(environ: Mapping[str, str]) -> Path:
    """The folder of this user's own units of systemd: systemd.unit(5), "User Unit Search Path"."""
    config = environ.get("XDG_CONFIG_HOME", "")
    own = Path(config) if config.startswith("/") else Path(environ.get("HOME", "/")) / ".config"
    return own / "systemd/user"


def is_file(path: Path) -> bool:
    """Whether a file is there; not if its folder cannot be searched."""
    try:
        return path.is_file()
    except OSError:
        return False
