"""What is said of services: why one does not start, stop, or start at login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Plural

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    "service.not_installed": "{name} is not installed here: there is nothing to start.",
    "service.ended": "{name} ended at its start. {words}",
    "service.ended_silently": "{name} ended at its start, and its log does not say why.",
    "service.silent": "{name} runs and has not answered within {limit_s:g} s. {words}",
    "service.silent_log": "{name} runs and has not answered within {limit_s:g} s.",
    "service.stays": "{name} (process {pid}) has not ended within {limit_s:g} s.",
    "service.foreign": (
        "Another program has started {name} (process {pid}), and llmstack cannot start it again as it was: "
        "stop it, then start it."
    ),
    "service.of_another": "Process {pid} belongs to {user}, who alone may end it.",
    "service.unknown_manager": "How {name} is kept running cannot be found out. {why}",
    "service.no_manager": "Nothing here starts programs at login: neither systemd nor launchd runs.",
    "service.app_at_login": (
        "Its app starts at login if its own settings, or Login Items in System Settings, say so."
    ),
    "service.not_written": "{file} cannot be written: {why}.",
    "service.crashes": Plural(
        "count",
        one="{unit} has ended by itself, and was started again once.",
        other="{unit} ends by itself again and again: it was started {count} times.",
    ),
    "service.failed": "{unit} ended by itself with exit status {status}.",
    "service.killed": "{unit} was ended by signal {signal}.",
    "service.no_log": "{name} has no log here: it does not run, and was not started before.",
    "service.log_elsewhere": (
        "Another program has started {name} (process {pid}): its log is where that writes it."
    ),
    "service.beside": "{unit} cannot run while process {pid} has its address.",
}
