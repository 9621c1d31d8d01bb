"""Which names share a process, against a server that says odd things."""

from __future__ import annotations

from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import NotFound, Unreachable
from llmstack_tui.hosts.types import Model, ModelDetails, RunningModel
from llmstack_tui.ollama.sharing import SharedProcesses

URL = "http://127.0.0.1:11434"
FILE = f"FROM /models/blobs/sha256-{'f' * 64}"


class Shown:
    """What a server shows, by name: a Modelfile and parameters, or an error. ``asked`` are the names."""

    def __init__(self, **known: tuple[str, str] | Exception) -> None:
        self.known = known
        self.asked: list[str] = []

    async def __call__(self, name: str) -> ModelDetails:
        self.asked.append(name)
        found = self.known.get(name, (FILE, ""))
        if isinstance(found, Exception):
            raise found
        return ModelDetails(name=name, modelfile=found[0], parameters=found[1])


def model(name: str, size: int = 1000) -> Model:
    return Model(name=name, digest=name * 64, size=size, parameters="8B")


def running(name: str) -> RunningModel:
    return RunningModel(name=name, digest=name * 64)


async def answered(sharing: SharedProcesses, name: str = "a") -> set[str]:
    (told,) = await sharing.with_shared((running(name),))
    return {digest[0] for digest in told.answers_for}


async def test_what_is_started_alike_shares_a_process() -> None:
    shown = Shown(
        a=(FILE, "num_ctx    4096\nstop   x"),
        b=(FILE, "temperature 1\nnum_ctx 4096"),
        c=(FILE, "num_ctx 2048"),
        d=(FILE.replace("f", "0"), "num_ctx 4096"),
        e=(f"{FILE}\nADAPTER /sha256-{'1' * 64}", "num_ctx 4096"),
        g=("", ""),
    )
    sharing = SharedProcesses(shown)
    sharing.installed = tuple(model(name) for name in "abcdeg")
    for _ in range(3):
        await sharing.with_shared((running("a"),))
    assert await answered(sharing) == {"b"}
    assert sorted(shown.asked) == [*"abcdeg"], "each is asked for once"


async def test_models_that_look_otherwise_are_not_asked_for() -> None:
    shown = Shown()
    sharing = SharedProcesses(shown)
    other = replace(model("b"), parameters="7B")
    unknown = tuple(replace(model(name), parameters=None) for name in "cd")
    sharing.installed = (model("a"), other, *unknown, model("e", size=2 << 20))
    assert await answered(sharing) == set()
    await sharing.with_shared((running("c"),))
    assert shown.asked == ["a"], "which names its own file"


async def test_a_question_that_fails_is_asked_again_and_one_for_nothing_is_not() -> None:
    shown = Shown(a=Unreachable("gone", host=URL), b=NotFound("gone", host=URL))
    sharing = SharedProcesses(shown)
    sharing.installed = (model("a"), model("b"), model("c"))
    assert await answered(sharing) == set()
    del shown.known["a"]
    assert await answered(sharing) == {"c"}
    assert sorted(shown.asked) == ["a", "a", "b", "c"]


async def test_what_is_shown_for_another_purpose_is_not_asked_for_again() -> None:
    shown = Shown()
    sharing = SharedProcesses(shown)
    sharing.installed = (model("a"), model("b"))
    sharing.learn(ModelDetails(name="b", modelfile=FILE))
    assert await answered(sharing) == {"b"}
    assert shown.asked == ["a"]


async def test_a_name_that_was_removed_still_has_its_weights() -> None:
    sharing = SharedProcesses(Shown())
    sharing.installed = (model("a"), model("b"))
    await sharing.with_shared((running("a"),))
    sharing.installed = (model("b"), model("c"))
    assert await answered(sharing) == {"b"}
