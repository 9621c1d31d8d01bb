"""Who is let in: Origin, Host and peer, by the rules of Ollama."""

from __future__ import annotations

import socket

import pytest

from llmstack_tui.base.secret import Secret
from llmstack_tui.engine.api.access import decide, host_allowed, is_local_program, key_accepted, rules

LOCAL = rules({}, "127.0.0.1")


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "https://localhost:3000",
        "http://127.0.0.1:8080",
        "http://0.0.0.0:1",
        "app://obsidian.md",
        "tauri://localhost",
        "vscode-webview://abc",
    ],
)
def test_origins_of_this_machine_and_its_programs_are_let_in(origin: str) -> None:
    verdict = decide(LOCAL, "POST", "127.0.0.1:11434", origin)
    assert verdict.status is None
    assert dict(verdict.headers) == {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "https://localhosts",
        "null",
        "http://127.0.0.2",
        "chrome-extension://abc",
    ],
)
def test_other_origins_are_refused(origin: str) -> None:
    assert decide(LOCAL, "POST", "127.0.0.1:11434", origin).status == 403
    assert decide(LOCAL, "OPTIONS", "127.0.0.1:11434", origin).status == 403


def test_origins_of_the_environment() -> None:
    allowed = rules({"OLLAMA_ORIGINS": "https://chat.example, chrome-extension://*"}, "127.0.0.1")
    assert decide(allowed, "GET", "localhost", "https://chat.example").status is None
    assert decide(allowed, "GET", "localhost", "chrome-extension://abc").status is None
    assert decide(allowed, "GET", "localhost", "http://chat.example").status == 403
    everyone = rules({"OLLAMA_ORIGINS": "*"}, "127.0.0.1")
    assert decide(everyone, "GET", "localhost", "https://a.example").headers == (
        ("Access-Control-Allow-Origin", "*"),
    )


def test_a_preflight_is_answered_with_what_is_allowed() -> None:
    verdict = decide(LOCAL, "OPTIONS", "localhost:11434", "http://localhost:3000")
    assert verdict.status == 204
    headers = dict(verdict.headers)
    assert headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert "DELETE" in headers["Access-Control-Allow-Methods"].split(",")
    assert "Content-Type" in headers["Access-Control-Allow-Headers"].split(",")


@pytest.mark.parametrize(
    "host",
    [
        "localhost:11434",
        "LOCALHOST",
        "127.0.0.1:11434",
        "127.8.8.8",
        "[::1]:11434",
        "[::1]",
        "0.0.0.0:11434",
        "192.168.1.7:11434",
        "10.0.0.1",
        "172.31.0.1",
        "box.local",
        "model.internal:11434",
        "a.localhost",
        "",
        socket.gethostname(),
    ],
)
def test_hosts_that_are_this_machine(host: str) -> None:
    assert host_allowed(host)
    assert decide(LOCAL, "GET", host, "").status is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:11434",
        "localhost.evil.example",
        "8.8.8.8",
        "172.32.0.1",
        "[2001:db8::1]",
    ],
)
def test_hosts_that_a_rebinding_page_could_use(host: str) -> None:
    assert not host_allowed(host)
    assert decide(LOCAL, "GET", host, "").status == 403
    # A page's own name is its origin, too; that must not let it past the check of the host.
    assert decide(LOCAL, "GET", host, f"http://{host}").status == 403


@pytest.mark.parametrize("host", ["gpu-box", "gpu-box:11434", "192.168.1.7:11434", "gpu-box.local", ""])
def test_a_server_for_the_network_answers_to_names_of_a_network(host: str) -> None:
    allowed = rules({}, "0.0.0.0")
    assert decide(allowed, "GET", host, "").status is None
    assert decide(allowed, "GET", host, "https://evil.example").status == 403


def test_a_server_for_the_network_answers_to_other_names_when_told() -> None:
    host = "gpu-box.example:11434"
    refused = decide(rules({}, "0.0.0.0"), "GET", host, "")
    assert (refused.status, f"OLLAMA_ORIGINS=http://{host}" in refused.message) == (403, True)
    for origins in (f"http://{host}", "https://gpu-box.example", "http://*.example", "*"):
        assert decide(rules({"OLLAMA_ORIGINS": origins}, "0.0.0.0"), "GET", host, "").status is None
        assert decide(rules({"OLLAMA_ORIGINS": origins}, "127.0.0.1"), "GET", host, "").status == 403


KEY = Secret("a-key-of-sixteen-and-more")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_key_is_accepted(scheme: str) -> None:
    assert key_accepted(KEY, f"{scheme} {KEY.text}".encode())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {KEY.text}",
        KEY.text,
        f"Bearer {KEY.text[:-1]}",
        "Bearer é",
        "Bearer set",
    ],
)
def test_what_is_not_the_key_is_not(header: str) -> None:
    assert not key_accepted(KEY, header.encode())


def test_options_without_an_origin() -> None:
    assert decide(LOCAL, "OPTIONS", "localhost", "").status == 204


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("gpu-box", False),
    ],
)
def test_loopback_addresses(address: str, expected: bool) -> None:
    assert rules({}, address).on_network is not expected


def test_only_a_program_of_this_machine_counts_as_local() -> None:
    def scope(peer: tuple[str, int] | None, *names: bytes) -> dict[str, object]:
        return {"type": "http", "client": peer, "headers": [(name, b"x") for name in names]}

    assert is_local_program(scope(("127.0.0.1", 5), b"host"))
    assert not is_local_program(scope(("127.0.0.1", 5), b"host", b"origin"))
    assert not is_local_program(scope(("192.168.0.9", 5)))
    assert not is_local_program(scope(None))
