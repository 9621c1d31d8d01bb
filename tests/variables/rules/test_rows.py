"""What is in force, where it comes from, and what suits a machine."""

from __future__ import annotations

import pytest

from llmstack_tui.hardware.profile import detect, named
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading
from llmstack_tui.variables.rules.rows import rows
from llmstack_tui.variables.rules.suggestions import suggestions
from llmstack_tui.variables.types import Origin, ServerFound, Standing, ValueSource, VariableRow

_GIB = 2**30
OURS = ("OLLAMA_KEEP_ALIVE", ValueSource(Origin.OURS, "10m", "llmstack.conf"))
UNIT = ("OLLAMA_KEEP_ALIVE", ValueSource(Origin.UNIT, "600", "ollama.service"))


def keep_alive(**found: object) -> VariableRow:
    return next(
        each
        for each in rows(ServerFound(**found), {})  # type: ignore[arg-type]
        if each.name == "OLLAMA_KEEP_ALIVE"
    )


@pytest.mark.parametrize(
    ("found", "value", "origin", "standing"),
    [
        ({}, None, Origin.UNKNOWN, Standing.FINE),
        ({"pid": 1}, None, Origin.UNKNOWN, Standing.FINE),
        ({"pid": 1, "environ": {}}, "5m", Origin.DEFAULT, Standing.FINE),
        ({"pid": 1, "environ": {"OLLAMA_KEEP_ALIVE": "1h"}}, "1h", Origin.PROCESS, Standing.UNSET),
        ({"pid": 1, "environ": {}, "settings": (OURS,)}, "5m", Origin.DEFAULT, Standing.IDLE),
        (
            {"pid": 1, "environ": {"OLLAMA_KEEP_ALIVE": "600"}, "settings": (UNIT, OURS)},
            "10m", Origin.OURS, Standing.FINE,
        ),
        (
            {"pid": 1, "logged": {"OLLAMA_KEEP_ALIVE": "10m0s"}, "settings": (UNIT,)},
            "10m", Origin.UNIT, Standing.FINE,
        ),
        ({"pid": 1, "logged": {"OLLAMA_KEEP_ALIVE": "1h0m0s"}}, "1h", Origin.PROCESS, Standing.FINE),
    ],
)  # fmt: skip
def test_a_value_and_its_origin(
    found: dict[str, object], value: str | None, origin: Origin, standing: Standing
) -> None:
    row = keep_alive(**found)
    assert (row.value, row.origin, row.standing) == (value, origin, standing)


def test_a_variable_that_the_table_lacks_is_listed_and_one_that_the_server_lacks_is_said() -> None:
    found = ServerFound(pid=1, environ={"OLLAMA_NEW": "1", "PATH": "x"}, logged={"OLLAMA_HOST": "http://a:1"})
    by_name = {each.name: each for each in rows(found, {})}
    assert by_name["OLLAMA_NEW"].value == "1"
    assert "PATH" not in by_name
    assert by_name["OLLAMA_HOST"].is_known
    assert not by_name["OLLAMA_IGPU_ENABLE"].is_known


def test_a_value_that_ollama_ignores_is_said() -> None:
    row = keep_alive(pid=1, environ={"OLLAMA_KEEP_ALIVE": "1d"})
    assert (row.value, row.fault.kind if row.fault else "") == ("5m", "variables.no_duration")


def suggested(
    total: int, kind: DeviceKind = DeviceKind.NVIDIA, sizes: tuple[int, ...] = ()
) -> dict[str, str]:
    ram = Device(kind=DeviceKind.RAM, id="ram", name="RAM", total=32 * _GIB)
    cards = () if kind is DeviceKind.RAM else (Device(kind=kind, id="0", name="Card", total=total),)
    profile = detect(MachineReading(taken_at=0, ram=ram, devices=cards))
    return {name.removeprefix("OLLAMA_"): each.value for name, each in suggestions(profile, sizes).items()}


def test_a_card_of_8_gb() -> None:
    assert suggested(8 * _GIB) == {
        "CONTEXT_LENGTH": "8192",
        "FLASH_ATTENTION": "1",
        "KV_CACHE_TYPE": "q8_0",
        "MAX_LOADED_MODELS": "1",
        "NUM_PARALLEL": "1",
    }


def test_larger_machines_and_none() -> None:
    large = suggested(48 * _GIB)
    assert (large["CONTEXT_LENGTH"], large["MAX_LOADED_MODELS"]) == ("65536", "2")
    assert "KV_CACHE_TYPE" not in large
    assert suggested(48 * _GIB, sizes=(30 * _GIB, 40 * _GIB))["MAX_LOADED_MODELS"] == "1"
    cpu = suggested(0, DeviceKind.RAM)
    assert (cpu["CONTEXT_LENGTH"], "FLASH_ATTENTION" in cpu) == ("8192", False)
    unknown = Device(kind=DeviceKind.RAM, id="ram", name="RAM")
    assert suggestions(named("cpu", MachineReading(taken_at=0, ram=unknown))) == {}
