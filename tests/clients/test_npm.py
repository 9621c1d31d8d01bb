"""The packages for JavaScript, by a script that node runs; npm fetches them into a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.calling import REPLY
from tests.support.gguf import models

if TYPE_CHECKING:
    from tests.support.engine import Serving

PACKAGES = ("ollama@0.6.4", "openai@7.59.0", "@anthropic-ai/sdk@1.14.0")
SCRIPT = Path(__file__).with_name("packages.mjs")


@pytest.mark.timeout(300)
def test_packages(engine: Serving, tmp_path: Path) -> None:
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", tmp_path, *PACKAGES], check=True)
    script = shutil.copy(SCRIPT, tmp_path)
    said = (engine.url, models.ANSWER, REPLY)
    subprocess.run(["node", script, *said], check=True, cwd=tmp_path, timeout=100)
