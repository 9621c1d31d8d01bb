"""How Ollama reads its variables, and what is wrong with a value.

Seen on 0.24 and 0.33: blanks and quotes around a value are taken off; a number, a duration or an address that
is none leaves the default in force, with at most a warning in the log; a flag that is none is yes; an address
that does not exist, and an origin without a scheme, end the server at its start. A duration may be bare
seconds, a negative one is for ever.
"""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address

from llmstack_tui.base.address import InvalidAddress, is_loopback, parse_host
from llmstack_tui.base.durations import InvalidDuration, format_duration, parse_go_duration
from llmstack_tui.base.sentences import Param, Sentence, said
from llmstack_tui.variables.types import OllamaVariable, VariableKind

FOREVER = "-1"
MOST_CHARACTERS = 4000
_YES = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_NO = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_LONGEST = timedelta(days=365 * 200)
_LEVELS = {"INFO": "0", "DEBUG": "1", "DEBUG-4": "2"}
# What Ollama adds to the origins begins so, in its log.
_OWN_ORIGINS = "http://localhost"
_ORIGIN = re.compile(r"\*|[A-Za-z][A-Za-z0-9+.-]*://[^\s,]+|[^\s,]*\*[^\s,]*")
_LIMIT = 2**63


def bare(text: str) -> str:
    """A value without what Ollama takes off."""
    return text.strip("\"' ")


def check(variable: OllamaVariable, text: str) -> Sentence | None:
    """Why Ollama would not take this value as it is meant, with what is allowed; None if it would."""
    about: dict[str, Param] = {"name": variable.name, "value": (value := bare(text))}
    if any(not char.isprintable() for char in text) or len(text) > MOST_CHARACTERS:
        return Sentence("variables.characters", {**about, "most": MOST_CHARACTERS})
    if not value:
        return Sentence("variables.empty", about)
    if variable.kind is VariableKind.ADDRESS:
        return _address_fault(variable, value)
    if kind := _fault(variable, value):
        return Sentence(kind, {**about, "least": variable.least, "choices": variable.choices})
    return None


def _fault(variable: OllamaVariable, value: str) -> str:
    """The kind of the sentence about a wrong value; "" if it is right."""
    number = _whole(value)
    kind, is_right = {
        VariableKind.FLAG: ("no_flag", value in _YES | _NO),
        VariableKind.COUNT: ("no_count" if number is None else "too_small", (number or 0) >= variable.least),
        VariableKind.BYTES: ("no_bytes", number is not None),
        VariableKind.DURATION: ("no_duration", _duration(value) is not None),
        VariableKind.CHOICE: ("no_choice", value in variable.choices),
        VariableKind.LEVEL: ("no_level", value in ("0", "1", "2", "true", "false")),
        VariableKind.ORIGINS: ("no_origin", all(map(_ORIGIN.fullmatch, value.split(",")))),
        VariableKind.FOLDER: ("no_folder", value.startswith("/")),
    }.get(variable.kind, ("", True))
    if variable.kind is VariableKind.COUNT:
        is_right = number is not None and is_right
    return "" if is_right else f"variables.{kind}"


def in_force(variable: OllamaVariable, text: str) -> str:
    """What a value comes to once Ollama has read it, also one that its log tells; "" where Ollama chooses."""
    value = bare(text)
    if not value:
        return variable.default
    read = {
        VariableKind.FLAG: _flag_in_force,
        VariableKind.COUNT: _number_in_force,
        VariableKind.BYTES: _number_in_force,
        VariableKind.DURATION: _duration_in_force,
        VariableKind.LEVEL: _level_in_force,
        VariableKind.ADDRESS: _address_in_force,
        VariableKind.ORIGINS: _origins_in_force,
    }.get(variable.kind)
    return value if read is None else read(variable, value)


def _flag_in_force(_: OllamaVariable, value: str) -> str:
    return "false" if value in _NO else "true"


def _number_in_force(variable: OllamaVariable, value: str) -> str:
    whole = _whole(value)
    return variable.default if whole is None or (not whole and not variable.default) else str(whole)


def _duration_in_force(variable: OllamaVariable, value: str) -> str:
    if (duration := _duration(value)) is None:
        return variable.default
    # A load that may stand still for no time at all may do so for ever.
    is_endless = duration < timedelta(0) or (not duration and variable.name == "OLLAMA_LOAD_TIMEOUT")
    return FOREVER if is_endless or duration > _LONGEST else format_duration(duration)


def _level_in_force(variable: OllamaVariable, value: str) -> str:
    level = {"true": "1", "false": "0"}.get(value) or _LEVELS.get(value, value)
    return {number: name for name, number in _LEVELS.items()}.get(level, variable.default)


def _address_in_force(variable: OllamaVariable, value: str) -> str:
    return _address(value) or variable.default


def _origins_in_force(_: OllamaVariable, value: str) -> str:
    if not value.startswith("["):
        return value
    return ",".join(value.strip("[]").partition(_OWN_ORIGINS)[0].split())


def same(variable: OllamaVariable, one: str, other: str) -> bool:
    """Whether two values come to the same."""
    return in_force(variable, one) == in_force(variable, other)


def opens(variable: OllamaVariable, text: str) -> bool:
    """Whether a value lets other machines in, which Ollama never asks for a key."""
    if variable.kind is not VariableKind.ADDRESS:
        return False
    host, _, _ = in_force(variable, text).rpartition(":")
    if not host or _is_wildcard(host):
        return True
    return not is_loopback(f"http://{host}")


def _whole(text: str) -> int | None:
    """As Go's ``strconv.ParseUint``: digits alone."""
    found = re.fullmatch(r"[0-9]{1,19}", text)
    return int(text) if found and int(text) < _LIMIT else None


def _duration(text: str) -> timedelta | None:
    try:
        if re.fullmatch(r"-?[0-9]{1,10}", text):
            return timedelta(seconds=int(text))
        return parse_go_duration(text)
    except InvalidDuration:
        return None


def _address(text: str) -> str:
    """Host and port at which the server listens; "" if the port is none."""
    rest = text.partition("://")[2] or text
    try:
        url = parse_host(text)
    except InvalidAddress:
        return "" if re.search(r":[^:\]]*$", rest) else rest
    place = url.partition("://")[2].partition("/")[0]
    host, _, port = place.rpartition(":")
    listens = rest.partition("/")[0].removesuffix(f":{port}").strip("[]")
    # A wildcard is where a client finds the server; it listens there as it is written.
    return f"{listens}:{port}" if _is_wildcard(listens) else f"{host}:{port}"


def _is_wildcard(host: str) -> bool:
    if not host:
        return True
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _address_fault(variable: OllamaVariable, value: str) -> Sentence | None:
    try:
        url = parse_host(value)
    except InvalidAddress as error:
        return Sentence("variables.no_address", {"name": variable.name, "why": said(error)})
    host = url.partition("://")[2].rpartition(":")[0]
    if re.fullmatch(r"[0-9.]+", host):
        try:
            ip_address(host)
        except ValueError:
            return Sentence("variables.no_ip", {"name": variable.name, "value": host})
    return None
