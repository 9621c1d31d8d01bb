"""An export is read where it is meant to be, and by nobody without its passphrase."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure
from llmstack_tui.keys.transfer import exported, imported
from llmstack_tui.keys.types import KeyEntry, Vault
from llmstack_tui.keys.vaults import FileVault
from tests.support.secrets import assert_nowhere

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 30, tzinfo=UTC)
KEY, PASSPHRASE = Secret("sk-0123456789abcdefghij"), Secret("a sentence that nobody says")
KEYS = [
    (KeyEntry(owner="openai", vault=Vault.KEYRING, added_at=NOW, expires_at=NOW), KEY),
    (KeyEntry(owner="http://box:1", vault=Vault.FILE, added_at=NOW), Secret("other")),
]
EXPECTED = {"openai": (KEY, NOW), "http://box:1": (Secret("other"), None)}


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_there_and_back(passphrase: Secret | None, tmp_path: Path) -> None:
    content = exported(KEYS, passphrase)
    assert imported(content, "file", passphrase) == EXPECTED
    if passphrase is not None:
        assert_nowhere(KEY.text, tmp_path, [content])


SEALED = exported(KEYS, PASSPHRASE)


@pytest.mark.parametrize(
    ("content", "passphrase", "kind"),
    [
        (SEALED, None, "keys.locked"),
        (SEALED, Secret("wrong"), "keys.wrong_passphrase"),
        (SEALED[:-9], PASSPHRASE, "keys.no_export"),
        (b"", None, "keys.no_export"),
        (b"\xff", None, "keys.no_export"),
        (b'{"format": "llmstack-keys-plain", "version": 2}', None, "keys.other_version"),
        (b'{"format": "llmstack-keys-plain", "version": 1, "keys": 3}', None, "keys.damaged"),
    ],
)
def test_what_cannot_be_imported(content: bytes, passphrase: Secret | None, kind: str) -> None:
    with pytest.raises(Failure) as failed:
        imported(content, "file", passphrase)
    assert failed.value.kind == kind


@pytest.mark.parametrize(
    ("owner", "key"), [("two words", "sk-1"), ("openai", "sk 1"), ("http://b:99999", "x")]
)
def test_wrong_entries(owner: str, key: str) -> None:
    document = {"format": "llmstack-keys-plain", "version": 1, "keys": [{"owner": owner, "key": key}]}
    with pytest.raises(Failure):
        imported(json.dumps(document).encode(), "file", None)


def test_the_store_of_a_machine_is_no_export(tmp_path: Path) -> None:
    vault = FileVault(tmp_path)
    vault.put("openai", KEY)
    with pytest.raises(Failure) as failed:
        imported(vault.file.read_bytes(), "file", PASSPHRASE)
    assert failed.value.kind == "keys.of_a_machine"
