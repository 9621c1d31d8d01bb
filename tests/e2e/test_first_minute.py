"""The first minute of somebody who has no model: five keys until one is active and its address copied."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.registry import serving
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
KEYS = ("enter", "right", "enter", "a", "y")
# In each language: the empty list, the question, what follows the download, and what follows the load.
TEXTS = {
    "en": (
        ("No models here yet. These suit this machine:", "↵ downloads the model under the cursor"),
        ("to download", "it fits here", "Download it"),
        ("Press a to load it into memory.",),
        ("It answers at {url}/v1: y copies this address.", "llmstack chat {name}"),
    ),
    "es": (
        ("Aún no hay modelos. Estos van bien en esta máquina:", "↵ descarga el modelo bajo el cursor"),
        ("que descargar", "cabe aquí", "Descargarlo"),
        ("Pulsa a para cargarlo en memoria.",),
        ("Responde en {url}/v1: y copia esta dirección.", "llmstack chat {name}"),
    ),
}


@pytest.mark.parametrize(("language", "size"), [("en", (120, 40)), ("es", (80, 24))])
def test_five_keys_from_an_empty_machine_to_an_active_model_and_its_address(
    environment: Mapping[str, str], engine_url: str, tiny_model: Path, language: str, size: tuple[int, int]
) -> None:
    empty, question, downloaded, active = TEXTS[language]
    with serving() as registry:
        published = registry.publish("library/tiny", tiny_model)
        name = registry.listed("library/tiny")
        command = (sys.executable, "-m", "tests.e2e.own_catalog", name, str(published.size))
        settings = {**environment, "LLMSTACK_UI_LANGUAGE": language}
        with Terminal(command, settings, columns=size[0], rows=size[1], cwd=ROOT) as terminal:
            keys = iter(KEYS)
            terminal.wait_for(*empty)
            assert not registry.asked, "nothing is asked before a key is pressed"
            terminal.press(next(keys))
            terminal.wait_for(*question)
            terminal.press(next(keys), next(keys))
            terminal.wait_for("library/tiny:latest", *downloaded)
            assert "●" not in _rows(terminal, "tiny:latest")
            terminal.press(next(keys))
            terminal.wait_for(*(text.format(url=engine_url, name=name) for text in active))
            assert "●" in _rows(terminal, "tiny:latest")
            terminal.press(next(keys))
            terminal.until(lambda: f"{engine_url}/v1" in _copied(terminal), 10)
            assert _copied(terminal) == [f"{engine_url}/v1"]
            assert next(keys, None) is None
            with httpx.Client(base_url=_copied(terminal)[0], timeout=30, trust_env=False) as http:
                asked = {"model": name, "messages": [{"role": "user", "content": "Hi"}]}
                assert http.post("/chat/completions", json=asked).json()["choices"]
            terminal.press("q")
            assert terminal.wait_exit() == 0


def _rows(terminal: Terminal, text: str) -> str:
    return "\n".join(line for line in terminal.text.splitlines() if text in line)


def _copied(terminal: Terminal) -> list[str]:
    """What the program put on the clipboard, by the sequence OSC 52."""
    return [
        base64.b64decode(each).decode() for each in re.findall(r"\x1b\]52;c;([^\x07]+)\x07", terminal.written)
    ]
