"""What the doctor found on this machine, and how to mend it."""

from __future__ import annotations

from llmstack_tui.tui.keys import bind, hidden
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("system.open", "enter,space", "open", "Show", "What was seen, and what to do; again: fold it"),
    bind("system.fix", "f", "act_on('system.fix')", "Fix",
        "Carry out the fix of the finding under the cursor, after a question; or open the screen for it"),
    bind("system.copy", "y", "copy", "Copy",
        "Copy the command that mends the finding under the cursor, or else what is said of it"),
    hidden("system.take_back", "u", "act('system.take_back')", "Undo",
        "Take the last fix back, where possible"),
    bind("system.variables", "o", "go('variables')", "Server settings",
        "The variables of Ollama: what is in force, and what suits this machine"),
    bind("system.look", "r", "act('system.look')", "Examine", "Examine the installation again now"),
    bind("system.install", "i", "go('install')", "Install",
        "Install Ollama or the built-in engine, and choose between versions of Ollama"),
    bind("system.service", "s", "go('service')", "Service",
        "Ollama and the built-in engine: start, stop, restart, start at login"),
    bind("system.api_keys", "K", "go('api_keys')", "API keys",
        "The keys of providers and servers: add, validate, replace, remove"),
    bind("system.log", "l", "go('log')", "Log", "What Ollama or the engine writes, and what it means"),
    bind("system.close", "escape,q,0", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="system",
    label="System",
    keys={"Keys of the system": KEYS},
    opened_by=hidden("app.system", "0", "open('system')", "System",
        "What is wrong with this installation, why, and how to mend it"),
    screen="screen.SystemScreen",
    controller="actions.SystemController",
)  # fmt: skip
