"""Anonymous tokens, one of which a registry may want with each request.

A 401 names the address that issues tokens: ``WWW-Authenticate: Bearer realm="…",service="…",scope="…"``. With
a token, one model can be read for a while. No user name or password is sent, so private models stay private.
https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.sentences import said
from llmstack_tui.base.text import excerpt
from llmstack_tui.registry.errors import BadRegistryAnswer, NotAllowed, RegistryError, RegistryFailed
from llmstack_tui.registry.redirects import leads_inside

if TYPE_CHECKING:
    from llmstack_tui.registry.http import HttpTransport

_MAX_BYTES = 2**16
_MAX_HEADER = 2**13
_BEARER = re.compile(r"(?:^|,)\s*Bearer\s+(.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')
# The form of a token in RFC 6750.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*")
# Seconds: the lifetime of a token that states none, the longest that is believed, and how long before its end
# a token is no longer used.
_DEFAULT_LIFETIME_S, _LONGEST_LIFETIME_S, _EXPIRY_MARGIN_S = 60.0, 86_400.0, 10.0


class Challenge(Struct, frozen=True):
    """The token that a registry wants."""

    realm: str
    service: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    expires_s: float


class _TokenAnswer(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None
    expires_in: object = None


class Tokens:
    """The tokens issued so far, by the URL of their model."""

    def __init__(self, http: HttpTransport) -> None:
        self._http = http
        self._known: dict[str, _Token] = {}

    def known(self, model_url: str) -> str | None:
        """The token of a model, if there is one that has not expired."""
        token = self._known.get(model_url)
        return token.text if token is not None and token.expires_s > time.monotonic() else None

    async def fetch(self, model_url: str, header: str, *, host: str, name: str) -> str | None:
        """Get a new token; None if ``header`` asks for none.

        Args:
            header: the value of ``WWW-Authenticate``.
            host: the registry, for errors.
            name: the model, for errors.

        Raises:
            RegistryError: no token was given.
        """
        self._known.pop(model_url, None)
        challenge = parse_challenge(header)
        if challenge is None:
            return None
        url = token_url(challenge, model_url)
        realm = _host_of(challenge.realm)
        if url is None:
            raise BadRegistryAnswer("registry.unsafe_realm", host=host, realm=realm)
        if await leads_inside(model_url, url):
            raise BadRegistryAnswer("registry.inward_realm", host=host, realm=realm)
        try:
            reply = await self._http.ask(
                url, host=realm, headers={"Accept": "application/json"}, max_bytes=_MAX_BYTES
            )
        except RegistryError as error:
            # It is of another server, and has to be known as the registry's.
            error.kind, error.params = "registry.wants_token", {"host": host, "why": said(error)}
            error.host = host
            raise
        if (status := reply.status) in (400, 401, 403, 404):
            raise NotAllowed("registry.private", host=host, model=name, status=status)
        if not 200 <= status < 300:
            raise RegistryFailed("registry.realm_failed", host=host, realm=realm, status=status)
        token = _parse_token(reply.content)
        if token is None:
            raise BadRegistryAnswer("registry.bad_token", host=host, realm=realm)
        self._known[model_url] = token
        return token.text


def parse_challenge(header: str) -> Challenge | None:
    """The first Bearer challenge in a ``WWW-Authenticate``; None if there is none."""
    found = _BEARER.search(header[:_MAX_HEADER])
    if found is None:
        return None
    parameters: dict[str, str] = {}
    at, text = 0, found[1]
    while (parameter := _PARAMETER.match(text, at)) is not None:
        value = parameter[3] if parameter[2] is None else re.sub(r"\\(.)", r"\1", parameter[2])
        parameters.setdefault(parameter[1].lower(), value)
        at = parameter.end()
    if "realm" not in parameters:
        return None
    return Challenge(parameters["realm"], parameters.get("service", ""), parameters.get("scope", ""))


def token_url(challenge: Challenge, registry_url: str) -> str | None:
    """The URL to get the token from; None if it is unsafe: without TLS, unless both are on this machine."""
    realm = challenge.realm
    if not realm.isascii() or not realm.isprintable() or " " in realm:
        return None
    try:
        parts = urlsplit(realm)
        local = parts.scheme == "http" and is_loopback(realm) and is_loopback(registry_url)
        if not (parts.scheme == "https" or local) or not parts.hostname or "@" in parts.netloc:
            return None
    except ValueError:
        return None
    more = [
        (key, value) for key, value in (("service", challenge.service), ("scope", challenge.scope)) if value
    ]
    query = "&".join(filter(None, (parts.query, urlencode(more))))
    return parts._replace(query=query, fragment="").geturl()


def _host_of(url: str) -> str:
    try:
        return excerpt(urlsplit(url).netloc.rpartition("@")[2])
    except ValueError:
        return ""


def _parse_token(content: bytes) -> _Token | None:
    try:
        given = msgspec.json.decode(content, type=_TokenAnswer)
    except (ValueError, RecursionError):
        return None
    text = given.token or given.access_token or ""
    if not _TOKEN.fullmatch(text):
        return None
    stated_s = given.expires_in if isinstance(given.expires_in, int | float) else _DEFAULT_LIFETIME_S
    lifetime_s = max(min(stated_s, _LONGEST_LIFETIME_S), 0.0)
    return _Token(text, time.monotonic() + lifetime_s - _EXPIRY_MARGIN_S)
