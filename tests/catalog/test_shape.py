"""The catalogue that the package carries, and that the check of its shape sees what is wrong."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.rules import engine_runs
from llmstack_tui.catalog.service import load_catalog
from llmstack_tui.catalog.types import (
    Attention,
    Catalog,
    Entry,
    File,
    Number,
    PublishedSpeed,
    Quality,
    Text,
    Use,
)
from tests.catalog.shape import RECOMMENDED, faults


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def with_changes(catalog: Catalog, **changes: object) -> list[str]:
    """The faults of the catalogue after its model mistral:7b was changed."""
    changed = {each.name: each for each in catalog.entries}
    changed["mistral:7b"] = replace(changed["mistral:7b"], **changes)  # type: ignore[arg-type]
    return faults(replace(catalog, entries=tuple(changed.values())))


def test_the_catalogue_has_no_faults(catalog: Catalog) -> None:
    assert faults(catalog) == []


def test_every_use_has_several_models(catalog: Catalog) -> None:
    uses = [use for entry in catalog.entries for use in entry.uses]
    assert set(uses) == set(Use)
    assert all(uses.count(use) >= 3 for use in uses)


def test_a_model_that_is_gone_is_missed(catalog: Catalog) -> None:
    rest = tuple(entry for entry in catalog.entries if entry.name not in RECOMMENDED)
    found = faults(replace(catalog, entries=rest))
    assert found == [f"{name} is missing" for name in RECOMMENDED]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "mistral:latest"}, "its first file is 7b"),
        ({"name": "no name at all"}, "cannot be the name of a model"),
        ({"parameters": Text("7B", "somewhere")}, "'somewhere' is no source"),
        ({"license": Text("MIT", "computed: ")}, "is no source"),
        ({"context": Number(32768, "http://example.org")}, "is no source"),
        ({"context": Number(3, "tags")}, "a context of 3"),
        ({"parameters": Text("many", "tags")}, "no number of parameters"),
        ({"parameters": Text("70B", "tags")}, "bits for each parameter"),
        ({"files": (File("7b", 10, "tags"),)}, "bits for each parameter"),
        ({"files": (File("7b", 4_400_000_000, "tags"), File("7b", 4_400_000_000, "tags"))}, "there twice"),
        (
            {
                "files": (
                    File("7b", 8_000_000_000, "tags", "Q4_0"),
                    File("7b-b", 5_000_000_000, "tags", "Q8_0"),
                )
            },
            "more bits in fewer bytes",
        ),
        ({"attention": Attention("litgpt", layers=32, kv_heads=8)}, "half a shape"),
        ({"attention": Attention("litgpt", 32, 8, 128, 128, window=4096)}, "half a shape"),
        ({"attention": Attention("litgpt", 32, 8, 128, -600, 4096, 32)}, "shrinks with the context"),
        ({"speeds": (PublishedSpeed("RTX 4090", 0.0, "tags"),)}, "0.0 tokens a second"),
        ({"architecture": None}, "no architecture"),
        ({"files": ()}, "neither files nor a tag of the cloud"),
        ({"cloud": Text("7b", "tags")}, "'7b' is no tag of the cloud"),
        ({"qualities": (Quality("MMLU-Pro", 101.0, "tags"),)}, "101.0 percent"),
        ({"qualities": (Quality("MMLU-Pro", 60.0, "somewhere"),)}, "'somewhere' is no source"),
        ({"priority": 0}, "no priority"),
        ({"good_for": "Good for all."}, "no short phrase"),
    ],
)
def test_a_fault_is_seen(catalog: Catalog, changes: dict[str, object], fault: str) -> None:
    found = with_changes(catalog, **changes)
    assert any(fault in line for line in found), found


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.convert({"name": "a", "colour": "red"}, Entry)


def test_a_source_is_shown_as_an_address(catalog: Catalog) -> None:
    assert catalog.page("litgpt").startswith("https://github.com/Lightning-AI/litgpt/")
    assert catalog.page("bench#17") == f"{catalog.sources['bench']}#17"
    assert catalog.page("https://example.org/#part") == "https://example.org/#part"
    assert catalog.page("computed: from the size") == "computed: from the size"


def test_the_engine_knows_the_architectures_that_it_is_said_to_run(catalog: Catalog) -> None:
    found = find_spec("xllamacpp")
    if found is None or found.origin is None:
        pytest.skip("the engine is not installed here")
    library = next(Path(found.origin).parent.glob("*.so")).read_bytes()
    wanted = {
        entry.architecture.value for entry in catalog.entries if entry.architecture and engine_runs(entry)
    }
    assert len(wanted) > 10
    assert {name for name in wanted if f"{name}\0".encode() not in library} == set()
