"""Pulling from a registry on this machine: both servers say the same, and fetch the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.registry import Fault, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.contract.conftest import Server

Line = dict[str, Any]


class Puller:
    def __init__(self, server: Server, registry: Registry) -> None:
        self._http = server.http
        self._registry = registry

    def lines(self, name: str, until: Callable[[Line], bool] = lambda line: False) -> list[Line]:
        """What a pull says, up to the line at which the client hangs up."""
        asked = {"model": self._registry.name(name), "insecure": True}
        found: list[Line] = []
        with self._http.stream("POST", "/api/pull", json=asked) as response:
            assert response.status_code == 200
            assert response.headers["content-type"] == "application/x-ndjson"
            for line in response.iter_lines():
                found.append(json.loads(line))
                if until(found[-1]):
                    break
        return found

    def statuses(self, name: str) -> list[str]:
        """Each once, in order."""
        return list(dict.fromkeys(line["status"] for line in self.lines(name)))

    def installed(self) -> dict[str, Line]:
        models: list[Line] = self._http.get("/api/tags").json()["models"]
        return {model["name"]: model for model in models if self._registry.host in model["name"]}

    def delete_all(self) -> None:
        for name in self.installed():
            self._http.request("DELETE", "/api/delete", json={"model": name})


@pytest.fixture
def puller(server: Server, registry: Registry) -> Iterator[Puller]:
    found = Puller(server, registry)
    yield found
    found.delete_all()


def weights(path: Path, what: str) -> bytes:
    """A model that no server has yet: of these tests, and of this test alone."""
    return path.read_bytes() + what.encode()


# Ollama tells of a blob every 60 ms, and never of one that is there before that.
SEEN = Fault(path="/data/blobs/", delay_s=0.2)


def test_a_pull_says_what_it_does(puller: Puller, registry: Registry, random_model: Path) -> None:
    registry.faults = [SEEN]
    version = registry.publish("tiny:1b", weights(random_model, "says"), system="1", parameters={"seed": 1})
    pulling = [f"pulling {layer.digest[7:19]}" for layer in version.layers]
    wanted = ["pulling manifest", *pulling, "verifying sha256 digest", "writing manifest", "success"]
    assert puller.statuses("tiny:1b") == wanted
    (model,) = puller.installed().values()
    assert (model["name"], model["digest"], model["size"]) == (
        registry.listed("tiny:1b"),
        version.digest,
        version.size,
    )
    # The second time there is nothing to fetch, and each blob has one line, which is complete.
    registry.forget()
    again = puller.lines("tiny:1b")
    assert [line["status"] for line in again] == wanted
    assert all(line["completed"] == line["total"] for line in again if "digest" in line)
    assert not registry.requests("/data/blobs/")


def test_an_update_fetches_what_is_new(puller: Puller, registry: Registry, random_model: Path) -> None:
    same = weights(random_model, "update")
    registry.publish("tiny", same, parameters={"seed": 1})
    puller.lines("tiny")
    version = registry.publish("tiny", same, parameters={"seed": 2})
    registry.forget()
    assert puller.statuses("tiny")[-3:] == ["writing manifest", "removing unused layers", "success"]
    fetched = {asked.path.partition("?")[0].rpartition("/")[2] for asked in registry.requests("/data/blobs/")}
    assert fetched == {version.layer("params").digest, version.layer("config").digest}
    assert [model["digest"] for model in puller.installed().values()] == [version.digest]


def test_two_models_share_their_weights(puller: Puller, registry: Registry, random_model: Path) -> None:
    one = registry.publish("one", weights(random_model, "shared"), parameters={"seed": 1})
    registry.publish("other", weights(random_model, "shared"), parameters={"seed": 2})
    puller.lines("one")
    registry.forget()
    assert puller.statuses("other")[-1] == "success"
    assert not registry.requests(one.weights.digest)
    assert len(puller.installed()) == 2


def test_a_pull_goes_on_where_a_client_left_it(
    puller: Puller, registry: Registry, random_model: Path
) -> None:
    version = registry.publish("tiny", weights(random_model, "resumed"))
    digest = version.weights.digest
    registry.faults = [Fault(path=f"/data/blobs/{digest}", method="GET", bytes_per_s=100_000)]
    left = puller.lines("tiny", lambda line: line.get("completed", 0) > 60_000)
    assert "success" not in left[-1].values()
    assert not puller.installed()
    registry.faults = [SEEN]
    lines = puller.lines("tiny")
    assert lines[-1] == {"status": "success"}
    assert next(line for line in lines if "digest" in line)["completed"] > 0
    assert [model["digest"] for model in puller.installed().values()] == [version.digest]


def test_a_cut_connection_is_taken_up_again(puller: Puller, registry: Registry, random_model: Path) -> None:
    version = registry.publish("tiny", weights(random_model, "cut"))
    cut = Fault(path=f"/data/blobs/{version.weights.digest}", method="GET", cut_after=100_000, times=2)
    registry.faults = [cut]
    assert puller.statuses("tiny")[-1] == "success"
    assert [model["digest"] for model in puller.installed().values()] == [version.digest]


def test_bytes_that_are_not_those_of_the_digest_make_no_model(
    puller: Puller, registry: Registry, random_model: Path
) -> None:
    version = registry.publish("tiny", weights(random_model, "corrupt"))
    registry.faults = [Fault(path=f"/data/blobs/{version.weights.digest}", method="GET", corrupt=True)]
    assert "digest" in puller.lines("tiny")[-1]["error"]
    assert not puller.installed()
    registry.faults = []
    assert puller.statuses("tiny")[-1] == "success"


def test_a_model_that_the_registry_does_not_have(puller: Puller) -> None:
    first, last = puller.lines("none")
    assert first == {"status": "pulling manifest"}
    assert last["error"].startswith("pull model manifest: file does not exist")
