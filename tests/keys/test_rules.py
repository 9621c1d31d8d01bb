"""What may be shown of a key, when it ends, and what a validation has shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llmstack_tui.base.address import InvalidAddress
from llmstack_tui.keys.rules import expiry, is_trusted, owner_of, sound, tail_of, verdict
from llmstack_tui.keys.types import Expiry, KeysFailed, KeyVerdict

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("openai", "openai"),
        (" OpenAI ", "openai"),
        ("my-vllm", "my-vllm"),
        ("http://gpu-box:8000/", "http://gpu-box:8000"),
        ("gpu-box:8000", "http://gpu-box:8000"),
        ("https://API.example.com/v1", "https://api.example.com:443/v1"),
    ],
)
def test_owners(text: str, owner: str) -> None:
    assert owner_of(text) == owner


@pytest.mark.parametrize("text", ["", "two words", "-x", "a" * 41, "ä", "x\x1b"])
def test_no_owners(text: str) -> None:
    with pytest.raises(KeysFailed) as failed:
        owner_of(text)
    assert failed.value.kind == "keys.no_owner"


@pytest.mark.parametrize("text", ["sk-first-7d3f0a9b1c2e4f56", "AIzaSyD0123456789_abcdefgh", "x" * 60 + "1"])
def test_a_key_in_the_place_of_its_owner_is_not_repeated(text: str) -> None:
    with pytest.raises(KeysFailed) as failed:
        owner_of(text)
    assert (failed.value.kind, failed.value.params) == ("keys.owner_like_key", {})


def test_a_wrong_address_is_no_owner() -> None:
    with pytest.raises(InvalidAddress):
        owner_of("http://box:99999999")


@pytest.mark.parametrize(
    "text", ["", "  \n", "sk-with space", "sk-line\nbreak", "sk-\x00", "sk-ñ", "x" * 4097]
)
def test_unsound_keys_are_not_repeated(text: str) -> None:
    with pytest.raises(KeysFailed) as failed:
        sound(text)
    assert not text.strip() or text not in str(failed.value)


def test_a_key_loses_the_line_break_after_it() -> None:
    assert sound("sk-1\r\n").text == "sk-1"


@pytest.mark.parametrize(("text", "tail"), [("x" * 19, ""), ("x" * 16 + "wxyz", "wxyz")])
def test_a_short_key_shows_nothing(text: str, tail: str) -> None:
    assert tail_of(sound(text)) == tail


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (None, Expiry.NEVER),
        (timedelta(0), Expiry.PAST),
        (timedelta(seconds=1), Expiry.SOON),
        (timedelta(days=14), Expiry.SOON),
        (timedelta(days=14, seconds=1), Expiry.LATER),
    ],
)
def test_when_a_key_ends(left: timedelta | None, expected: Expiry) -> None:
    assert expiry(None if left is None else NOW + left, NOW) is expected


@pytest.mark.parametrize(
    ("takes_key", "takes_wrong", "expected"),
    [
        (True, False, KeyVerdict.VALID),
        (True, True, KeyVerdict.ANY),
        (False, False, KeyVerdict.REFUSED),
        (False, True, KeyVerdict.REFUSED),
    ],
)
def test_verdicts(takes_key: bool, takes_wrong: bool, expected: KeyVerdict) -> None:
    assert verdict(takes_key=takes_key, takes_wrong=takes_wrong) is expected


@pytest.mark.parametrize(
    ("module", "trusted"),
    [
        ("keyring.backends.SecretService", True),
        ("keyring.backends.macOS", True),
        ("keyring.backends.chainer", True),
        ("keyring.backends.fail", False),
        ("keyring.backends.null", False),
        ("keyrings.alt.file", False),
    ],
)
def test_which_keyrings_are_trusted(module: str, trusted: bool) -> None:
    assert is_trusted(module) is trusted
