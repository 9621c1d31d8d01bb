"""Addresses of servers: all forms of ``OLLAMA_HOST``, read as Ollama's own clients read them.

The rules are those of Ollama's ``envconfig.ConnectableHost``, with one difference: Ollama silently replaces
an invalid port by its default; here it is an error.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from llmstack_tui.base.sentences import Failure, said

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 11434
_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}")
_BRACKETS = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::(.*))?", flags=re.DOTALL)
# Besides the link-local addresses and those of this machine.
_INSIDE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
    )
)
_SSH = "ssh://"
_SSH_SERVER = "?server="
_SSH_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,252}")
_PATH = re.compile(r"[\w\-.~!$&'()*+,;=:@%/]*", flags=re.ASCII)


class InvalidAddress(Failure, ValueError):
    """A text that is not the address of a server."""


class SshAddress(NamedTuple):
    """A server on a machine that is reached through SSH.

    Attributes:
        host: of that machine: a name, an address, or what the user's SSH settings call it, where a capital
            letter counts.
        user, port: None leaves it to those settings.
        server: the base URL of the server, as seen from there.
    """

    host: str
    user: str | None
    port: int | None
    server: str

    def command(self, *options: str) -> str:
        """The shell command that connects to the machine, with options of ssh."""
        port = () if self.port is None else ("-p", str(self.port))
        return shlex.join(("ssh", *options, *port, f"{self.user}@{self.host}" if self.user else self.host))


def parse_host(text: str) -> str:
    """The base URL of an address: "gpu-box", ":8080", "0.0.0.0", "https://example.com/ollama", "::1".

    The default port is 11434 without a scheme, 80 after http:// and 443 after https://. The wildcard
    addresses that a server listens at (0.0.0.0, ::) become the loopback address, where a client finds it.
    Over SSH the URL stays what it is ("ssh://user@box?server=127.0.0.1:8080"): see `parse_ssh`.

    Raises:
        InvalidAddress: it is none.
    """
    text = text.strip().strip("\"'").strip()
    scheme, found, rest = text.partition("://")
    if not found:
        scheme, rest = ("https", "ollama.com:443") if text == "ollama.com" else ("http", text)
    if scheme == "ssh":
        return _ssh_url(parse_ssh(text))
    if scheme not in _PORTS:
        raise InvalidAddress("address.scheme", text=text)
    default_port = _PORTS[scheme] if found else DEFAULT_PORT
    host_port, _, path = rest.partition("/")
    if "@" in host_port:
        raise InvalidAddress("address.user")
    host, port = _split_port(host_port)
    number = default_port if port is None else _port(port, text)
    if not _PATH.fullmatch(path):
        raise InvalidAddress("address.path", text=text)
    path = path.rstrip("/")
    return f"{scheme}://{_host(host, text)}:{number}" + (f"/{path}" if path else "")


def parse_ssh(text: str) -> SshAddress:
    """The parts of an address over SSH. Its server is Ollama there, if it names none.

    Raises:
        InvalidAddress: it is none.
    """
    place, named, server = text.removeprefix(_SSH).partition(_SSH_SERVER)
    user, _, host_port = place.rstrip("/").rpartition("@")
    if ":" in user:
        raise InvalidAddress("address.password")
    host, port = _split_port(host_port)
    there = parse_host(server) if server else "" if named else parse_host("")
    if not (
        (_SSH_PART.fullmatch(host) or ":" in host)
        and (not user or _SSH_PART.fullmatch(user))
        and there.startswith("http:")
    ):
        raise InvalidAddress("address.ssh", hint="address.ssh_examples", text=text)
    return SshAddress(
        host=_host(host, text).strip("[]") if ":" in host else host,
        user=user or None,
        port=None if port is None else _port(port, text),
        server=there,
    )


def is_ssh(url: str) -> bool:
    """Whether the server at a base URL is reached through SSH."""
    return url.startswith(_SSH)


def request_url(url: str) -> str:
    """The URL that HTTP requests to the server at a base URL begin with: over SSH, its address there."""
    return parse_ssh(url).server if is_ssh(url) else url


def default_host(environ: Mapping[str, str]) -> str:
    """The base URL of the server that Ollama's clients would use.

    Raises:
        InvalidAddress: when ``OLLAMA_HOST`` is not an address.
    """
    try:
        return parse_host(environ.get("OLLAMA_HOST", ""))
    except InvalidAddress as error:
        raise InvalidAddress("address.of_ollama", why=said(error)) from None


@lru_cache(256)
def is_loopback(url: str) -> bool:
    """Whether the host of a base URL can only be this machine. Names are not looked up.

    What is reached through SSH is not, as a port of this machine may lead to another.
    """
    return not is_ssh(url) and is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """As `is_loopback`, for the host part alone: a name or an address."""
    host = host.rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def is_inside(host: str) -> bool:
    """Whether a host is this machine, or an address of a private network. Names are not looked up."""
    if is_loopback_host(host):
        return True
    try:
        address = ip_address(host.rstrip(".").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    kind = address.is_link_local or address.is_unspecified
    return kind or any(address in network for network in _INSIDE)


def server_id(url: str) -> str:
    """An id of the server at ``url``, the same for every spelling of a loopback address."""
    if not is_loopback(url):
        return url
    parts = urlsplit(url)
    return f"loopback:{parts.port}{parts.path}"


def _ssh_url(address: SshAddress) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    user = f"{address.user}@" if address.user else ""
    port = "" if address.port is None else f":{address.port}"
    server = address.server.removeprefix("http://")
    there = "" if address.server == parse_host("") else f"{_SSH_SERVER}{server}"
    return f"{_SSH}{user}{host}{port}{there}"


def _split_port(text: str) -> tuple[str, str | None]:
    """Host and port, as Go's ``net.SplitHostPort``; an IPv6 address needs brackets only before a port."""
    if brackets := _BRACKETS.fullmatch(text):
        return brackets[1], brackets[2]
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= 65535):
        raise InvalidAddress("address.port", text=whole)
    return int(text)


def _host(text: str, whole: str) -> str:
    if not text:
        return "127.0.0.1"
    try:
        # This makes an address with a zone ("fe80::1%eth0") invalid: libraries disagree on zones in URLs.
        address = ip_address(text.replace("%", "/"))
    except ValueError:
        if not _HOST_NAME.fullmatch(text):
            raise InvalidAddress("address.invalid", hint="address.examples", text=whole) from None
        return text.lower()
    if isinstance(address, IPv6Address):
        return "[::1]" if address.is_unspecified else f"[{address}]"
    return "127.0.0.1" if address.is_unspecified else str(address)
