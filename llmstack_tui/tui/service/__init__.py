"""Ollama and the built-in engine as services of this machine."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("service.start", "a", "act_on('service.start')", "Start", "Start it, and wait until it answers"),
    bind("service.stop", "d", "act_on('service.stop')", "Stop",
        "Stop it when its running requests have ended; asks first. Again while it waits: at once"),
    bind("service.restart", "R", "act_on('service.restart')", "Restart",
        "Stop it when its running requests have ended, and start it again; asks first"),
    bind("service.enable", "e", "act_on('service.enable')", "At login",
        "Have it start by itself, at login or with the machine, or no longer"),
    bind("service.log", "l", "log", "Log", "What it writes, and what that means"),
    hidden("service.look", "r", "act('service.look')", "Look", "Look again now"),
    bind("service.close", "escape,q,s", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="service",
    label="Service",
    keys={"Keys of the services": KEYS},
    screen="screen.ServiceScreen",
    controller="actions.ServiceController",
)
