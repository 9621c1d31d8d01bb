"""The settings: one TOML file, then the environment, then the command line.

What is wrong is never fatal: each problem becomes one sentence that names its place, and the rest applies.
`llmstack_tui.config.loading` reads them; here is only what they are, for every command imports it.
"""

from llmstack_tui.base.durations import parse_duration
from llmstack_tui.base.kinds import ENGINE_CHOICES, EngineChoice
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import (
    THEMES,
    EngineSettings,
    GuardSettings,
    HardwareSettings,
    Settings,
    Theme,
    UiSettings,
    UpdatesSettings,
)

__all__ = [
    "ENGINE_CHOICES",
    "THEMES",
    "EngineChoice",
    "EngineSettings",
    "GuardSettings",
    "HardwareSettings",
    "HostSettings",
    "Settings",
    "Theme",
    "UiSettings",
    "UpdatesSettings",
    "parse_duration",
]
