"""States for tests and screenshots: what a server could have told, frozen."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability, HostKind
from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState, StackState
from llmstack_tui.hardware.profile import Profile, detect
from llmstack_tui.hardware.readings import Device, DeviceKind, MachineReading, Space, Throttle
from llmstack_tui.hosts.types import Model, RunningModel, ServerVersion, Snapshot
from llmstack_tui.lifecycle.states import ModelStatus, statuses

if TYPE_CHECKING:
    from llmstack_tui.lifecycle.actions import Act

URL = "http://127.0.0.1:11434"
ALL = ~Capability(0)
RAM = Device(
    kind=DeviceKind.RAM, id="ram", name="RAM", total=16_500_000_000, used=7_900_000_000, free=8_600_000_000
)
CARD = Device(
    kind=DeviceKind.NVIDIA,
    id="GPU-5d1d9e0c",
    index=0,
    name="NVIDIA GeForce RTX 2070 SUPER",
    total=8_589_934_592,
    used=5_600_000_000,
    free=2_790_000_000,
    utilization_percent=37,
    temperature=61,
    power=118.25,
    power_limit=215,
    throttles=(),
    driver="575.64.03",
    cuda="12.9",
)
HOT_CARD = replace(
    CARD,
    id="GPU-7a2b1c3d",
    index=1,
    name="NVIDIA GeForce RTX 3060",
    total=12_884_901_888,
    used=12_300_000_000,
    temperature=87,
    power=169.8,
    throttles=(Throttle.HEAT,),
)
HOSTILE_NAMES = (
    "evil/[/red]:latest",
    "model[q4]:latest",
    "\x1b[31mred\x1b[0m:latest",
    "🦙🔥llama-family-👨‍👩‍👧:7b",
    "نموذج-لغوي-كبير:latest",
    "\u202erev:latest",
    "x" * 300 + ":latest",
    "模型" * 60 + ":latest",
    "a\nb\tc:latest",
)


def model(name: str, *, size: int | None = 4_700_000_000, quantization: str | None = "Q4_K_M") -> Model:
    return Model(
        name=name,
        digest=hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest(),
        size=size,
        modified_at=datetime(2025, 10, 3, 12, tzinfo=UTC),
        format="gguf",
        family="qwen2",
        parameters="7.6B",
        quantization=quantization,
    )


def running(of: Model, *, seconds: float = 252, requests: int | None = None) -> RunningModel:
    return RunningModel(
        name=of.name,
        digest=of.digest,
        size=5_100_000_000,
        size_vram=0,
        expires_at=datetime.now(UTC) + timedelta(seconds=seconds),
        context_length=4096,
        requests=requests,
    )


def snapshot(
    models: tuple[Model, ...] = (),
    loaded: tuple[RunningModel, ...] = (),
    *,
    kind: HostKind = HostKind.OLLAMA,
    read_at: float | None = 1000.0,
    url: str = URL,
) -> Snapshot:
    version = ServerVersion(kind=kind, version="0.24.0" if kind is HostKind.OLLAMA else "0.1.0")
    return Snapshot(
        url=url, capabilities=ALL, server=version, installed=models, running=loaded, read_at=read_at
    )


def models_of(of: Snapshot, acts: tuple[Act, ...] = ()) -> tuple[ModelStatus, ...]:
    """As the stack tells them, and busy where the server counts requests."""
    return tuple(
        replace(each, busy=bool(each.running and each.running.requests)) for each in statuses(of, acts)
    )


def state(of: Snapshot, acts: tuple[Act, ...] = ()) -> StackState:
    return StackState(hosts=(HostState(of, models_of(of, acts)),), machine=machine(), acts=acts)


def machine(
    *devices: Device, ram: Device = RAM, taken_at: float | None = None, swap: Space | None = None
) -> MachineReading:
    """A reading of this moment, or of ``taken_at`` in monotonic seconds."""
    return MachineReading(
        taken_at=time.monotonic() if taken_at is None else taken_at,
        ram=ram,
        devices=devices,
        swap=swap,
        disk=Space(total=500_000_000_000, used=380_000_000_000),
    )


def two_cards() -> StackState:
    """A typical one with two NVIDIA cards, the second of them hot; one model fell back to the CPU in part."""
    found = typical()
    of = found.hosts[0].snapshot
    coder, tiny = of.running
    of = replace(
        of,
        running=(
            replace(coder, size_vram=3_200_000_000, pid=4101),
            replace(tiny, size_vram=tiny.size, pid=4102),
        ),
    )
    cards = (
        replace(CARD, processes={4101: 3_300_000_000, 4102: 190_000_000, 900: 400_000_000}),
        replace(HOT_CARD, processes={5000: 11_900_000_000}),
    )
    return replace(state(of), machine=machine(*cards), profile=profile("nvidia_20gb", 1_500_000_000))


def on_card(found: StackState) -> StackState:
    """The same models on a machine with one card of 8 GB."""
    of, reading = found.hosts[0].snapshot, machine(CARD)
    of = replace(of, running=tuple(replace(each, size_vram=each.size) for each in of.running))
    return replace(state(of), machine=reading, profile=detect(reading))


def profile(name: str, reserve: int) -> Profile:
    return Profile(
        name=name,
        max_loaded=2,
        memory_budget=None,
        reserve=reserve,
        context_length=4096,
        cache_type="f16",
        memory_word="VRAM",
        reason=quoted("Two cards."),
    )


def many(count: int) -> StackState:
    return state(snapshot(tuple(model(f"model-{number:04}:latest") for number in range(count))))


def typical() -> StackState:
    """A list as somebody has it, with every mark on it."""
    coder = model("qwen2.5-coder:7b")
    tiny = model("smollm2:135m", size=98_000_000, quantization="Q4_1")
    cloud = replace(
        model("gpt-oss:120b-cloud", size=None, quantization=None),
        remote_host="https://ollama.com",
        remote_model="gpt-oss:120b",
    )
    others = (
        model("mistral:7b", size=4_100_000_000, quantization="Q4_0"),
        model("llama3.2-vision:11b-instruct-q4_K_M", size=7_900_000_000),
        model("nomic-embed-text:latest", size=274_000_000, quantization="F16"),
        model("phi4:14b", size=9_100_000_000),
        cloud,
    )
    return state(
        snapshot(
            (coder, tiny, *others),
            (running(coder), replace(running(tiny, seconds=3, requests=1), size=180_000_000)),
        )
    )
