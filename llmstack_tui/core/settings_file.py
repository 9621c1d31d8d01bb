"""The settings as they are shown and changed one by one."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Failure, Sentence, said
from llmstack_tui.base.structs import replace
from llmstack_tui.config.editing import change, document_of
from llmstack_tui.config.key import key_file, make_key
from llmstack_tui.core.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.base.toml import Path as Place
    from llmstack_tui.config.hosts import HostSettings
    from llmstack_tui.config.settings import LoadedSettings


class SettingsFile:
    """The file of settings.

    Args:
        file: where it is, or would be.
        load: reads it and the environment.
        on_change: called when a setting was changed here.

    Attributes:
        file: as above.
    """

    def __init__(
        self,
        file: Path,
        load: Callable[[], LoadedSettings],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.file = file
        self._load = load
        self._on_change = on_change

    async def load(self) -> LoadedSettings:
        """The settings of now, of the file and the environment."""
        return await asyncio.to_thread(self._load)

    async def document(self) -> dict[str, object]:
        """What is written in the file."""
        return await asyncio.to_thread(document_of, self.file)

    async def change(self, values: Mapping[Place, str | None]) -> None:
        """As `config.editing.change`.

        Raises:
            NotWritten: the file cannot be changed. It is as it was.
        """
        await asyncio.to_thread(change, self.file, values)
        self._on_change()

    async def test(self, host: HostSettings) -> tuple[bool, Sentences]:
        """Whether a server answers, and what there is to say."""
        from llmstack_tui.core.servers import host_at  # noqa: PLC0415  # few test one
        from llmstack_tui.doctor.rules.servers import server_name  # noqa: PLC0415
        from llmstack_tui.doctor.sources.servers import server_facts  # noqa: PLC0415

        settings = replace((await self.load()).settings, hosts=(host,))
        try:
            key = await key_of(host.url, settings, os.environ)
            asked = await asyncio.to_thread(host_at, host.url, key, settings)
        except Failure as error:
            return False, said(error)
        (facts,) = await server_facts([asked], {host.url})
        if facts.problem:
            return False, facts.problem
        about = {"url": host.url, "name": server_name(facts.kind), "version": facts.version}
        return True, (Sentence("doctor.answers", about),)

    async def make_key(self) -> tuple[Path, bool]:
        """Make a key of the built-in engine; the file that has it, and whether it was made just now.

        Raises:
            KeyFailed: it cannot be written.
        """
        loaded = await self.load()
        file = key_file(loaded.settings.engine)
        return file, await asyncio.to_thread(make_key, file)
