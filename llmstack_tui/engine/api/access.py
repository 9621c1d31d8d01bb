"""Who may call the server, so that a page in a browser cannot use it behind its owner's back.

The rules and headers are those of Ollama (``allowedHostsMiddleware`` in ``server/routes.go``,
``AllowedOrigins`` in ``envconfig/config.go`` and the defaults of gin-contrib/cors): a web page needs a known
Origin, and a server bound to the loopback address accepts only Host headers that no site on the Internet can
have (against DNS rebinding). Two things differ: a server that other machines can reach needs a key, and also
checks the Host header, by rules that let in the names of a local network.
"""

from __future__ import annotations

import socket
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.responses import Response

from llmstack_tui.base.address import is_loopback_host
from llmstack_tui.engine.api.replies import error_response
from llmstack_tui.engine.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from llmstack_tui.base.secret import Secret

NO_KEY = (
    "This engine needs its key: send it in the header `Authorization: Bearer KEY` or `x-api-key: KEY`. "
    "It was missing or wrong."
)
_LOCAL_ORIGINS = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 (names of origins, nothing is bound to them)
_PROGRAM_ORIGINS = ("app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*")
_LOCAL_DOMAINS = (".localhost", ".local", ".internal")
_PRIVATE_NETWORKS = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_METHODS = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"
_HEADERS = (
    "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,X-Stainless-Async,"
    "X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,"
    "X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,"
    "X-Stainless-Runtime-Version,X-Stainless-Timeout,X-Api-Key,Anthropic-Version,Anthropic-Beta,"
    "Anthropic-Dangerous-Direct-Browser-Access"
)
_TWELVE_HOURS_S = "43200"


class AccessRules(Struct, frozen=True):
    """The allowed requests.

    Attributes:
        origins: of web pages; one may contain one ``*``.
        on_network: the server can be reached from other machines.
        key: what each request has to bring; None is nothing.
    """

    origins: tuple[str, ...]
    on_network: bool
    key: Secret | None = None


class AccessDecision(Struct, frozen=True):
    """``status`` answers the request at once, None allows it; in both cases ``headers`` are added.

    ``message`` is the error for the client; Ollama says nothing where it is empty.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    message: str = ""


def rules(environ: Mapping[str, str], bound_to: str, key: Secret | None = None) -> AccessRules:
    """The rules for a server bound to the address ``bound_to``, with the origins of ``OLLAMA_ORIGINS``."""
    own = tuple(text.strip() for text in environ.get("OLLAMA_ORIGINS", "").split(",") if text.strip())
    local = tuple(
        f"{scheme}://{name}{port}"
        for name in _LOCAL_ORIGINS
        for port in ("", ":*")
        for scheme in ("http", "https")
    )
    return AccessRules(
        origins=(*own, *local, *_PROGRAM_ORIGINS), on_network=not is_loopback_host(bound_to), key=key
    )


def decide(allowed: AccessRules, method: str, host: str, origin: str) -> AccessDecision:
    """Whether a request with these headers is allowed; an absent header is an empty text."""
    headers: tuple[tuple[str, str], ...] = ()
    if origin and origin not in (f"http://{host}", f"https://{host}"):
        if not origin_allowed(origin, allowed.origins):
            return AccessDecision(status=403)
        everyone = "*" in allowed.origins
        headers = (("Access-Control-Allow-Origin", "*" if everyone else origin),)
        if method == "OPTIONS":
            return AccessDecision(status=204, headers=headers + _preflight_headers(everyone))
        headers += () if everyone else (("Vary", "Origin"),)
    if not host_allowed(host) and not (allowed.on_network and _allowed_on_network(host, allowed.origins)):
        message = f"This engine does not answer to this name: OLLAMA_ORIGINS=http://{host[:100]} allows it."
        return AccessDecision(status=403, headers=headers, message=message if allowed.on_network else "")
    return AccessDecision(status=204 if method == "OPTIONS" else None, headers=headers)


def origin_allowed(origin: str, patterns: tuple[str, ...]) -> bool:
    """Whether a page of ``origin`` may call; a ``*`` in a pattern stands for anything."""
    return any(_matches(origin, pattern) for pattern in patterns)


def host_allowed(host: str) -> bool:
    """Whether a Host header names this machine or a private network, as no site on the Internet can."""
    name = _without_port(host).lower()
    try:
        address = ip_address(name)
    except ValueError:
        return name in ("", "localhost", socket.gethostname().lower()) or name.endswith(_LOCAL_DOMAINS)
    return (
        address.is_loopback
        or address.is_unspecified
        or any(address in network for network in _PRIVATE_NETWORKS)
        or str(address) in _own_addresses()
    )


def _allowed_on_network(host: str, origins: tuple[str, ...]) -> bool:
    """Whether a Host header is a name without a dot, as no site on the Internet has, or that of an origin."""
    return "." not in _without_port(host) or any(
        origin_allowed(f"{scheme}://{name}", origins)
        for scheme in ("http", "https")
        for name in (host, _without_port(host))
    )


def key_accepted(key: Secret, authorization: bytes) -> bool:
    """Whether an Authorization header has the key. Takes as long for every wrong one."""
    scheme, _, given = authorization.partition(b" ")
    digests = (sha256(text).digest() for text in (given.strip(), key.text.encode()))
    return compare_digest(*digests) and scheme.lower() == b"bearer"


def _has_key(headers: Mapping[bytes, bytes], key: Secret) -> bool:
    """Whether the key came as clients of OpenAI and Ollama send it, or as those of Anthropic do."""
    given = headers.get(b"authorization", b""), b"Bearer " + headers.get(b"x-api-key", b"")
    return any(key_accepted(key, each) for each in given)


def is_local_program(scope: Scope) -> bool:
    """Whether a request comes from a program on this machine. A page in a browser always sends an Origin."""
    peer = scope.get("client")
    from_page = any(name == b"origin" for name, _ in scope["headers"])
    return peer is not None and is_loopback_host(peer[0]) and not from_page


class AccessMiddleware:
    """The rules as ASGI middleware."""

    def __init__(self, app: ASGIApp, allowed: AccessRules) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host, origin = (headers.get(name, b"").decode("latin-1") for name in (b"host", b"origin"))
        decision = decide(self._allowed, scope["method"], host, origin)
        extra = [(name.encode(), value.encode("latin-1")) for name, value in decision.headers]
        status, message, key = decision.status, decision.message, self._allowed.key
        if status is None and key is not None and not _has_key(headers, key):
            status, message = 401, NO_KEY
            extra.append((b"www-authenticate", b"Bearer"))
        if status is not None:
            response = (
                error_response(scope["path"], ApiError(status, message))
                if message
                else Response(None, status)
            )
            response.raw_headers.extend(extra)
            await response(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        await self._app(scope, receive, send_with_headers if extra else send)


def _preflight_headers(everyone: bool) -> tuple[tuple[str, str], ...]:
    vary = () if everyone else ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
    return (
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Allow-Headers", _HEADERS),
        ("Access-Control-Max-Age", _TWELVE_HOURS_S),
        *(("Vary", name) for name in vary),
    )


def _matches(origin: str, pattern: str) -> bool:
    begin, star, end = pattern.partition("*")
    if not star:
        return origin == pattern
    return len(origin) >= len(begin) + len(end) and origin.startswith(begin) and origin.endswith(end)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else host


def _own_addresses() -> frozenset[str]:
    import psutil  # noqa: PLC0415 (only a request to an unusual address needs it)

    return frozenset(
        entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries
    )
