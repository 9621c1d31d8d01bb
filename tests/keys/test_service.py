"""Keys are found where they win, kept where they last, and replaced only by what is accepted."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.base.sentences import Failure
from llmstack_tui.keys.service import KeyRing
from llmstack_tui.keys.types import Expiry, FoundKey, KeyOrigin, KeyVerdict, Vault
from llmstack_tui.keys.vaults import KeyringVault
from tests.support.keyrings import ForgettingKeyring, HangingKeyring, LockedKeyring, MemoryKeyring
from tests.support.secrets import assert_nowhere

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from pathlib import Path

OLD, NEW = Secret("sk-old-0123456789-abcdef"), Secret("sk-new-0123456789-ghijkl")
VARIABLES = {"openai": "OPENAI_API_KEY"}
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Owner:
    """Accepts the keys in ``accepted``, or, if that is None, any; with ``away`` it does not answer."""

    def __init__(self, *accepted: Secret) -> None:
        self.accepted: tuple[Secret, ...] | None = accepted
        self.away = False
        self.asked: list[Secret] = []

    async def __call__(self, secret: Secret) -> bool:
        self.asked.append(secret)
        if self.away:
            raise Failure("keys.trial_failed", owner="openai", why="connection refused")
        return self.accepted is None or secret in self.accepted


class Fixture:
    """A ring over a folder; the clock stands at `NOW` plus ``later``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keyring: MemoryKeyring = MemoryKeyring()
        self.owner = Owner(OLD, NEW)
        self.later = timedelta()

    def ring(
        self,
        environ: Mapping[str, str] | None = None,
        files: Mapping[str, Path] | None = None,
        *,
        limit_s: float = 30.0,
    ) -> KeyRing:
        return KeyRing(
            self.folder,
            environ or {},
            variables=VARIABLES,
            files=files,
            trial=lambda owner: None if owner == "nobody" else self.owner,
            keyring=KeyringVault(lambda: self.keyring),
            limit_s=limit_s,
            now=lambda: NOW + self.later,
        )


@pytest.fixture
def made(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path / "keys")


async def failure(act: Awaitable[object]) -> str:
    with pytest.raises(Failure) as failed:
        await act
    assert "sk-" not in str(failed.value)
    return failed.value.kind


async def test_nothing_is_there_and_nothing_is_made(made: Fixture) -> None:
    assert await made.ring().find("openai") is None
    assert await made.ring().listed() == ()
    assert not made.folder.exists()


@pytest.mark.parametrize("in_file", [False, True])
async def test_a_key_from_its_addition_to_its_end(made: Fixture, in_file: bool, tmp_path: Path) -> None:
    ring = made.ring()
    kept = await ring.add("openai", OLD, in_file=in_file, expires_at=NOW + timedelta(days=3))
    assert (kept.verdict, kept.notes) == (KeyVerdict.VALID, ())
    assert kept.entry.vault is (Vault.FILE if in_file else Vault.KEYRING)

    made.later = timedelta(days=1)
    found = await made.ring().find("openai")
    origin = KeyOrigin.FILE if in_file else KeyOrigin.KEYRING
    assert found == FoundKey(OLD, origin, str(made.folder / "keys.sealed") if in_file else "")
    (row,) = await made.ring().listed()
    assert row.entry is not None
    assert (row.entry.added_at, row.entry.used_at, row.entry.validated_at) == (NOW, NOW + made.later, NOW)
    assert (row.expiry, row.tail, row.is_hidden) == (Expiry.SOON, "cdef", False)

    await ring.rotate("openai", NEW)
    found = await made.ring().find("openai")
    assert found is not None
    assert found.secret == NEW
    (row,) = await made.ring().listed()
    assert (row.expiry, row.tail) == (Expiry.NEVER, "ijkl")

    await ring.remove("openai")
    assert await made.ring().find("openai") is None
    assert made.keyring.words == {}
    for each in (OLD, NEW):
        assert_nowhere(each.text, tmp_path)


async def test_use_is_noted_once_a_minute(made: Fixture) -> None:
    ring = made.ring()
    await ring.add("openai", OLD)
    await ring.find("openai")
    before = (made.folder / "keys.json").stat().st_mtime_ns
    made.later = timedelta(seconds=59)
    await ring.find("openai")
    assert (made.folder / "keys.json").stat().st_mtime_ns == before


async def test_the_environment_wins_and_is_shown_as_such(made: Fixture, tmp_path: Path) -> None:
    environ = {"OPENAI_API_KEY": f" {NEW.text}\n"}
    ring = made.ring(environ)
    kept = await ring.add("openai", OLD)
    assert [each.kind for each in kept.notes] == ["keys.variable_wins"]
    assert await ring.find("openai") == FoundKey(NEW, KeyOrigin.ENVIRONMENT, "OPENAI_API_KEY")
    rows = await ring.listed()
    assert [(each.origin, each.is_hidden) for each in rows] == [
        (KeyOrigin.ENVIRONMENT, False),
        (KeyOrigin.KEYRING, True),
    ]
    assert (
        await failure(made.ring({"OPENAI_API_KEY": "sk- broken"}).find("openai")) == "keys.unsound_variable"
    )


async def test_a_plain_file_of_the_settings_wins_over_what_is_stored(made: Fixture, tmp_path: Path) -> None:
    file = tmp_path / "box.key"
    file.write_text(NEW.text)
    file.chmod(0o600)
    ring = made.ring(files={"http://box:1": file})
    await ring.add("http://box:1", OLD)
    assert await ring.find("http://box:1") == FoundKey(NEW, KeyOrigin.PLAIN_FILE, str(file))
    file.chmod(0o644)
    assert await failure(ring.find("http://box:1")) == "key.open_to_others"


async def test_a_refused_key_is_not_kept(made: Fixture) -> None:
    made.owner.accepted = ()
    assert await failure(made.ring().add("openai", OLD)) == "keys.refused"
    assert await made.ring().find("openai") is None
    assert made.owner.asked == [OLD]


async def test_a_wrong_key_is_tried_too_and_is_none_of_ours(made: Fixture) -> None:
    made.owner.accepted = None
    kept = await made.ring().add("openai", OLD)
    assert (kept.verdict, kept.entry.validated_at) == (KeyVerdict.ANY, None)
    _, wrong = made.owner.asked
    assert "llmstack-wrong" in wrong.text


async def test_who_does_not_answer_stops_a_rotation_but_no_addition(made: Fixture) -> None:
    made.owner.away = True
    ring = made.ring()
    kept = await ring.add("openai", OLD)
    assert [each.kind for each in kept.notes] == ["keys.not_validated"]
    assert kept.entry.validated_at is None
    assert await failure(ring.rotate("openai", NEW)) == "keys.trial_failed"
    assert await failure(ring.validate("openai")) == "keys.trial_failed"
    made.owner.away, made.owner.accepted = False, (OLD,)
    assert await failure(ring.rotate("openai", NEW)) == "keys.new_refused"
    found = await ring.find("openai")
    assert found is not None
    assert found.secret == OLD
    made.later = timedelta(hours=1)
    assert await ring.validate("openai") is KeyVerdict.VALID
    (row,) = await ring.listed()
    assert row.entry is not None
    assert row.entry.validated_at == NOW + made.later


async def test_what_is_asked_of_a_key_that_is_not_there(made: Fixture) -> None:
    ring = made.ring()
    assert await failure(ring.validate("openai")) == "keys.none"
    assert await failure(ring.rotate("openai", NEW)) == "keys.none_stored"
    assert await failure(ring.remove("openai")) == "keys.none_stored"
    kept = await ring.add("nobody", OLD)
    assert kept.verdict is KeyVerdict.UNKNOWN
    assert await failure(ring.add("nobody", NEW)) == "keys.there"


@pytest.mark.parametrize(
    ("keyring", "kind"),
    [
        (LockedKeyring, "keys.keyring_failed"),
        (ForgettingKeyring, "keys.keyring_lost_it"),
        (HangingKeyring, "keys.keyring_hangs"),
    ],
)
async def test_the_file_takes_over_from_a_keyring_and_says_so(
    made: Fixture, keyring: type[MemoryKeyring], kind: str
) -> None:
    made.keyring = keyring()
    ring = made.ring(limit_s=0.2)
    kept = await ring.add("openai", OLD)
    assert kept.entry.vault is Vault.FILE
    assert [each.kind for each in kept.notes] == [kind, "keys.file_instead"]
    found = await ring.find("openai")
    assert found is not None
    assert found.secret == OLD
    if isinstance(made.keyring, HangingKeyring):
        made.keyring.gate.set()


async def test_a_keyring_that_has_lost_or_withholds_a_key(made: Fixture) -> None:
    await made.ring().add("openai", OLD)
    made.keyring.words.clear()
    assert await failure(made.ring().find("openai")) == "keys.gone"
    made.keyring = LockedKeyring()
    assert await failure(made.ring().find("openai")) == "keys.keyring_failed"
    assert await failure(made.ring().remove("openai")) == "keys.keyring_failed"
    made.keyring = MemoryKeyring()
    await made.ring().remove("openai")
    assert await made.ring().listed() == ()


async def test_without_the_extra_what_needs_none_works(
    made: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("keyring", "cryptography"):
        monkeypatch.setitem(sys.modules, name, None)
    ring = KeyRing(made.folder, {"OPENAI_API_KEY": OLD.text}, variables=VARIABLES)
    found = await ring.find("openai")
    assert found is not None
    assert found.secret == OLD
    assert await failure(ring.add("http://box:1", NEW)) == "keys.not_installed"
