from __future__ import annotations

import hashlib
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmstack_tui.base.durations import LATEST
from llmstack_tui.base.names import ModelName
from llmstack_tui.library import library as library_module
from llmstack_tui.library.folders import ollama_models_folders, read_small
from llmstack_tui.library.installed import load_installed
from llmstack_tui.library.library import Library, NotInstalled
from tests.support import folders
from tests.support.failures import fails
from tests.support.gguf.files import Llama

WEIGHTS = bytes(Llama())
TINY = "registry.ollama.ai/library/tiny/latest"


def name(text: str) -> ModelName:
    return ModelName.parse(text)


def names(library: Library) -> list[str]:
    return [model.name.short for model in library.list()]


def passed_over(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_no_folder_is_no_model(tmp_path: Path) -> None:
    assert Library(tmp_path / "own", [tmp_path / "other"]).list() == ()
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def test_what_a_model_of_ollama_says(tmp_path: Path) -> None:
    told = folders.manifest(
        tmp_path,
        WEIGHTS,
        folders.layer(tmp_path, "template", b"{{ .Prompt }}"),
        folders.layer(tmp_path, "system", "Be brève.".encode()),
        folders.layer(tmp_path, "params", b'{"stop": ["</s>"], "temperature": 0.5, "num_ctx": 512}\n'),
        folders.layer(tmp_path, "messages", b'[{"role": "user", "content": "Hi"}]'),
        folders.layer(tmp_path, "license", b"One"),
        folders.layer(tmp_path, "license", b"Two"),
        folders.layer(tmp_path, "projector", b"picture"),
        folders.layer(tmp_path, "adapter", b"adapter"),
    )
    path = folders.write(tmp_path, "registry.ollama.ai/jo/tiny/q8_0", told)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (model,) = Library(tmp_path / "own", [tmp_path]).list()
    assert model.name == name("jo/tiny:q8_0")
    assert model.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    layers = [*told["layers"], told["config"]]  # type: ignore[misc]
    assert model.size == sum(layer["size"] for layer in layers)
    assert model.modified_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert model.weights.read_bytes() == WEIGHTS
    assert model.weights_digest == f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    assert model.template == "{{ .Prompt }}"
    assert model.system == "Be brève."
    assert model.parameters == {"stop": ["</s>"], "temperature": 0.5, "num_ctx": 512}
    assert model.messages == ({"role": "user", "content": "Hi"},)
    assert model.license == "One\nTwo"
    assert [path.read_bytes() for path in (*model.projectors, *model.adapters)] == [b"picture", b"adapter"]
    assert (model.config.model_family, model.config.model_type, model.config.file_type) == (
        "llama",
        "1.2B",
        "Q8_0",
    )
    assert model.header().architecture == "llama"
    assert model.read_only


def test_own_models_come_first_and_count(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    folders.write(own, TINY, folders.manifest(own, WEIGHTS))
    folders.write(other, "registry.ollama.ai/library/Tiny/latest", folders.manifest(other, WEIGHTS + b"\0"))
    folders.write(other, "registry.ollama.ai/library/another/latest", folders.manifest(other, WEIGHTS))
    library = Library(own, [other])
    assert [(model.name.short, model.read_only) for model in library.list()] == [
        ("tiny:latest", False),
        ("another:latest", True),
    ]
    assert not library.get(name("tiny")).read_only


def test_the_own_folder_is_not_also_another(tmp_path: Path) -> None:
    own = tmp_path / "own"
    folders.write(own, TINY, folders.manifest(own, WEIGHTS))
    (tmp_path / "link").symlink_to(own)
    library = Library(own, [own, tmp_path / "link", tmp_path / "else"])
    assert library.others == (tmp_path / "else",)
    assert [model.read_only for model in library.list()] == [False]


@pytest.mark.parametrize(
    "place",
    [
        "registry.ollama.ai/library/tiny/.hidden",
        "registry.ollama.ai/library/ti ny/latest",
        "registry.ollama.ai/library/tiny/la:test",
        "registry.ollama.ai/..x/tiny/latest",
        "registry.ollama.ai/library/tiny",
        "registry.ollama.ai/library/tiny/latest/deeper",
    ],
)
def test_files_that_are_named_otherwise_are_no_models(tmp_path: Path, place: str) -> None:
    folders.write(tmp_path, place, folders.manifest(tmp_path, WEIGHTS))
    assert Library(tmp_path).list() == ()


def broken(folder: Path) -> dict[str, object]:
    """Manifests with which something is wrong."""
    good = folders.manifest(folder, WEIGHTS)

    def with_weights(**changed: object) -> object:
        return {**good, "layers": [{**folders.layer(folder, "model", WEIGHTS), **changed}]}

    return {
        "no-json": b"not JSON",
        "empty": b"",
        "list": [],
        "no-layers": {"schemaVersion": 2, "config": good["config"]},
        "no-weights": {**good, "layers": []},
        "deep": b"[" * 100_000,
        "large": json.dumps(good).encode() + b" " * 5_000_000,
        "not-text": b"\xff\xfe",
        "path": with_weights(digest="sha256:../../../../../../etc/passwd"),
        "upwards": with_weights(digest="../" * 20 + "etc/passwd"),
        "short": with_weights(digest="sha256:abc"),
        "trailing": with_weights(digest=f"{folders.blob(folder, WEIGHTS)['digest']}\n"),
        "missing": with_weights(digest=f"sha256:{'0' * 64}"),
        "negative": {**good, "config": {**folders.layer(folder, "config", b"{}"), "size": -1}},
        "other-size": with_weights(size=5),
        "config": folders.manifest(folder, WEIGHTS, config=b"nothing"),
        "config-type": folders.manifest(folder, WEIGHTS, config={"model_format": 7}),
        "params": folders.manifest(folder, WEIGHTS, folders.layer(folder, "params", b"[1]")),
        "messages": folders.manifest(folder, WEIGHTS, folders.layer(folder, "messages", b'{"a": 1}')),
    }


def test_broken_manifests_hide_no_other_and_are_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for model, content in broken(tmp_path).items():
        folders.write(tmp_path, f"registry.ollama.ai/library/{model}/latest", content)
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS))
    library = Library(tmp_path)
    assert names(library) == ["tiny:latest"]
    lines = passed_over(caplog)
    for model in broken(tmp_path).keys() - {"no-weights", "no-layers"}:
        assert len([line for line in lines if f"/{model}/latest" in line]) == 1, model
    caplog.clear()
    assert names(library) == ["tiny:latest"]
    assert passed_over(caplog) == []
    # They are not lost either: each has its reason, and can be removed.
    faulty = {each.name.model: each for each in library.faulty()}
    assert faulty.keys() == broken(tmp_path).keys()
    assert all(each.fault for each in faulty.values())
    for each in faulty.values():
        library.delete(each.name)
    assert library.faulty() == ()
    assert names(library) == ["tiny:latest"]


def test_a_broken_manifest_of_an_absurd_time_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folders.write(tmp_path, "registry.ollama.ai/library/broken/latest", b"not JSON")
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS))
    stat = Path.stat

    def absurd(of: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        status = stat(of, follow_symlinks=follow_symlinks)
        # Not by `os.utime`: most file systems keep no such time, and some do.
        return os.stat_result(tuple(status), {"st_mtime": 1e15}) if of == path else status

    monkeypatch.setattr(Path, "stat", absurd)
    found = Library(tmp_path).contents()
    assert [each.name.short for each in found.models] == ["tiny:latest"]
    assert [(each.name.short, each.modified_at) for each in found.faulty] == [("broken:latest", LATEST)]


def test_a_listing_reads_each_broken_manifest_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folders.write(tmp_path, TINY, b"not JSON")
    reads: list[Path] = []

    def counted(read: Path) -> bytes:
        reads.append(read)
        return read_small(read)

    monkeypatch.setattr(library_module, "read_small", counted)
    library = Library(tmp_path)
    assert len(library.contents().faulty) == 1
    assert reads == [path]
    with fails("library.not_installed", model="other:latest"):
        library.get(name("other"))
    assert reads == [path, path], "what is wrong may be right by now"


@pytest.mark.parametrize(
    "config",
    [
        {**folders.CONFIG, "remote_host": "https://ollama.com", "remote_model": "gpt-oss:120b"},
        {**folders.CONFIG, "model_format": "safetensors"},
    ],
)
def test_models_that_llama_cpp_cannot_run_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, config: dict[str, object]
) -> None:
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS, config=config))
    assert Library(tmp_path).list() == ()
    assert passed_over(caplog) == [], "there is nothing wrong with it"


def test_a_manifest_is_read_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS))
    library = Library(tmp_path)
    before = library.get(name("tiny"))
    reads = []

    def counted(*args: object, **options: object) -> object:
        reads.append(args)
        return load_installed(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(library_module, "load_installed", counted)
    assert library.get(name("tiny")) is before
    assert library.list() == (before,)
    assert reads == []
    folders.write(
        tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS, folders.layer(tmp_path, "system", b"Hi"))
    )
    os.utime(path, (1, 1))
    assert library.get(name("tiny")).system == "Hi"
    assert len(reads) == 1


def test_a_model_whose_weights_went_away_is_not_listed(tmp_path: Path) -> None:
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS))
    library = Library(tmp_path)
    library.get(name("tiny")).weights.unlink()
    assert library.list() == ()
    assert [each.fault[0].kind for each in library.faulty()] == ["library.parts_missing"]
    with fails("library.unusable", model="tiny:latest"):
        library.get(name("tiny"))
    folders.manifest(tmp_path, WEIGHTS)
    assert names(library) == ["tiny:latest"]
    assert library.faulty() == ()


def test_headers_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS))
    model = Library(tmp_path).get(name("tiny"))
    header = model.header()
    monkeypatch.setattr(library_module, "read_header", None)
    assert model.header() is header


def test_upper_and_lower_case_are_one_name(tmp_path: Path) -> None:
    folders.write(tmp_path, "registry.ollama.ai/library/Tiny/Q8_0", folders.manifest(tmp_path, WEIGHTS))
    library = Library(tmp_path)
    assert library.get(name("tiny:q8_0")).name.short == "Tiny:Q8_0"
    library.delete(name("TINY:q8_0"))
    assert library.list() == ()


def test_an_unknown_name(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with fails("library.not_installed", model="tiny:latest"):
        library.get(name("tiny"))
    with pytest.raises(NotInstalled):
        library.delete(name("tiny"))


def test_a_deleted_model_takes_its_blobs_along(tmp_path: Path) -> None:
    system = folders.layer(tmp_path, "system", b"only here")
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS, system))
    folders.write(tmp_path, "hf.co/jo/other/latest", folders.manifest(tmp_path, WEIGHTS))
    library = Library(tmp_path)
    library.delete(name("tiny"))
    assert names(library) == ["hf.co/jo/other:latest"]
    kept = {path.name for path in (tmp_path / "blobs").iterdir()}
    assert str(system["digest"]).replace(":", "-") not in kept
    assert len(kept) == 2, "the weights and the config are the other model's, too"
    assert not (tmp_path / "manifests" / "registry.ollama.ai").exists(), "empty folders go"
    library.delete(name("hf.co/jo/other"))
    assert list((tmp_path / "blobs").iterdir()) == []


def test_blobs_stay_while_a_manifest_cannot_be_read(tmp_path: Path) -> None:
    folders.write(tmp_path, TINY, folders.manifest(tmp_path, WEIGHTS))
    folders.write(tmp_path, "registry.ollama.ai/library/broken/latest", b"?")
    Library(tmp_path).delete(name("tiny"))
    assert len(list((tmp_path / "blobs").iterdir())) == 2


def test_a_broken_model_can_be_deleted(tmp_path: Path) -> None:
    folders.write(tmp_path, TINY, b"?")
    Library(tmp_path).delete(name("tiny"))
    assert not (tmp_path / "manifests" / "registry.ollama.ai").exists()


def test_nothing_is_ever_written_into_another_folder(tmp_path: Path, tiny_model: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    folders.write(other, TINY, folders.manifest(other, WEIGHTS))
    folders.write(other, "registry.ollama.ai/library/broken/latest", b"?")
    (other / "blobs" / f"sha256-{'1' * 64}-partial").write_bytes(b"pull")
    before = folders.tree(other)
    library = Library(own, [other])
    with fails("library.ollamas", model="tiny:latest"):
        library.delete(name("tiny"))
    library.get(name("tiny")).header()
    library.import_gguf(tiny_model, name("tiny"))
    assert not library.get(name("tiny")).read_only
    library.delete(name("tiny"))
    assert library.get(name("tiny")).read_only, "the other one is seen again"
    assert folders.tree(other) == before


def test_where_ollama_keeps_its_models(tmp_path: Path) -> None:
    home, chosen = tmp_path / "home", tmp_path / "cho sen"
    for folder in (home / ".ollama" / "models", chosen):
        (folder / "manifests").mkdir(parents=True)
    installed = tuple(
        Path(text) for text in ["/usr/share/ollama/.ollama/models"] if (Path(text) / "manifests").is_dir()
    )
    assert ollama_models_folders({}) == installed
    assert ollama_models_folders({"HOME": str(home)}) == (home / ".ollama" / "models", *installed)
    assert ollama_models_folders({"HOME": str(home), "OLLAMA_MODELS": f' "{chosen}" '}) == (
        chosen,
        home / ".ollama" / "models",
        *installed,
    )
    assert (
        ollama_models_folders({"HOME": str(tmp_path), "OLLAMA_MODELS": str(tmp_path / "none")}) == installed
    )
