"""The files of keys: encrypted, for their owner alone, whole or not at all; and what is wrong with them."""

from __future__ import annotations

import json
import resource
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.keys import sealing
from llmstack_tui.keys.index import KeyIndex
from llmstack_tui.keys.sealing import read_sealed, seal, unseal
from llmstack_tui.keys.types import KeysFailed, KeysLocked
from llmstack_tui.keys.vaults import FileVault
from tests.keys.conftest import REAL_COST
from tests.support.secrets import assert_nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = Secret("sk-0123456789abcdefghij")
PASSPHRASE = Secret("a sentence that nobody says")


@pytest.fixture
def vault(tmp_path: Path) -> FileVault:
    made = FileVault(tmp_path / "keys")
    made.put("openai", KEY)
    return made


def failure(act: Callable[[], object]) -> str:
    with pytest.raises(KeysFailed) as failed:
        act()
    assert KEY.text not in str(failed.value)
    return failed.value.kind


def test_what_is_put_comes_back_and_is_nowhere_else(vault: FileVault, tmp_path: Path) -> None:
    vault.put("http://box:1", Secret("other"))
    again = FileVault(tmp_path / "keys")
    assert (again.get("openai"), again.get("http://box:1"), again.get("x")) == (KEY, Secret("other"), None)
    again.drop("openai")
    again.drop("x")
    assert (again.get("openai"), again.get("http://box:1")) == (None, Secret("other"))
    assert_nowhere(KEY.text, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_only_the_owner_can_read_it(vault: FileVault) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in vault.file.parent.iterdir()}
    assert modes == {"keys.sealed": 0o600, "machine.key": 0o600}
    assert vault.file.parent.stat().st_mode & 0o777 == 0o700


def test_with_a_passphrase(vault: FileVault, tmp_path: Path) -> None:
    vault.change_passphrase(PASSPHRASE)
    assert vault.has_passphrase
    vault.machine_file.unlink()
    assert vault.get("openai") == KEY
    with pytest.raises(KeysLocked, match=r"keys\.locked"):
        FileVault(tmp_path / "keys").get("openai")
    with pytest.raises(KeysLocked, match=r"keys\.wrong_passphrase"):
        FileVault(tmp_path / "keys", Secret("wrong")).put("openai", Secret("x"))
    vault.change_passphrase(None)
    assert FileVault(tmp_path / "keys").get("openai") == KEY


def test_a_passphrase_that_is_there_does_not_change_how_a_file_is_encrypted(
    vault: FileVault, tmp_path: Path
) -> None:
    FileVault(tmp_path / "keys", PASSPHRASE).put("x", Secret("y"))
    assert not vault.has_passphrase
    assert vault.get("x") == Secret("y")


@pytest.mark.parametrize("place", ["nonce", "sealed", "version", "format", "cost"])
def test_a_changed_file_is_noticed(vault: FileVault, place: str) -> None:
    document = json.loads(vault.file.read_bytes())
    wrong = {"version": 2, "format": "x", "cost": 2**40}
    document[place] = wrong.get(place, "AAAAAAAAAAAAAAAA")
    vault.file.write_text(json.dumps(document))
    expected = "keys.other_version" if place == "version" else "keys.damaged"
    assert failure(lambda: vault.get("openai")) == expected
    assert failure(lambda: vault.put("openai", KEY)) == expected


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]", b"{", b'{"format": "llmstack-keys"}', b"x" * 2**21]
)
def test_what_is_no_file_of_keys(vault: FileVault, content: bytes) -> None:
    vault.file.write_bytes(content)
    assert failure(lambda: vault.get("openai")) == "keys.damaged"
    assert failure(lambda: vault.put("openai", KEY)) == "keys.damaged"
    assert vault.file.read_bytes() == content


def test_the_key_of_the_machine_is_missing_or_another_one(vault: FileVault) -> None:
    machine = vault.machine_file.read_bytes()
    vault.machine_file.unlink()
    assert failure(lambda: vault.put("openai", KEY)) == "keys.no_machine_key"
    vault.machine_file.write_bytes(b"no hex")
    assert failure(lambda: vault.get("openai")) == "keys.damaged"
    vault.machine_file.write_bytes(b"0" * 64)
    assert failure(lambda: vault.get("openai")) == "keys.damaged"
    vault.machine_file.write_bytes(machine)
    assert vault.get("openai") == KEY


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert failure(lambda: FileVault(tmp_path / "file").put("openai", KEY)) == "keys.unreadable"
    with pytest.raises(KeysFailed) as failed, KeyIndex(tmp_path / "file").held():
        pass
    assert failed.value.kind == "keys.not_written"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_everything_as_it_was(vault: FileVault) -> None:
    before = {file.name: file.read_bytes() for file in vault.file.parent.iterdir()}
    with files_of_at_most(8):
        assert failure(lambda: vault.put("openai", Secret("new"))) == "keys.not_written"
    assert {file.name: file.read_bytes() for file in vault.file.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("{", "keys.damaged_list"),
        ('{"version": 1, "keys": [{"owner": 3}]}', "keys.damaged_list"),
        ('{"version": 9, "keys": "of a later time"}', "keys.other_version"),
    ],
)
def test_a_list_that_cannot_be_read_is_not_overwritten(tmp_path: Path, content: str, kind: str) -> None:
    index = KeyIndex(tmp_path)
    index.file.write_text(content)
    assert failure(lambda: index.drop("openai")) == kind
    assert index.file.read_text() == content


def test_two_texts_sealed_alike_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "COST", REAL_COST)
    one, other = seal(b"text", PASSPHRASE), seal(b"text", PASSPHRASE)
    assert read_sealed(one, "").sealed != read_sealed(other, "").sealed
    assert read_sealed(one, "").cost == 2**15
    assert unseal(read_sealed(one, ""), PASSPHRASE, "") == b"text"
