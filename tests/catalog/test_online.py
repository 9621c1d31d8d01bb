"""The search on Hugging Face, over real HTTP: what it asks, what it finds, and every wrong answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.sentences import Failure
from llmstack_tui.catalog.rules import EntryFit, engine_runs, fit
from llmstack_tui.catalog.service import CatalogService
from llmstack_tui.core.wording import words
from tests.support.hub import GB, FakeHub, Said, serving_hub
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ID = "bartowski/Llama-3.2-1B-Instruct-GGUF"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving_hub() as hub:
        yield hub


@pytest.fixture
async def browsing(hub: FakeHub) -> AsyncIterator[CatalogService]:
    service = CatalogService(online_url=hub.url)
    yield service
    await service.aclose()


async def test_what_is_found_has_what_the_hub_knows(hub: FakeHub, browsing: CatalogService) -> None:
    hub.has(ID)
    hub.has("someone/Other-GGUF", gated="manual", total=None, architecture=7, context_length=-1)
    found = await browsing.search("gguf")
    assert not found.are_more
    first, second = found.found
    assert (first.id, first.architecture, first.parameters) == (ID, "llama", 1_235_814_432)
    assert (first.context_length, first.downloads, first.is_gated) == (131072, 1000, False)
    assert (second.is_gated, second.parameters, second.architecture, second.context_length) == (
        True,
        None,
        "",
        None,
    )
    (asked,) = hub.asked
    assert asked.startswith("/api/models?search=gguf&filter=gguf&sort=downloads&limit=50&")


async def test_a_repository_is_an_entry_with_its_quantizations(
    hub: FakeHub, browsing: CatalogService
) -> None:
    hub.has(
        ID,
        ("README.md", 5000),
        ("Llama-3.2-1B-Instruct-Q8_0.gguf", 1_321_082_880),
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", 807_694_464),
        ("Llama-3.2-1B-Instruct-IQ3_M.gguf", 657_289_344),
        ("mmproj-model-f16.gguf", 600_000_000),
        ("Llama-3.2-1B-Instruct.imatrix", 1_000),
    )
    entry = await browsing.repository(ID)
    assert entry.name == f"hf.co/{ID}:Q4_K_M"
    assert [entry.name_to_pull(file) for file in entry.files] == [
        f"hf.co/{ID}:Q4_K_M",
        f"hf.co/{ID}:IQ3_M",
        f"hf.co/{ID}:Q8_0",
    ]
    assert [file.bytes for file in entry.files] == [807_694_464, 657_289_344, 1_321_082_880]
    assert (entry.size, entry.most_tokens, engine_runs(entry)) == ("1.24B", 131072, True)
    assert [fit(entry, entry.file, room) for room in (8 * GB, 3 * GB // 2, GB // 2)] == [
        EntryFit.LONG,
        EntryFit.SHORT,
        EntryFit.NO,
    ]
    assert hub.asked == [f"/api/models/{ID}?blobs=true"]


@pytest.mark.parametrize("architecture", ["flux", "clip"])
async def test_what_is_no_language_model_runs_nowhere_here(
    hub: FakeHub, browsing: CatalogService, architecture: str
) -> None:
    hub.has(ID, ("a-Q4_0.gguf", GB), architecture=architecture)
    assert not engine_runs(await browsing.repository(ID))


async def test_the_parts_of_a_split_file_are_one_of_their_size_together(
    hub: FakeHub, browsing: CatalogService
) -> None:
    hub.has(
        ID,
        ("Q8_0/big-Q8_0-00001-of-00002.gguf", 40 * GB),
        ("Q8_0/big-Q8_0-00002-of-00002.gguf", 30 * GB),
        ("Q6_K/big-Q6_K-00001-of-00002.gguf", 40 * GB),  # The second part is not there.
        ("big-Q4_K_M.gguf", 40 * GB),
    )
    files = (await browsing.repository(ID)).files
    assert [(file.tag, file.bytes, file.parts) for file in files] == [
        ("Q4_K_M", 40 * GB, 1),
        ("Q8_0", 70 * GB, 2),
    ]


async def test_two_files_of_one_quantization_are_told_apart_by_their_names(
    hub: FakeHub, browsing: CatalogService
) -> None:
    hub.has(
        ID,
        ("a-q4_0.gguf", GB),
        ("b-Q4_0.gguf", 2 * GB),
        ("a-UD-Q4_K_XL.gguf", 3 * GB),
        ("plain.gguf", 4 * GB),
    )
    files = (await browsing.repository(ID)).files
    assert [(file.tag, file.quantization) for file in files] == [
        ("q4_0", "Q4_0"),
        ("b-Q4_0.gguf", "Q4_0"),
        ("UD-Q4_K_XL", "UD-Q4_K_XL"),
        ("plain.gguf", None),
    ]


async def test_of_ten_thousand_a_hundred_are_asked_for(hub: FakeHub, browsing: CatalogService) -> None:
    for number in range(10_000):
        hub.has(f"someone/model-{number}")
    found = await browsing.search("model")
    assert [each.id for each in found.found] == [f"someone/model-{number}" for number in range(100)]
    assert found.are_more
    assert len(hub.asked) == 2
    # Only the cursor of the next page is trusted.
    assert "cursor=50" in hub.asked[1]
    assert "limit=50" in hub.asked[1]
    assert "9999" not in hub.asked[1]


async def test_a_hub_that_sends_all_at_once_is_cut_short(hub: FakeHub, browsing: CatalogService) -> None:
    many = ",".join(f'{{"id":"someone/model-{number}"}}' for number in range(10_000))
    hub.instead = Said(body=f"[{many}]".encode())
    found = await browsing.search("model")
    assert (len(found.found), found.are_more) == (100, True)


async def test_nothing_found_is_an_empty_list(browsing: CatalogService) -> None:
    found = await browsing.search("nothing")
    assert (found.found, found.are_more) == ((), False)


@pytest.mark.parametrize(
    "id_", ["../../etc/passwd", "a/b/c", "[red]a[/red]/b", "a b/c", "a/b?x=1", "plain", "a/\x1b[31m"]
)
async def test_names_with_odd_characters_are_left_out_and_refused(
    hub: FakeHub, browsing: CatalogService, id_: str
) -> None:
    hub.has(id_, ("a-Q4_0.gguf", GB))
    hub.has(ID)
    found = await browsing.search("")
    assert [each.id for each in found.found] == [ID]
    with pytest.raises(Failure) as caught:
        await browsing.repository(id_)
    assert f"is no name of a repository of {hub.url.removeprefix('http://')}." in words(caught.value)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            Said(429, b"", {"Retry-After": "90"}),
            "127.0.0.1:{port} has been asked too often: try again in 90\N{NO-BREAK SPACE}s.",
        ),
        (
            Said(200, b"<!DOCTYPE html><p>Log in", {"Content-Type": "text/html"}),
            "answered with a web page: is a proxy or a log-in",
        ),
        (Said(200, b"nonsense"), "answered with something else than a list of models: try again later."),
        (
            Said(200, b'{"error": "no"}'),
            "answered with something else than a list of models: try again later.",
        ),
        (Said(200, b'[{"id": 5}]'), "answered with something else than a list of models: try again later."),
        (Said(200, b"[" * 5000), "answered with something else than a list of models: try again later."),
        (Said(200, b" " * (9 * 2**20)), "sent more than 8\N{NO-BREAK SPACE}MB: that is not read."),
        (Said(500, b""), "failed (status 500): try again later."),
        (Said(404, b""), "gave no answer that can be used (status 404): try again later."),
        (Said(302, b"", {"Location": "/api/models?again"}), "redirects again and again."),
        (Said(302, b"", {"Location": "ftp://elsewhere/"}), "redirects to an address without encryption."),
    ],
    ids=["429", "page", "nonsense", "object", "number", "deep", "large", "500", "404", "loop", "ftp"],
)
async def test_every_wrong_answer_is_one_sentence(
    hub: FakeHub, browsing: CatalogService, said: Said, sentence: str
) -> None:
    hub.instead = said
    with pytest.raises(Failure) as caught:
        await browsing.search("llama")
    told = words(caught.value)
    assert sentence.format(port=hub.url.rpartition(":")[2]) in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            Said(401),
            "does not show bartowski/Llama-3.2-1B-Instruct-GGUF (status 401): it is private, or not there.",
        ),
        (Said(404), "has no model bartowski/Llama-3.2-1B-Instruct-GGUF."),
        (
            Said(200, b"[]"),
            "answered with something else than what it has of bartowski/Llama-3.2-1B-Instruct-GGUF",
        ),
        (
            Said(200, b'{"id": "x/y", "siblings": [{"rfilename": "model.safetensors", "size": 5}]}'),
            "has no GGUF file.",
        ),
    ],
    ids=["private", "gone", "list", "safetensors"],
)
async def test_a_repository_that_cannot_be_had_is_one_sentence(
    hub: FakeHub, browsing: CatalogService, said: Said, sentence: str
) -> None:
    hub.instead = said
    with pytest.raises(Failure) as caught:
        await browsing.repository(ID)
    assert sentence in words(caught.value)


async def test_a_redirect_is_followed(hub: FakeHub, browsing: CatalogService) -> None:
    with serving_hub() as moved:
        moved.has(ID)
        hub.instead = Said(307, b"", {"Location": f"{moved.url}/api/models?search=a&limit=50"})
        assert [each.id for each in (await browsing.search("llama")).found] == [ID]


async def test_a_search_that_hangs_is_given_up(hub: FakeHub, browsing: CatalogService) -> None:
    hub.hangs = True
    asking = asyncio.create_task(browsing.search("llama"))
    await wait_until(lambda: hub.asked)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_nothing_is_asked_for_the_catalogue_itself(hub: FakeHub, browsing: CatalogService) -> None:
    await browsing.catalog()
    assert hub.asked == []
