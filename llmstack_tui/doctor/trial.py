"""What came of trying a model out, as a frozen value, and the steps of that."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.hardware.readings import MachineReading
    from llmstack_tui.hosts.types import RunningModel, Snapshot


class Step(StrEnum):
    """What is tried, in this order; the values are ids of findings. EMBEDDING: instead of the two before."""

    SERVICE = "service"
    MODEL = "model"
    LOAD = "load"
    GENERATION = "generation"
    CHAT = "chat"
    EMBEDDING = "embedding"
    LATENCY = "latency"
    SPEED = "speed"
    MEMORY = "memory"


class Trial(Struct, frozen=True, kw_only=True):
    """How far a trial of a model came. What was not measured is None; times are seconds, sizes bytes.

    Attributes:
        name: the model, as the server lists it; or as the user wrote it.
        snapshot: of its server; None if none answered.
        failed: the step that failed, and ``why``; None if none did.
        size: on the disk.
        load_s: None if it was loaded already.
        generated, chatted: tokens of the answers.
        dimensions: of an embedding.
        first_token_s: from the request to the first piece of an answer.
        running: as the server lists it when it is loaded.
        device: the bytes that it takes by the devices or the system.
    """

    name: str
    snapshot: Snapshot | None = None
    failed: Step | None = None
    why: Sentences = ()
    size: int | None = None
    load_s: float | None = None
    generated: int | None = None
    chatted: int | None = None
    dimensions: int | None = None
    first_token_s: float | None = None
    tokens_per_second: float | None = None
    running: RunningModel | None = None
    device: int | None = None
    machine: MachineReading | None = None
