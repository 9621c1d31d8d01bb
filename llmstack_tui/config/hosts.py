"""The setting ``hosts``: which servers to use, and what may be done on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.base.sentences import Sentence, said
from llmstack_tui.config.kinds import Complain, InvalidValue, SettingKind, file, one_of, quoted, shown, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from llmstack_tui.config.kinds import Place

Allow = Literal["look", "act"]
ALLOW: tuple[Allow, ...] = get_args(Allow)

_LONGEST_NAME = 40
_KEYS = ("url", "name", "allow", "api_key_file", "kind")
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """A server.

    Attributes:
        url: its base URL, as `llmstack_tui.base.address.parse_host` makes it.
        name: its name on the screen, or "".
        allow: "look" only, or "act"; None is "act" on this machine and "look" elsewhere, as the models there
            may be other people's.
        api_key_file: the file with the key that this server asks for.
        kind: which program it is; None asks it.
    """

    url: str
    name: str = ""
    allow: Allow | None = None
    api_key_file: str | None = None
    kind: ServerKind | None = None

    @property
    def may_act(self) -> bool:
        from llmstack_tui.base.address import is_loopback  # noqa: PLC0415 (most users name no host)

        return self.allow == "act" or (self.allow is None and is_loopback(self.url))


def hosts() -> SettingKind[tuple[HostSettings, ...]]:
    return SettingKind(Sentence("allowed.hosts"), _read, _write, in_environment="127.0.0.1:11434,gpu-box")


def _read(value: object, complain: Complain) -> tuple[HostSettings, ...]:
    if isinstance(value, str):
        value = re.findall(r"[^\s,]+", value)
    if not isinstance(value, list):
        raise InvalidValue
    found: dict[str, HostSettings] = {}
    for number, item in enumerate(value):
        host = _read_host(item, partial(_complain_within, complain, number))
        if host is not None and found.setdefault(host.url, host) is not host:
            complain((number,), Sentence("setting.host_twice", {"url": host.url}))
    return tuple(found.values())


def _complain_within(complain: Complain, number: int, path: Place, fault: Sentence) -> None:
    complain((number, *path), fault)


def _read_host(item: object, complain: Complain) -> HostSettings | None:
    if not isinstance(item, dict):
        url = _read_url(item, partial(complain, ()))
        return HostSettings(url=url) if url else None
    for key in item:
        if key not in _KEYS:
            complain((key,), Sentence("setting.unknown", {"known": _KEYS}))
    url = _read_url(item.get("url"), partial(complain, ("url",)))
    name = item.get("name", "")
    if not isinstance(name, str) or not name.isprintable() or len(name) > _LONGEST_NAME:
        complain(("name",), wrong(Sentence("allowed.name", {"most": _LONGEST_NAME}), name))
        name = ""
    allow = item.get("allow")
    if allow is not None and allow not in ALLOW:
        complain(("allow",), Sentence("setting.wrong_allow", {"value": shown(allow)}))
        allow = "look"
    key = item.get("api_key_file")
    if key is not None:
        try:
            key = file().read(key, complain)
        except InvalidValue:
            complain(("api_key_file",), wrong(file().allowed, key))
            key = None
    kind = item.get("kind", AUTO)
    try:
        kind = _server().read(kind, complain)
    except InvalidValue:
        complain(("kind",), wrong(_server().allowed, kind))
        kind = AUTO
    if url is None:
        return None
    server = None if kind == AUTO else ServerKind(kind)
    return HostSettings(url=url, name=name, allow=allow, api_key_file=key, kind=server)


def _server() -> SettingKind[str]:
    return one_of(AUTO, *ServerKind)


def _read_url(value: object, complain: Callable[[Sentence], None]) -> str | None:
    from llmstack_tui.base.address import InvalidAddress, parse_host  # noqa: PLC0415 (as above)

    try:
        if isinstance(value, str) and value.strip():
            return parse_host(value)
        no_address = Sentence("setting.no_address")
        complain(no_address if value is None else wrong(Sentence("allowed.address"), value))
    except InvalidAddress as error:
        complain(Sentence("setting.wrong_address", {"why": said(error)}))
    return None


def as_written(before: object, after: Sequence[object]) -> str:
    """New ``hosts`` as TOML, with each that the file has already as it is written there.

    Args:
        before: what the file has.
        after: the new ones, as they are written without it.
    """
    old = before if isinstance(before, list) else []
    present = {host.url: each for each in reversed(old) for host in _read([each], lambda *_: None)}
    are_tables = bool(old) and all(isinstance(each, dict) for each in old)
    return _listed(_like(each, present, are_tables=are_tables) for each in after)


def _like(item: object, present: Mapping[str, object], *, are_tables: bool) -> dict[str, str] | str:
    faults: list[Sentence] = []
    (host,) = _read([item], lambda *_: None)
    before = present.get(host.url)
    written = before.get("url") if isinstance(before, dict) else before
    pairs = {**_pairs(host), "url": written if isinstance(written, str) else host.url}
    if (
        before is not None
        and _read([before], lambda _, fault: faults.append(fault)) == (host,)
        and not faults
    ):
        return before  # type: ignore[return-value]  # texts, as there is no fault
    return pairs if len(pairs) > 1 or isinstance(before, dict) or are_tables else pairs["url"]


def _write(value: tuple[HostSettings, ...]) -> str:
    return _listed(_pairs(host) if host != HostSettings(url=host.url) else host.url for host in value)


def _listed(items: Iterable[dict[str, str] | str]) -> str:
    return f"[{', '.join(quoted(each) if isinstance(each, str) else _table(each) for each in items)}]"


def _pairs(host: HostSettings) -> dict[str, str]:
    return {key: text for key in _KEYS if (text := getattr(host, key))}


def _table(pairs: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{key} = {quoted(text)}' for key, text in pairs.items())} }}"
