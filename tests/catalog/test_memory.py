"""The memory of a model before it is there: against sums by hand."""

from __future__ import annotations

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.rules import LONG, SHORT, EntryFit, Hardware, engine_runs, estimate, fit, hardware
from llmstack_tui.catalog.types import Attention, Entry, EntryKind, File, Number, Text, Use
from llmstack_tui.fit.memory import Basis

MIB = 2**20
# Llama 3.1 8B, whose cache at f16 is known to take 128 KiB a token.
LLAMA = Attention("", layers=32, kv_heads=8, key=128, value=128)


def entry(attention: Attention | None, *, context: int = 131072, size: int = 4_900_000_000) -> Entry:
    return Entry(
        name="x",
        family="X",
        uses=(Use.GENERAL,),
        good_for="tests",
        priority=1,
        parameters=Text("8B", ""),
        context=Number(context, ""),
        files=(File("latest", size, ""),),
        attention=attention,
    )


def cache(attention: Attention, context: int, cache_type: str = "f16", *, made_for: int = 131072) -> int:
    model = entry(attention, context=made_for)
    known = estimate(model, model.files[0], context, cache_type)
    assert known is not None
    assert known.parts is not None
    return known.parts.cache


def test_each_token_has_its_keys_and_values() -> None:
    assert cache(LLAMA, 8192) == 8192 * 128 * 1024


def test_a_smaller_cache_type_takes_less() -> None:
    assert cache(LLAMA, 8192, "q8_0") == 8192 * 128 * 1024 * 17 // 32
    assert cache(LLAMA, 8192, "q4_0") == 8192 * 128 * 1024 * 9 // 32


def test_layers_with_a_window_keep_no_more_than_that() -> None:
    gemma = Attention("", layers=34, kv_heads=4, key=256, value=256, window=1024, window_layers=29)
    token = 4 * 512 * 2
    # With a batch of 512 tokens beside the window, and a copy of the window.
    assert cache(gemma, 32768) == (5 * 32768 + 29 * (1536 + 1024)) * token
    assert cache(gemma, 512) == (34 + 29) * 512 * token


def test_keys_and_values_may_differ() -> None:
    deepseek = Attention("", layers=27, kv_heads=16, key=192, value=128)
    assert cache(deepseek, 4096) == 1080 * MIB


def test_a_model_keeps_no_more_than_it_was_made_for() -> None:
    assert cache(LLAMA, 32768, made_for=2048) == cache(LLAMA, 2048)


def test_an_encoder_keeps_nothing() -> None:
    assert cache(Attention("", encoder=True), 4096) == 0


@pytest.mark.parametrize(
    ("size", "compute"),
    [(46_000_000, 32 * MIB), (2_000 * MIB, 200 * MIB), (40_000_000_000, 512 * MIB)],
)
def test_buffers_for_computing_take_a_share_of_the_weights(size: int, compute: int) -> None:
    model = entry(LLAMA, size=size)
    known = estimate(model, model.files[0], SHORT)
    assert known is not None
    assert known.parts is not None
    mask = SHORT * 512 * 2
    assert (known.parts.weights, known.parts.compute) == (size, compute + mask)
    assert known.total == size + compute + mask + known.parts.process + SHORT * 128 * 1024


def test_what_fits_depends_on_the_budget() -> None:
    model = entry(LLAMA)
    totals = [known.total for length in (SHORT, LONG) if (known := estimate(model, model.files[0], length))]
    assert [
        fit(model, model.files[0], budget) for budget in (totals[0] - 1, totals[0], totals[1] - 1, totals[1])
    ] == [
        EntryFit.NO,
        EntryFit.SHORT,
        EntryFit.SHORT,
        EntryFit.LONG,
    ]
    assert fit(model, model.files[0], None) is EntryFit.UNKNOWN


def test_without_a_shape_the_size_of_the_file_tells() -> None:
    model = entry(None)
    known = estimate(model, model.files[0], SHORT)
    assert known is not None
    assert known.basis is Basis.FILE_SIZE
    assert known.total > model.files[0].bytes
    assert fit(model, model.files[0], known.total - 1) is EntryFit.NO
    assert fit(model, model.files[0], known.total) is EntryFit.SHORT
    assert fit(model, model.files[0], 10 * model.files[0].bytes) is EntryFit.LONG


@pytest.mark.parametrize(
    ("size", "wants"),
    [
        # 4.9 GB of weights and 0.5 GiB of cache: more than 6 GiB less half of one hold.
        (4_900_000_000, Hardware(card_gb=8, ram_gb=8)),
        (600_000_000, Hardware(card_gb=2, ram_gb=4)),
        (70_000_000_000, Hardware(card_gb=72, ram_gb=96)),
        (1_500_000_000_000, Hardware(card_gb=None, ram_gb=None)),
    ],
)
def test_the_hardware_follows_from_the_memory(size: int, wants: Hardware) -> None:
    model = entry(LLAMA, size=size)
    assert hardware(model, model.files[0]) == wants


@pytest.mark.parametrize(
    ("architecture", "uses", "runs"),
    [
        ("llama", (Use.GENERAL,), True),
        ("llama", (Use.GENERAL, Use.VISION), False),
        ("gptoss", (Use.GENERAL,), False),
        ("gemma4", (Use.GENERAL,), False),
        ("lfm2", (Use.GENERAL,), False),
    ],
)
def test_the_engine_runs_what_it_can_load(architecture: str, uses: tuple[Use, ...], *, runs: bool) -> None:
    model = replace(entry(LLAMA), uses=uses, architecture=Text(architecture, ""))
    assert engine_runs(model) is runs
    assert not engine_runs(replace(model, files=(), cloud=Text("cloud", "")))


@pytest.mark.parametrize(
    ("files", "cloud", "kind", "names"),
    [
        (True, None, EntryKind.LOCAL, ("x", "x:latest")),
        (True, "7b-cloud", EntryKind.BOTH, ("x", "x:latest", "x:7b-cloud")),
        (False, "7b-cloud", EntryKind.CLOUD, ("x", "x:7b-cloud")),
    ],
)
def test_where_a_model_runs_follows_from_its_tags(
    files: bool,
    cloud: str | None,
    kind: EntryKind,
    names: tuple[str, ...],
) -> None:
    known = entry(LLAMA)
    model = replace(known, files=known.files if files else (), cloud=Text(cloud, "") if cloud else None)
    assert (model.kind, model.names) == (kind, names)
    assert [kind.has(other) for other in EntryKind] == [
        kind in (EntryKind.LOCAL, EntryKind.BOTH),
        kind in (EntryKind.CLOUD, EntryKind.BOTH),
        kind is EntryKind.BOTH,
    ]
    assert (fit(model, model.file, 1) is EntryFit.NO) is files
