from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.names import ModelName
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.core.wording import words
from llmstack_tui.library import contents, storage
from llmstack_tui.library import library as library_module
from llmstack_tui.library.errors import Cancelled, LibraryError
from llmstack_tui.library.library import Library
from tests.support import folders
from tests.support.failures import fails
from tests.support.gguf import models
from tests.support.gguf.files import STRING, U16, U32, Llama

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from llmstack_tui.library.manifest import Manifest

TINY = ModelName.parse("tiny:f16")
PLACE = "manifests/registry.ollama.ai/library/tiny/f16"


def can_clone(folder: Path) -> bool:
    """Whether the file system clones files; only some do."""
    (folder / "one").write_bytes(b"1")
    how = ["cp", "-c"] if sys.platform == "darwin" else ["cp", "--reflink=always"]
    tried = subprocess.run([*how, folder / "one", folder / "other"], check=False, capture_output=True)
    return tried.returncode == 0


@pytest.fixture(params=["cloned", "copied"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """How the file comes into the folder. To see it cloned: ``--basetemp`` on Btrfs, XFS or APFS."""
    clones = can_clone(tmp_path_factory.mktemp("clones"))
    if clones != (request.param == "cloned"):
        pytest.skip("this disk clones files" if clones else "this disk does not clone files")
    return str(request.param)


@pytest.fixture
def source(tmp_path: Path, tiny_model: Path) -> Path:
    """A file of the test's own, on the disk of its models folder."""
    return Path(shutil.copy(tiny_model, tmp_path / "Tiny Model.F16.gguf"))


def failure(own: Path, source: Path, **options: object) -> str:
    """The sentence of an import that fails and leaves nothing."""
    before = folders.tree(own)
    with pytest.raises(LibraryError) as caught:
        Library(own).import_gguf(source, TINY, **options)  # type: ignore[arg-type]
    assert folders.tree(own) == before
    sentence = words(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_an_imported_model_lies_as_ollama_would_lay_it(tmp_path: Path, source: Path, way: str) -> None:
    own, steps = tmp_path / "own", list[tuple[str, int | None, int | None]]()
    model = Library(own).import_gguf(source, TINY, progress=lambda *step: steps.append(step))
    content, size = source.read_bytes(), source.stat().st_size
    weights = hashlib.sha256(content).hexdigest()
    config = (
        b'{"model_format":"gguf","model_family":"llama","model_families":["llama"],'
        b'"model_type":"263K","file_type":"F16","architecture":"amd64","os":"linux"}\n'
    )
    config_digest = hashlib.sha256(config).hexdigest()
    told = (
        '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
        '"config":{"mediaType":"application/vnd.docker.container.image.v1+json",'
        f'"digest":"sha256:{config_digest}","size":{len(config)}}},'
        '"layers":[{"mediaType":"application/vnd.ollama.image.model",'
        f'"digest":"sha256:{weights}","size":{size}}}]}}\n'
    ).encode()
    files = {path: content for path, (content, _) in folders.tree(own).items()}
    assert files == {
        PLACE: told,
        f"blobs/sha256-{config_digest}": config,
        f"blobs/sha256-{weights}": content,
    }
    assert model == Library(own).get(TINY)
    assert model.digest == hashlib.sha256(told).hexdigest()
    assert model.size == size + len(config)
    assert not model.read_only
    assert not model.weights.samefile(source)
    assert steps == [
        ("parsing GGUF", None, None),
        *(
            [("reading weights", size, size)]
            if way == "cloned"
            else [("copying weights", size, size), ("writing to the disk", None, None)]
        ),
        ("writing manifest", None, None),
    ]


@pytest.mark.usefixtures("way")
def test_the_source_may_go_afterwards(tmp_path: Path, source: Path) -> None:
    library = Library(tmp_path / "own")
    library.import_gguf(source, TINY)
    source.unlink()
    assert library.get(TINY).header().name == "Tiny Scripted"


def test_a_link_to_the_file_is_followed(tmp_path: Path, source: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(source)
    model = Library(tmp_path / "own").import_gguf(link, TINY)
    assert not model.weights.is_symlink()
    assert model.weights.read_bytes() == source.read_bytes()


@pytest.mark.usefixtures("way")
def test_the_same_file_twice_takes_its_place_once(tmp_path: Path, source: Path) -> None:
    library = Library(tmp_path / "own")
    one = library.import_gguf(source, TINY)
    other = library.import_gguf(source, ModelName.parse("other"))
    assert one.weights == other.weights
    assert len(list((tmp_path / "own" / "blobs").iterdir())) == 2


def test_another_file_under_the_same_name_replaces_the_first(
    tmp_path: Path, source: Path, random_model: Path
) -> None:
    library = Library(tmp_path / "own")
    first = library.import_gguf(source, TINY)
    second = library.import_gguf(random_model, ModelName.parse("TINY:F16"))
    assert [model.name.short for model in library.list()] == ["tiny:f16"]
    assert second.header().name == "Tiny Random"
    assert not first.weights.exists()
    assert second.weights.exists()


def test_weights_that_are_broken_on_the_disk_are_replaced(tmp_path: Path, source: Path) -> None:
    library = Library(tmp_path / "own")
    model = library.import_gguf(source, TINY)
    model.weights.unlink()
    model.weights.write_bytes(b"half")
    assert library.import_gguf(source, TINY).weights.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Dear Sir or Madam,\n" * 30, "is a text file, not a GGUF model."),
        (b"", "is empty."),
        (bytes(Llama())[:-40], "is cut short"),
        (bytes(Llama().saying("split.count", U16, 2)), "is one of 2 parts"),
        (
            bytes(Llama().saying("general.type", STRING, "mmproj")),
            "cannot be imported: The file is a projector",
        ),
        (bytes(Llama().saying("llama.block_count", U32, 0)), "cannot be imported: The file gives"),
        (bytes(Llama().saying("general.architecture", STRING, "gptoss")), "cannot be imported: "),
    ],
)
def test_what_is_no_model_is_refused_at_once(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(content)
    sentence = failure(tmp_path / "own", path)
    assert sentence.startswith(str(path))
    assert says in sentence
    assert not (tmp_path / "own").exists()


def test_a_missing_file(tmp_path: Path) -> None:
    assert failure(tmp_path / "own", tmp_path / "none.gguf") == f"There is no file {tmp_path / 'none.gguf'}."


@pytest.mark.usefixtures("way")
def test_cancelling(tmp_path: Path, source: Path) -> None:
    def cancel(status: str, completed: int | None, total: int | None) -> None:
        if completed:
            raise Cancelled

    with pytest.raises(Cancelled):
        Library(tmp_path / "own").import_gguf(source, TINY, cancel)
    assert folders.tree(tmp_path / "own") == {}


@pytest.mark.usefixtures("way")
def test_a_file_that_grows_after_its_header_was_read(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(*_: object, **__: object) -> None:
        with source.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(storage, "remove_unfinished", grow)
    assert "changed while it was read" in failure(tmp_path / "own", source)


def more(source: Path) -> None:
    with source.open("ab") as file:
        file.write(b"more")


def other_bytes(source: Path) -> None:
    with source.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(source, (1, 1))


@pytest.mark.parametrize("change", [more, other_bytes])
def test_a_file_that_changes_meanwhile(
    tmp_path: Path, source: Path, way: str, change: Callable[[Path], None]
) -> None:
    before = source.read_bytes()

    def progress(status: str, completed: int | None, total: int | None) -> None:
        if completed:
            change(source)

    if way == "copied":
        assert "changed while it was read" in failure(tmp_path / "own", source, progress=progress)
    else:  # A clone is of one moment.
        assert Library(tmp_path / "own").import_gguf(source, TINY, progress).weights.read_bytes() == before


@pytest.mark.usefixtures("way")
def test_a_file_that_is_written_to_in_place_changes_no_model(tmp_path: Path, source: Path) -> None:
    model, before = Library(tmp_path / "own").import_gguf(source, TINY), source.read_bytes()
    other_bytes(source)
    assert model.weights.read_bytes() == before
    assert source.read_bytes() != before


@pytest.mark.parametrize("whose", ["own", "ollama"])
def test_a_blob_of_a_models_folder_is_linked(tmp_path: Path, source: Path, whose: str) -> None:
    library = Library(tmp_path / "own", [tmp_path / "ollama"])
    blob = Library(tmp_path / whose).import_gguf(source, ModelName.parse("x")).weights
    assert library.import_gguf(blob, TINY).weights.samefile(blob)
    assert sorted(path.name for path in (tmp_path / "own" / "blobs").iterdir()) == sorted(
        path.name for path in (tmp_path / whose / "blobs").iterdir()
    )


@pytest.mark.usefixtures("way")
def test_importing_again_repairs(tmp_path: Path, source: Path) -> None:
    library = Library(tmp_path / "own")
    weights = library.import_gguf(source, TINY).weights
    seen = weights.stat()
    weights.write_bytes(b"GGUF" + bytes(seen.st_size - 4))
    os.utime(weights, ns=(seen.st_atime_ns, seen.st_mtime_ns))  # damage that nobody notices
    assert library.import_gguf(source, TINY).weights.read_bytes() == source.read_bytes()


def test_no_space_for_a_copy(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if can_clone(tmp_path):
        pytest.skip("a clone takes no room")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with fails("library.no_room", source=str(source), need=source.stat().st_size, free=1000):
        Library(tmp_path / "own").import_gguf(source, TINY)
    assert folders.tree(tmp_path / "own") == {}


FAULTS = {
    errno.ENOSPC: "the disk is full.",
    errno.EROFS: "the disk is read-only.",
    errno.EACCES: "it is not permitted.",
    errno.EIO: "Input/output error.",
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("number", FAULTS)
def test_a_disk_that_fails_while_it_is_written(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    sentence = failure(tmp_path / "own", source)
    assert sentence.startswith(f"{source} cannot be imported into {tmp_path / 'own'}: ")
    assert sentence.endswith(FAULTS[number])


def test_a_folder_that_cannot_be_made(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with fails("library.not_imported", why=(Sentence("library.system", {"why": "Not a directory"}),)):
        Library(tmp_path / "file" / "own").import_gguf(source, TINY)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path, source: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o500)
    assert "it is not permitted" in failure(own, source)


def test_a_file_where_the_manifest_should_be_a_folder(tmp_path: Path, source: Path) -> None:
    own = tmp_path / "own"
    (own / "manifests").mkdir(parents=True)
    (own / "manifests" / "registry.ollama.ai").write_bytes(b"")
    assert "cannot be imported into" in failure(own, source)


def test_somebody_else_holds_the_folder(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    monkeypatch.setattr(storage, "_LOCK_WAIT_S", 0.1)
    with storage.locked(own):
        assert "is not done yet" in failure(own, source)


def test_many_imports_under_one_name(tmp_path: Path) -> None:
    own = tmp_path / "own"
    sources = [models.random_weights(tmp_path / f"{seed}.gguf", seed=seed) for seed in range(6)]
    start, errors = threading.Barrier(len(sources)), list[Exception]()

    def run(source: Path) -> None:
        start.wait()
        try:
            Library(own).import_gguf(source, TINY)
        except Exception as error:  # noqa: BLE001 — told by the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    (model,) = Library(own).list()
    assert model.weights.read_bytes() in {source.read_bytes() for source in sources}
    assert {path.name for path in (own / "blobs").iterdir()} == {
        model.weights.name,
        *(layer["digest"].replace(":", "-") for layer in [json.loads((own / PLACE).read_bytes())["config"]]),
    }


@pytest.mark.parametrize("module", [library_module, contents])
def test_a_model_that_is_replaced_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    own = tmp_path / "own"
    sources = [models.random_weights(tmp_path / f"{seed}.gguf", seed=seed) for seed in range(2)]
    Library(own).import_gguf(sources[0], TINY)
    parse: Callable[[bytes], Manifest] = module.parse_manifest

    def parse_and_replace(content: bytes) -> Manifest:
        monkeypatch.setattr(module, "parse_manifest", parse)
        Library(own).import_gguf(sources[1], TINY)
        return parse(content)

    monkeypatch.setattr(module, "parse_manifest", parse_and_replace)
    if module is contents:
        (stored,) = contents.stored_manifests(own, contents.manifest_files(own))
        assert not stored.fault
    else:
        assert Library(own).get(TINY).weights.read_bytes() == sources[1].read_bytes()


def test_a_removal_meanwhile_does_not_take_the_weights(tmp_path: Path, source: Path) -> None:
    """The weights are there when the import begins, as another model's, and gone when it ends."""
    library, other = Library(tmp_path / "own"), ModelName.parse("other")
    library.import_gguf(source, other)

    def remove(status: str, completed: int | None, total: int | None) -> None:
        if completed:
            library.delete(other)

    model = library.import_gguf(source, TINY, progress=remove)
    assert model.weights.read_bytes() == source.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from llmstack_tui.library.library import Library
from llmstack_tui.library.errors import Cancelled, LibraryError
from llmstack_tui.base.names import ModelName
def die(status, completed, total):
    if completed: os.kill(os.getpid(), signal.SIGKILL)
Library(Path(sys.argv[1])).import_gguf(Path(sys.argv[2]), ModelName.parse("tiny:f16"), progress=die)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
def test_a_killed_import_leaves_no_model_and_is_cleared_away(tmp_path: Path, source: Path) -> None:
    own = tmp_path / "own"
    died = subprocess.run([sys.executable, "-c", KILLED, own, source], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    (left,) = (own / "blobs").iterdir()
    assert not left.name.startswith("sha256-")
    assert Library(own).list() == ()

    Library(own).import_gguf(source, TINY)
    assert left.exists(), "it may belong to an import that is still at work"

    _, _, rest = left.name.removeprefix(".unfinished-").partition("-")
    old = left.rename(left.with_name(f".unfinished-{int(time.time()) - 4000}-{rest}"))
    os.utime(old, (time.time() - 4000,) * 2)
    os.utime(source, (time.time() - 4000,) * 2)
    Library(own).import_gguf(source, ModelName.parse("other"))
    assert not old.exists()
    assert len(Library(own).list()) == 2
