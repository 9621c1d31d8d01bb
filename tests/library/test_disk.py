"""What models take on the disk, and a clean-up that spares what somebody may need. On real files."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from llmstack_tui.library.disk import audit, remove_leftovers, remove_unreadable
from llmstack_tui.library.storage import GRACE_S
from llmstack_tui.library.use import LeftoverKind
from tests.support.failures import fails
from tests.support.folders import blob, layer, manifest, tree, write

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.library.use import FolderUse

LIBRARY = "registry.ollama.ai/library"
DIGEST = "ab" * 32


def later() -> float:
    """A time when nothing that was made here is young any more."""
    return time.time() + GRACE_S + 60


def partial(folder: Path, ending: str = "-partial", size: int = 100) -> Path:
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    path = folder / "blobs" / f"sha256-{DIGEST}{ending}"
    path.write_bytes(b"p" * size)
    return path


def orphan(folder: Path, content: bytes = b"nobody's") -> Path:
    return folder / "blobs" / str(blob(folder, content)["digest"]).replace(":", "-")


def reasons(use: FolderUse) -> set[str | None]:
    return {each.kept.kind if each.kept else None for each in use.leftovers}


def figures(use: FolderUse) -> list[tuple[str, int, int, int]]:
    return [(each.name, each.size, each.shared, each.missing) for each in use.models]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    use = audit(tmp_path / "models", own=True)
    assert (use.models, use.leftovers, use.unreadable, use.size) == ((), (), (), 0)
    assert not (tmp_path / "models").exists()


def test_each_model_has_what_it_takes_and_what_it_shares(tmp_path: Path) -> None:
    licence = layer(tmp_path, "license", b"l" * 50)
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, b"1" * 1000, licence, config=b"{}"))
    write(tmp_path, f"{LIBRARY}/two/7b", manifest(tmp_path, b"2" * 300, licence, config=b"{ }"))
    write(tmp_path, "hf.co/me/three/Q4_0", manifest(tmp_path, b"2" * 300, config=b"{}"))

    use = audit(tmp_path, own=True)

    assert figures(use) == [
        ("hf.co/me/three:Q4_0", 302, 302, 0),
        ("one:latest", 1052, 52, 0),
        ("two:7b", 353, 350, 0),
    ]
    assert [use.freed((model.name,)) for model in use.models] == [0, 1000, 3]
    assert use.size == 1000 + 300 + 50 + 2 + 3
    assert use.leftovers == ()


def test_a_layer_that_a_model_names_twice_counts_once(tmp_path: Path) -> None:
    licence = layer(tmp_path, "license", b"l" * 50)
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, b"1" * 1000, licence, licence, config=b"{}"))
    assert figures(audit(tmp_path, own=True)) == [("one:latest", 1052, 0, 0)]


def test_a_removal_frees_what_nobody_else_has(tmp_path: Path) -> None:
    own, theirs = tmp_path / "own", tmp_path / "ollama"
    licence = layer(own, "license", b"l" * 50)
    for name in ("one", "two"):
        write(own, f"{LIBRARY}/{name}/latest", manifest(own, b"1" * 1000, licence, config=b"{}"))
    write(own, f"{LIBRARY}/three/latest", manifest(own, b"3" * 300, config=b"{ }"))
    (theirs / "blobs").mkdir(parents=True)
    linked = own / "blobs" / str(blob(own, b"3" * 300)["digest"]).replace(":", "-")
    os.link(linked, theirs / "blobs" / linked.name)

    use = audit(own, own=True)
    freed = [use.freed(names) for names in (["one:latest"], ["one:latest", "two:latest"], ["three:latest"])]
    assert freed == [0, 1052, 3]
    assert [use.freed((each.name,)) for each in use.models] == [0, 3, 0]

    # As long as a manifest cannot be read, no blob goes with a model.
    write(own, f"{LIBRARY}/cut/latest", b"{")
    use = audit(own, own=True)
    assert use.freed(["three:latest"]) == 0
    assert use.freed(["three:latest", "cut:latest"]) == 3
    assert [(each.name, each.fault[0].kind) for each in use.models if each.fault] == [
        ("cut:latest", "library.manifest_not_json")
    ]


def test_what_is_no_manifest_is_removed_when_asked_for(tmp_path: Path) -> None:
    good = write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, b"1" * 1000))
    stray, cut = write(tmp_path, "moved/away", b"x"), write(tmp_path, f"{LIBRARY}/cut/latest", b"{")
    for path in (good, tmp_path / "blobs", tmp_path / "none"):
        with fails("library.not_unreadable", path=str(path)):
            remove_unreadable(tmp_path, path)
    for path in (stray, cut):
        remove_unreadable(tmp_path, path)
    assert not stray.parent.exists()
    use = audit(tmp_path, own=True)
    assert ([each.name for each in use.models], use.unreadable) == (["one:latest"], ())


def test_blobs_that_are_not_there_are_counted(tmp_path: Path) -> None:
    written = manifest(tmp_path, b"1" * 1000, config=b"{}")
    write(tmp_path, f"{LIBRARY}/one/latest", written)
    for path in (tmp_path / "blobs").iterdir():
        path.unlink()
    assert figures(audit(tmp_path, own=True)) == [("one:latest", 0, 0, 2)]


def test_what_no_manifest_names_is_found(tmp_path: Path) -> None:
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, b"1" * 1000))
    whole, first, piece = orphan(tmp_path), partial(tmp_path), partial(tmp_path, "-partial-0", 7)
    copy = tmp_path / "blobs" / ".unfinished-1700000000-abcdef"
    copy.write_bytes(b"c" * 20)
    text = tmp_path / "manifests" / LIBRARY / "one" / ".unfinished-1700000000-fedcba"
    text.write_bytes(b"{")
    strange = tmp_path / "blobs" / "README"
    strange.write_bytes(b"mine")

    use = audit(tmp_path, own=True, now_s=later())

    kinds = {leftover.path: leftover.kind for leftover in use.leftovers}
    assert kinds == {
        whole: LeftoverKind.ORPHAN,
        first: LeftoverKind.PARTIAL,
        piece: LeftoverKind.PARTIAL,
        copy: LeftoverKind.PARTIAL,
        text: LeftoverKind.PARTIAL,
    }
    assert use.removable == use.leftovers
    assert [leftover.size for leftover in use.leftovers] == [100, 20, 8, 7, 1]
    assert [model.name for model in use.models] == ["one:latest"]


def test_a_download_counts_by_what_is_there_and_not_by_its_length(tmp_path: Path) -> None:
    path = partial(tmp_path, size=0)
    os.truncate(path, 50_000_000)
    if path.stat().st_blocks * 512 >= 50_000_000:
        pytest.skip("this disk knows no holes in files")
    (leftover,) = audit(tmp_path, own=True, now_s=later()).leftovers
    assert leftover.size < 1_000_000


def test_nothing_that_changed_within_the_hour_goes(tmp_path: Path) -> None:
    orphan(tmp_path)
    partial(tmp_path)
    use = audit(tmp_path, own=True, now_s=time.time() + GRACE_S - 60)
    assert reasons(use) == {"library.kept_young"}
    assert use.removable == ()


def test_a_clock_that_was_wrong_removes_nothing(tmp_path: Path) -> None:
    orphan(tmp_path)
    assert audit(tmp_path, own=True, now_s=time.time() - 10 * GRACE_S).removable == ()


def test_whole_layers_of_a_pull_that_goes_on_are_spared(tmp_path: Path) -> None:
    layer_of_the_pull, running = orphan(tmp_path), partial(tmp_path)
    now_s = later()
    os.utime(running, (now_s - 10, now_s - 10))

    use = audit(tmp_path, own=True, now_s=now_s)

    assert {each.path: each.kept and each.kept.kind for each in use.leftovers} == {
        layer_of_the_pull: "library.kept_pulling",
        running: "library.kept_young",
    }
    assert remove_leftovers(tmp_path, use.leftovers, now_s=now_s) == ()
    assert layer_of_the_pull.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"config": {"digest": "../../x"}, "layers": []}'])
def test_a_manifest_that_cannot_be_read_keeps_everything(tmp_path: Path, content: bytes) -> None:
    broken = write(tmp_path, f"{LIBRARY}/broken/latest", content)
    orphan(tmp_path)
    partial(tmp_path)
    before = tree(tmp_path)

    use = audit(tmp_path, own=True, now_s=later())

    assert use.unreadable == (broken,)
    assert reasons(use) == {"library.kept_unreadable"}
    assert remove_leftovers(tmp_path, use.leftovers, now_s=later()) == ()
    assert tree(tmp_path) == before


def test_a_file_where_no_manifest_belongs_keeps_everything(tmp_path: Path) -> None:
    stray = write(tmp_path, "moved-away", manifest(tmp_path, b"weights"))
    use = audit(tmp_path, own=True, now_s=later())
    assert use.unreadable == (stray,)
    assert len(use.leftovers) == 2
    assert use.removable == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_manifest_that_may_not_be_read_keeps_everything(tmp_path: Path) -> None:
    secret = write(tmp_path, f"{LIBRARY}/secret/latest", manifest(tmp_path, b"weights"))
    secret.chmod(0)
    assert audit(tmp_path, own=True, now_s=later()).removable == ()


def test_ollamas_folder_is_only_looked_at(tmp_path: Path) -> None:
    orphan(tmp_path)
    use = audit(tmp_path, own=False, now_s=later())
    assert reasons(use) == {"library.kept_ollamas"}
    assert use.removable == ()


def test_what_only_ollama_runs_is_no_fault_in_its_folder(tmp_path: Path) -> None:
    remote = {"remote_host": "https://example.com"}
    write(tmp_path, f"{LIBRARY}/cloud/latest", manifest(tmp_path, b"1", config=remote))
    write(tmp_path, f"{LIBRARY}/cut/latest", b"{")
    kinds = [[each.kind for each in model.fault] for model in audit(tmp_path, own=False).models]
    assert kinds == [[], ["library.manifest_not_json"]]
    assert audit(tmp_path, own=True).models[0].fault[0].kind == "library.cloud"


def test_a_clean_up_removes_what_was_agreed_to_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, b"1" * 1000))
    kept = tree(tmp_path)
    first, second, third = orphan(tmp_path), orphan(tmp_path, b"another"), partial(tmp_path)
    use = audit(tmp_path, own=True, now_s=later())
    agreed = [leftover for leftover in use.removable if leftover.path != second]

    removed = remove_leftovers(tmp_path, agreed, now_s=later())

    assert {leftover.path for leftover in removed} == {first, third}
    assert second.exists()
    second.unlink()
    assert tree(tmp_path) == kept


def test_what_got_a_manifest_or_changed_meanwhile_stays(tmp_path: Path) -> None:
    named, changed = orphan(tmp_path, b"weights"), partial(tmp_path)
    agreed = audit(tmp_path, own=True, now_s=later()).removable
    assert len(agreed) == 2
    write(tmp_path, f"{LIBRARY}/one/latest", manifest(tmp_path, b"weights"))
    later_s = changed.stat().st_mtime + 5
    os.utime(changed, (later_s, later_s))

    assert remove_leftovers(tmp_path, agreed, now_s=later()) == ()
    assert named.exists()
    assert changed.exists()


def test_what_is_gone_already_does_no_harm(tmp_path: Path) -> None:
    path = orphan(tmp_path)
    agreed = audit(tmp_path, own=True, now_s=later()).removable
    path.unlink()
    assert remove_leftovers(tmp_path, agreed, now_s=later()) == ()


def test_a_clean_up_waits_for_a_change_that_is_under_way(tmp_path: Path) -> None:
    path = orphan(tmp_path)
    agreed = audit(tmp_path, own=True, now_s=later()).removable
    lock = FileLock(tmp_path / ".lock")
    lock.acquire()
    cleaning = threading.Thread(target=remove_leftovers, args=(tmp_path, agreed), kwargs={"now_s": later()})
    cleaning.start()
    cleaning.join(0.5)
    assert cleaning.is_alive()
    assert path.exists()
    lock.release()
    cleaning.join(30)
    assert not path.exists()


def test_nothing_goes_while_an_engine_downloads(tmp_path: Path) -> None:
    path = orphan(tmp_path)
    agreed = audit(tmp_path, own=True, now_s=later()).removable
    with FileLock(tmp_path / ".downloads.lock"), fails("library.pull_under_way"):
        remove_leftovers(tmp_path, agreed, now_s=later())
    assert path.exists()
    assert remove_leftovers(tmp_path, agreed, now_s=later()) == agreed


def test_links_are_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    blobs = tmp_path / "models" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"sha256-{DIGEST}").symlink_to(mine)
    (blobs / f"sha256-{DIGEST}-partial").mkdir()
    assert audit(tmp_path / "models", own=True, now_s=later()).leftovers == ()


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"")
    with fails("library.folder_unreadable"):
        audit(tmp_path, own=True)
