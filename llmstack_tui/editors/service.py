"""The settings of clients for the models of the hosts: shown, copied, written, and tested from here."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmstack_tui.base import text_files as files
from llmstack_tui.base.paths import NoHome
from llmstack_tui.base.text_files import NotWritten
from llmstack_tui.editors.rules import jsonc, toml, yaml
from llmstack_tui.editors.rules.clients import LABELS, defaults, offers, places
from llmstack_tui.editors.rules.keys import exports, marked, with_key
from llmstack_tui.editors.rules.values import NotMergeable, replaced
from llmstack_tui.editors.types import Draft, Endpoint, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.base.text_files import Written
    from llmstack_tui.editors.rules.clients import Places
    from llmstack_tui.editors.types import Api, Setup, TrialReport, Unsuited
    from llmstack_tui.hosts.types import Snapshot


class EditorService:
    """Makes settings on demand.

    Args:
        keys: the key of each host that asks for one, by URL.
    """

    def __init__(self, keys: Mapping[str, Secret]) -> None:
        self._keys = keys

    def endpoint(self, snapshot: Snapshot, model: str, capabilities: frozenset[str] | None) -> Endpoint:
        """What is known of a model, which the host lists as installed or loaded.

        Args:
            capabilities: what the model can do; None if that is not known.
        """
        installed = next((each for each in snapshot.installed if each.name == model), None)
        running = next((each for each in snapshot.running if each.name == model), None)
        context = running.context_length if running else None
        return Endpoint(
            url=snapshot.url,
            model=model,
            kind=snapshot.server.kind if snapshot.server else None,
            server=snapshot.server.server if snapshot.server else None,
            version=snapshot.server.version if snapshot.server else "",
            context_length=context,
            capabilities=capabilities,
            unusable=installed.unusable if installed else None,
            has_key=snapshot.url in self._keys,
        )

    def offers(self, endpoint: Endpoint) -> tuple[Setup | Unsuited, ...]:
        """The settings of each client, or why it cannot use the model.

        Raises:
            NoHome: nobody knows where this user's files are.
        """
        return offers(endpoint, _user_places())

    def whole(self, setup: Setup, endpoint: Endpoint) -> Secret:
        """The settings with the key, as they are copied."""
        return with_key(setup.text, setup.form, self._keys.get(endpoint.url))

    def exports(self, setup: Setup, endpoint: Endpoint) -> Secret:
        """The lines for a shell that set what the client's environment must have, with the key."""
        return with_key(exports(setup.variables), Form.SHELL, self._keys.get(endpoint.url))

    async def plan(self, setup: Setup, endpoint: Endpoint) -> Draft:
        """What writing these settings would do; nothing is written yet.

        Raises:
            NotWritten: they cannot be written; says why, and what to do.
        """
        return await asyncio.to_thread(_planned, setup, self._keys.get(endpoint.url))

    async def write(self, setup: Setup, draft: Draft, endpoint: Endpoint) -> Written:
        """Write the settings as planned, with the key.

        Raises:
            NotWritten: the file has changed since, or cannot be written. It is as it was.
        """
        key = self._keys.get(endpoint.url)
        before = None if draft.before is None else with_key(draft.before, setup.form, key)
        text = with_key(draft.after, setup.form, key)
        return await asyncio.to_thread(files.write, draft.file, text, before)

    async def test(
        self, api: Api, endpoint: Endpoint, begun: Callable[[], None] = lambda: None
    ) -> TrialReport:
        """Send one request as the client does; the model should be loaded. May be cancelled.

        Args:
            begun: called with the first piece of the answer.
        """
        from llmstack_tui.editors.trial import tried  # noqa: PLC0415  # httpx, for a test alone

        return await tried(api, endpoint, self._keys.get(endpoint.url), begun)


def _user_places() -> Places:
    try:
        return places(Path.home(), os.environ, sys.platform)
    except RuntimeError:
        raise NoHome("home.unknown") from None


def _planned(setup: Setup, key: Secret | None) -> Draft:
    if setup.values is None:
        raise NotWritten("editors.only_shown", client=LABELS[setup.client])
    named = next((file for file in setup.files if file.is_symlink() or file.exists()), setup.files[-1])
    file = files.target_of(named)
    link = named if file != named else None
    before = marked(files.read(file), setup.form, key)
    if before is None or not before.strip():
        return Draft(file=file, link=link, before=before, after=f"{setup.text}\n")
    try:
        after, changed = _merged(setup, before)
    except NotMergeable as error:
        params: dict[str, Any] = {**error.params, "file": str(named)}
        raise NotWritten(error.kind, **params) from None
    return Draft(file=file, link=link, before=before, after=after, replaced=changed)


def _merged(setup: Setup, before: str) -> tuple[str, tuple[str, ...]]:
    """The text with the settings in it, and which of its own they replace."""
    values = setup.values or {}
    match setup.form:
        case Form.YAML:
            changed = yaml.replaced(before, values)
            return yaml.merged(before, values, defaults(setup.client)), tuple(sorted(changed))
        case Form.TOML:
            old: object = toml.read(before)
            return toml.merged(before, values), tuple(sorted(replaced(old, values)))
    return jsonc.merged(before, values), tuple(sorted(replaced(jsonc.read(before), values)))
