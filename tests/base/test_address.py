"""Addresses: the cases of Ollama's own table for ``OLLAMA_HOST``, and what is wrong in others."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmstack_tui.base.address import (
    InvalidAddress,
    default_host,
    is_loopback,
    parse_host,
    parse_ssh,
    request_url,
)
from llmstack_tui.core.wording import words


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("1.2.3.4:1234", "http://1.2.3.4:1234"),
        ("example.com", "http://example.com:11434"),
        ("example.com:1234", "http://example.com:1234"),
        ("example.com:0", "http://example.com:0"),
        ("example.com:65535", "http://example.com:65535"),
        ("EXAMPLE.com", "http://example.com:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:1337", "http://[::1]:1337"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:11434"),
        ("[::]:8080", "http://[::1]:8080"),
        (" 1.2.3.4 ", "http://1.2.3.4:11434"),
        ('"1.2.3.4"', "http://1.2.3.4:11434"),
        ("' 1.2.3.4 '", "http://1.2.3.4:11434"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://1.2.3.4", "https://1.2.3.4:443"),
        ("https://1.2.3.4:4321", "https://1.2.3.4:4321"),
        ("https://example.com/ollama/", "https://example.com:443/ollama"),
        ("example.com/ollama", "http://example.com:11434/ollama"),
        ("http://", "http://127.0.0.1:80"),
        ("ollama.com", "https://ollama.com:443"),
        ("gpu_box.local.", "http://gpu_box.local.:11434"),
    ],
)
def test_reads_addresses_as_ollama_does(text: str, url: str) -> None:
    assert parse_host(text) == url


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a b", "invalid"),
        ("\x1b[2J", "invalid"),
        ("h\x00", "invalid"),
        ("[::1", "invalid"),
        ("[::1]x", "invalid"),
        ("[gpu]:1", "invalid"),
        ("fe80::1%eth0", "invalid"),
        ("grün", "invalid"),
        ("a?b", "invalid"),
        ("1:2:3", "invalid"),
        ("ftp://x", "scheme"),
        ("HTTP://x", "scheme"),
        (":66000", "port"),
        (":-1", "port"),
        ("x:", "port"),
        ("x:abc", "port"),
        ("x:٣", "port"),
        ("x:" + "9" * 5000, "port"),
        ("http://me:secret@x", "user"),
        ("x/a b", "path"),
        ("x/a?b", "path"),
    ],
)
def test_says_what_is_wrong(text: str, kind: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_host(text)
    assert caught.value.kind == f"address.{kind}"
    assert caught.value.params == ({} if kind == "user" else {"text": text})  # A password is not shown.
    assert words(caught.value).isprintable()


@given(st.text(max_size=40))
def test_any_text_is_an_address_that_can_be_asked_or_invalid(text: str) -> None:
    try:
        url = parse_host(text)
    except InvalidAddress:
        return
    assert parse_host(url) == url
    assert httpx.URL(url).host


def test_the_default_is_that_of_ollamas_own_clients() -> None:
    assert default_host({}) == "http://127.0.0.1:11434"
    assert default_host({"OLLAMA_HOST": "gpu:1"}) == "http://gpu:1"
    with pytest.raises(InvalidAddress) as caught:
        default_host({"OLLAMA_HOST": "a b"})
    assert words(caught.value).startswith("OLLAMA_HOST has a wrong address. 'a b' is not")


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://127.9.9.9:1", True),
        ("http://[::1]:11434", True),
        ("http://[::ffff:127.0.0.1]:1", True),
        ("http://localhost:1/x", True),
        ("http://a.localhost.:1", True),
        ("http://localhost.example.com:1", False),
        ("http://192.168.1.2:1", False),
        ("https://example.com:443", False),
    ],
)
def test_knows_this_machine(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


@pytest.mark.parametrize(
    ("text", "url", "parts"),
    [
        ("ssh://ada@box", "ssh://ada@box", ("box", "ada", None, "http://127.0.0.1:11434")),
        ("ssh://MyBox/", "ssh://MyBox", ("MyBox", None, None, "http://127.0.0.1:11434")),
        (
            "ssh://box:22?server=:80",
            "ssh://box:22?server=127.0.0.1:80",
            ("box", None, 22, "http://127.0.0.1:80"),
        ),
        ("ssh://box?server=gpu", "ssh://box?server=gpu:11434", ("box", None, None, "http://gpu:11434")),
        ("ssh://a@[::1]:22", "ssh://a@[::1]:22", ("::1", "a", 22, "http://127.0.0.1:11434")),
        ("ssh://127.0.0.1", "ssh://127.0.0.1", ("127.0.0.1", None, None, "http://127.0.0.1:11434")),
    ],
)
def test_reads_addresses_over_ssh(text: str, url: str, parts: tuple[object, ...]) -> None:
    assert parse_host(text) == parse_host(url) == url
    assert parse_ssh(url) == parts
    assert request_url(url) == parts[-1]
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ssh://", "ssh"),
        ("ssh://ada@", "ssh"),
        ("ssh://ada@box/path", "ssh"),
        ("ssh://-oProxyCommand@box", "ssh"),
        ("ssh://-box", "ssh"),
        ("ssh://a b@box", "ssh"),
        ("ssh://box?key=1", "ssh"),
        ("ssh://box?server=", "ssh"),
        ("ssh://box?server=https://example.com", "ssh"),
        ("ssh://box?server=ssh://box", "ssh"),
        ("ssh://box?server=a b", "invalid"),
        ("ssh://box:99999", "port"),
        ("ssh://ada:hush@box", "password"),
    ],
)
def test_says_what_is_wrong_in_an_address_over_ssh(text: str, kind: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_host(text)
    assert caught.value.kind == f"address.{kind}"
    assert "hush" not in words(caught.value)
