"""This machine, for the commands that ask what there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Invocation
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hardware.readings import MachineReading


def read_machine() -> MachineReading:
    """What it is and has now. Blocking."""
    from llmstack_tui.hardware.machine import Machine

    machine = Machine()
    try:
        return machine.read()
    finally:
        machine.close()


def this_machine(call: Invocation) -> tuple[MachineReading, Profile]:
    """The same, and the profile that the settings name, else its own. Blocking.

    Raises:
        UnknownProfile: when the settings name one that there is not.
    """
    from llmstack_tui.hardware.profile import detect, named

    reading = read_machine()
    chosen = call.settings.hardware.profile
    return reading, named(chosen, reading) if chosen else detect(reading)
