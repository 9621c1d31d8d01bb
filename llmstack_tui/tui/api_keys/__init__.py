"""The keys of providers and servers: added, validated, replaced and removed, and never shown.

The folder is not called ``keys``: that is the dashboard's word for those of the keyboard.
"""

from __future__ import annotations

from llmstack_tui.tui.keys import bind
from llmstack_tui.tui.shell import Feature

KEYS = [
    bind("api_keys.add", "a", "add", "Add", "Add the key of a provider or a server"),
    bind("api_keys.validate", "v,enter", "validate", "Validate",
        "Ask the owner whether it accepts the key, and refuses a wrong one"),
    bind("api_keys.rotate", "r", "rotate", "Replace",
        "Type a new key; the old one is dropped once the new one is accepted"),
    bind("api_keys.remove", "x,delete", "remove", "Remove", "Forget the key, after a question"),
    bind("api_keys.close", "escape,q,K", "close", "Back", "Back to the previous screen"),
]  # fmt: skip

FEATURE = Feature(
    name="api_keys",
    label="API keys",
    keys={"Keys of the list of API keys": KEYS},
    screen="screen.ApiKeysScreen",
)
