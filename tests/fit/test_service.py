"""What installed models are made of, and what they would take: from files, from answers, from their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.names import ModelName
from llmstack_tui.core.options import StackOptions
from llmstack_tui.fit.memory import Basis, Request
from llmstack_tui.fit.subjects import Subjects
from llmstack_tui.gguf.header import read_header
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.hosts.types import Model, ModelDetails, Snapshot
from llmstack_tui.library.creation import Changes
from llmstack_tui.library.library import Library
from llmstack_tui.ollama.client import OllamaHost
from tests.support.fake_ollama import usual_ollama
from tests.support.gguf import models
from tests.support.headers import LLAMA_8B
from tests.support.scripted_server import serving
from tests.support.stacks import following
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:1"


async def refuse(name: str) -> ModelDetails:
    raise Unreachable("quoted", text=f"Nobody tells of {name}.", host=URL)


async def shown(name: str) -> ModelDetails:
    return ModelDetails(name=name, info=LLAMA_8B)


async def test_a_file_of_this_machine_tells_more_than_a_server(tmp_path: Path) -> None:
    file = models.random_weights(tmp_path / "tiny.gguf")
    installed = Library(tmp_path / "models").import_gguf(file, ModelName.parse("tiny"))
    subjects = Subjects([tmp_path / "models"], frozenset())
    model = Model(name="tiny:latest", digest=installed.digest, size=installed.size)
    subject = await subjects.look(URL, model, refuse)
    assert subject.weights is not None
    assert subject.weights.size == read_header(file).weights_size < installed.size
    assert subject.shape is not None
    assert subject.shape.context_length == 2048
    assert subjects.known(URL, model) is subject


async def test_a_model_may_ask_for_a_context_of_its_own(tmp_path: Path) -> None:
    file = models.random_weights(tmp_path / "tiny.gguf")
    library, name = Library(tmp_path / "models"), ModelName.parse("tiny")
    library.import_gguf(file, name)
    library.derive(name, name, Changes(parameters={"num_ctx": 1024, "temperature": 0.5}))
    installed = library.get(name)
    subjects = Subjects([tmp_path / "models"], frozenset())
    usual = Request(context_length=4096)
    model = Model(name="tiny:latest", digest=installed.digest, size=installed.size)
    assert (await subjects.look(URL, model, refuse)).request(usual).context_length == 1024
    for number, (said, tokens) in enumerate(
        (("num_ctx  8192", 8192), ("num_ctx  many", 4096), ("num_ctx  -1", 4096), ("", 4096))
    ):
        elsewhere = Model(name="far:latest", digest=f"{number}" * 64, size=5)
        subjects.told(URL, elsewhere, ModelDetails(name="far", parameters=f"stop  x\n{said}"))
        subject = subjects.known(URL, elsewhere)
        assert subject is not None
        assert subject.request(usual).context_length == tokens


async def test_another_version_of_the_file_tells_nothing(tmp_path: Path) -> None:
    file = models.random_weights(tmp_path / "tiny.gguf")
    Library(tmp_path / "models").import_gguf(file, ModelName.parse("tiny"))
    subjects = Subjects([tmp_path / "models"], frozenset())
    model = Model(name="tiny:latest", digest="f" * 64, size=5)
    assert (await subjects.look(URL, model, refuse)).shape is None
    # It failed once, and is asked again.
    assert subjects.known(URL, model) is None
    assert (await subjects.look(URL, model, shown)).shape is not None
    assert subjects.known(URL, model) is not None


async def test_names_that_are_no_paths_are_never_looked_for(tmp_path: Path) -> None:
    subjects = Subjects([tmp_path], frozenset())
    for name in ("../../etc/passwd", "", "a\0b", "x" * 5000):
        subjects.read(URL, [Model(name=name, digest="a" * 64)])
        assert subjects.known(URL, Model(name=name, digest="a" * 64)) is None


async def test_a_stack_weighs_what_is_installed_and_again_when_a_server_tells_more() -> None:
    server = usual_ollama("llama:8b", "far:cloud", info=LLAMA_8B)
    server.cloud.add("far:cloud")
    async with serving(server) as at:
        asked = Request(context_length=8192)
        async with following(
            [OllamaHost(at.url)],
            StackOptions(running_every_s=0.05, machine_every_s=0.05, usual=lambda: asked),
        ) as stack:
            await wait_until(lambda: stack.state.hosts[0].fits, timeout_s=20)
            before = stack.state.hosts[0].fits
            assert set(before) == {"llama:8b"}
            assert before["llama:8b"].estimate.basis is Basis.FILE_SIZE
            # Nothing was asked for this.
            assert not [path for path, _ in server.asked if path == "/api/show"]
            await stack.actions.details(at.url, "llama:8b")
            await wait_until(
                lambda: stack.state.hosts[0].fits["llama:8b"].estimate.basis is Basis.FORMULA, timeout_s=20
            )
            known = stack.state.hosts[0].fits["llama:8b"]
            assert known.estimate.parts is not None
            assert known.estimate.parts.cache == 8192 * 128 * 1024
            (model,) = (each for each in stack.state.hosts[0].snapshot.installed if not each.is_cloud)
            subject = stack.fit.subject(at.url, model)
            assert subject is not None
            assert subject.shape is not None
            # Who is about to load it is told the same.
            assert await stack.fit.expected(at.url, model, on_card=False) == known.estimate.total
            assert stack.fit.room().taken == 0
            server.load("llama:8b")
            await wait_until(lambda: stack.fit.room().taken == 5_100_000_000)


async def test_the_room_of_servers_elsewhere_is_not_known() -> None:
    url = "http://192.0.2.1:11434"
    async with following([OllamaHost(url)]) as stack:
        model = Model(name="a", digest="a" * 64)
        stack.fit.on_snapshot(Snapshot(url=url, capabilities=Capability.LIST, installed=(model,)))
        stack.fit.on_details(url, "a", ModelDetails(name="a"))
        assert stack.fit.subject(url, model) is None
        assert stack.fit.fits == {}
