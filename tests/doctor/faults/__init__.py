"""For each check of the doctor a fault on a made-up machine, and how a person mends it.

Each is a generator: it makes the fault and yields, and after that does what the finding says. One that
`llmstack doctor --fix` mends has nothing after the ``yield`` but what ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.doctor.faults import cards, disk, machine, servers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import pytest

    from tests.doctor.checkups import Surroundings

    Fault = Callable[[Surroundings, pytest.MonkeyPatch], AsyncGenerator[None, None]]

FAULTS: dict[str, Fault] = {
    "server.any": servers.nothing_runs,
    "server.answers": servers.dead_host,
    "server.latency": servers.slow_server,
    "server.port": servers.taken_port,
    "server.open": servers.open_server,
    "server.settings": servers.waiting_variable,
    "server.context": servers.small_context,
    "ollama.installed": servers.no_ollama,
    "ollama.start": servers.slow_start,
    "engine.usable": servers.no_engine,
    "engine.answers": servers.hung_engine,
    "gpu.driver": cards.no_driver,
    "gpu.used": cards.unused_card,
    "gpu.asleep": cards.sleeping_card,
    "gpu.container": cards.closed_container,
    "gpu.engine": cards.other_build,
    "mac.system": machine.old_macos,
    "mac.memory": machine.greedy_graphics,
    "disk.space": disk.full_disk,
    "disk.models": disk.damaged_model,
    "disk.leftovers": disk.leftovers,
    "disk.noprune": disk.no_prune,
    "settings.file": disk.wrong_settings,
    "state.file": disk.damaged_state,
    "net.registry": machine.dead_registry,
    "net.proxy": machine.proxy_in_the_way,
    "net.clock": machine.wrong_clock,
    "system.files": machine.few_files,
    "program.python": machine.other_python,
    "program.packages": machine.old_package,
    "terminal.colours": machine.few_colours,
    "terminal.unicode": machine.other_encoding,
    "terminal.mouse": machine.no_mouse,
    "terminal.size": machine.small_terminal,
    "terminal.clipboard": machine.deaf_tmux,
}
