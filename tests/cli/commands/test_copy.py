"""``llmstack copy`` between two real engines, as a process."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.engine_process import engine_process
from tests.support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Two(NamedTuple):
    """``here`` has its models in the home of the user of ``llmstack``, and ``there`` does not."""

    llmstack: Program
    here: str
    there: str


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Two]:
    home, other = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    with ExitStack() as engines:
        here, there = (engines.enter_context(engine_process(each)) for each in (home, other))
        llmstack = Program(home, {"OLLAMA_HOST": here})
        assert llmstack("import", tiny_model, "tiny:1").returncode == 0
        yield Two(llmstack, here, there)


def test_a_model_is_copied_once_and_again_only_by_force(two: Two) -> None:
    llmstack, here, there = two
    done = llmstack("copy", "tiny:1", "--to", there, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["host"], told["source"], told["name"]) == (there, here, "tiny:1")
    assert told["digest"]
    assert told["size"] > 500_000
    assert "tiny:1" in llmstack("ls", "--host", there).stdout

    again = llmstack("copy", "tiny:1", "--to", there)
    assert (again.returncode, again.stdout) == (1, "")
    assert "--force" in again.stderr
    assert llmstack("copy", "tiny:1", "--to", there, "--force").returncode == 0
    assert llmstack("copy", "tiny:1", "--to", there, "--as", "other").returncode == 0
    assert "other:latest" in llmstack("ls", "--host", there).stdout


def test_the_other_server_is_named_as_in_the_settings(two: Two, tmp_path: Path) -> None:
    llmstack, here, there = two
    settings = tmp_path / "config.toml"
    hosts = f'["{here}", {{ url = "{there}", name = "box" }}]'
    settings.write_text(f"hosts = {hosts}\n")
    copying = ("copy", "tiny:1", "--to", "box", "--as", "named:1", "--config", settings)
    assert llmstack(*copying).returncode == 0
    settings.write_text(f"hosts = {hosts}\n".replace('"box"', '"box", allow = "look"'))
    refused = llmstack(*copying, "--force")
    assert refused.returncode == 1
    assert "only looks at" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("tiny:1", "--to", "{here}"), 1, "already: choose another server"),
        (("none:1", "--to", "{there}"), 1, "no model 'none:1'"),
        (("tiny:1", "--to", "127.0.0.1:1"), 1, "Nothing answers at http://127.0.0.1:1."),
        (("tiny:1", "--to", "ssh://127.0.0.1:1"), 1, "Nothing listens for SSH at 127.0.0.1:1"),
        (("tiny:1", "--to", "a b"), 2, "'a b' is not an address"),
        (("tiny:1", "--to", "{there}", "--as", "a b"), 2, "'a b' cannot be the name"),
        (("tiny:1", "--to", "{there}", "--read-only"), 1, "Nothing was changed"),
        (("tiny:1",), 2, "--to"),
    ],
)
def test_what_is_wrong_is_a_sentence(two: Two, arguments: tuple[str, ...], status: int, says: str) -> None:
    words = [each.format(here=two.here, there=two.there) for each in arguments]
    done = two.llmstack("copy", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr


def test_files_that_are_elsewhere_are_pulled_instead(two: Two, tmp_path: Path) -> None:
    stranger = Program(tmp_path, {"OLLAMA_HOST": two.here})
    done = stranger("copy", "tiny:1", "--to", two.there, "--as", "far:1")
    assert done.returncode == 1
    assert f"llmstack pull tiny:1 --host {two.there}" in done.stderr
