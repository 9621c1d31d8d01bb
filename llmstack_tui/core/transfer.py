"""Copies a model from one host to another.

No protocol hands out the files of a model. So they are read from a folder of this machine, where the source
may be any server that has the same version; what the destination has already is not sent again.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.address import server_id
from llmstack_tui.base.kinds import Capability, EventKind
from llmstack_tui.base.names import InvalidName, ModelName, listed_name, same_model
from llmstack_tui.base.sentences import Sentence
from llmstack_tui.hosts.errors import BadStream, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.core.options import StackParts
    from llmstack_tui.hosts.types import Model, ModelParts, Progress


async def transfer(
    parts: StackParts, source_url: str, model: str, host_url: str, name: str, *, replace: bool
) -> AsyncGenerator[Progress, None]:
    """Copy a model to the host at ``host_url``; raises as `ModelActions`."""
    name = listed_name(name or model)
    with parts.journal.act(EventKind.COPY, host_url, name, ends_well=False):
        host = parts.permissions.allowed(host_url, Capability.IMPORT, act=True)
        if server_id(source_url) == server_id(host_url):
            raise Refused("transfer.same_host", model=model, host=host_url)
        files = await _files(parts, source_url, model)
        if not replace and any(same_model(each.name, name) for each in await host.installed()):
            raise Refused("transfer.taken", model=name, host=host_url)
        async with aclosing(host.receive(name, files)) as steps:
            async for step in steps:
                yield step
        there = (await host.show(name)).weights_digest
        if there is not None and there != files.weights_digest:
            raise BadStream("transfer.differs", model=name, host=host_url, there=there[:12])
    said = Sentence("transfer.done", {"model": name, "source": source_url, "host": host_url})
    details: dict[str, object] = {"act": "copy", "asked_by": parts.journal.asked_by.value, "end": "done"}
    parts.journal.event(EventKind.COPY, said, host=host_url, model=name, details=details)
    await parts.settle(host)


async def _files(parts: StackParts, source_url: str, name: str) -> ModelParts:
    status = parts.monitors[source_url].status(name)
    model = None if status is None else status.model
    if model is None:
        raise Refused("transfer.gone", model=name, host=source_url)
    if model.is_cloud:
        raise Refused("transfer.cloud", model=name, host=source_url)
    return await asyncio.to_thread(_read, parts, source_url, model)


def _read(parts: StackParts, source_url: str, model: Model) -> ModelParts:
    from llmstack_tui.library.installed import fault_sentences  # noqa: PLC0415 (few commands read a model)
    from llmstack_tui.library.manifest import InvalidManifest  # noqa: PLC0415
    from llmstack_tui.library.parts import model_parts  # noqa: PLC0415

    try:
        found = model_parts(parts.options.model_folders(), ModelName.parse(model.name), model.digest)
    except InvalidName:
        found = None
    except (InvalidManifest, OSError) as error:
        why = fault_sentences(error)
        raise Refused("transfer.unreadable", model=model.name, host=source_url, why=why) from None
    if found is None:
        raise Refused("transfer.no_files", model=model.name, host=source_url)
    return found
