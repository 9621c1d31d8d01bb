"""Where an Ollama on this machine keeps its models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.library import manifest as layout

if TYPE_CHECKING:
    from collections.abc import Mapping


def ollama_models_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where an Ollama on this machine may keep models, as far as this user may look."""
    places = [environ.get("OLLAMA_MODELS", "").strip(" \"'")]
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if home:
        places.append(os.path.join(home, ".ollama", "models"))  # noqa: PTH118 — joined before it is known to be a path
    if os.name == "posix":
        # The home of the user that Ollama's installer for Linux makes.
        places.append("/usr/share/ollama/.ollama/models")
    folders = dict.fromkeys(Path(place) for place in places if place)
    return tuple(
        folder for folder in folders if os.access(layout.manifests_folder(folder), os.R_OK | os.X_OK)
    )
