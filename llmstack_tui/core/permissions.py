"""What may be done on which host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import excerpt
from llmstack_tui.hosts.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from llmstack_tui.base.kinds import Capability
    from llmstack_tui.hosts.host import Host


class Permissions:
    """By the settings, and by what each host can do.

    Args:
        hosts: by URL.
        look_only: the URLs of hosts on which nothing may be changed, as with ``read_only`` on none.
    """

    def __init__(self, hosts: Mapping[str, Host], *, read_only: bool, look_only: Collection[str]) -> None:
        self._hosts = hosts
        self.read_only = read_only
        self.look_only = frozenset(look_only)

    def allowed(self, host_url: str, capability: Capability, *, act: bool = False) -> Host:
        """The host, if it can do this and, to ``act``, may be changed. Raises `Refused`."""
        if act and self.read_only:
            raise Refused("Nothing can be changed: llmstack was started read-only.", host=host_url)
        if act and host_url in self.look_only:
            raise Refused(
                f"{host_url} is only looked at.",
                host=host_url,
                hint='To change something there, give it allow = "act" in the settings.',
            )
        host = self._hosts.get(host_url)
        if host is None:
            raise Refused(f"{excerpt(host_url)} is no host of this dashboard.", host=host_url)
        if capability not in host.capabilities:
            word = (capability.name or "this").lower()
            raise Refused(f"{host_url} cannot do this: it has no way to {word}.", host=host_url)
        return host

    def may_act(self, host_url: str) -> bool:
        """Whether anything may be changed on the host at this URL."""
        return not self.read_only and host_url not in self.look_only

    @property
    def acting_urls(self) -> tuple[str, ...]:
        """The hosts on which something may be changed; all of them where nothing may, to be refused there."""
        return tuple(url for url in self._hosts if self.read_only or url not in self.look_only)
