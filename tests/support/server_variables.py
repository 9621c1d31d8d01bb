"""Ollama's variables on a machine with a card of 8 GB, as a unit of systemd sets them."""

from __future__ import annotations

from pathlib import Path

from llmstack_tui.hardware.profile import detect
from llmstack_tui.variables.rules.rows import rows
from llmstack_tui.variables.rules.suggestions import suggestions
from llmstack_tui.variables.types import FileForm, Origin, Overview, OwnFile, ServerFound, ValueSource
from tests.support import seeded

FILE = Path("/etc/systemd/system/ollama.service.d/llmstack.conf")
UNIT = "/etc/systemd/system/ollama.service"


def overview() -> Overview:
    """One variable is set and not in force, and another one suits the machine better."""
    machine = seeded.on_card(seeded.typical()).machine
    assert machine is not None
    settings = (
        ("OLLAMA_KEEP_ALIVE", ValueSource(Origin.UNIT, "5m", UNIT)),
        ("OLLAMA_MAX_QUEUE", ValueSource(Origin.DROP_IN, "64", f"{UNIT}.d/override.conf")),
    )
    server = ServerFound(pid=7, environ={"OLLAMA_KEEP_ALIVE": "5m"}, settings=settings)
    return Overview(
        rows=rows(server, suggestions(detect(machine))),
        url=seeded.URL,
        pid=7,
        target=OwnFile(form=FileForm.DROP_IN, file=FILE, is_user=False, needs_root=True),
    )
