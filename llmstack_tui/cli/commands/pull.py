"""``llmstack pull``: models from their registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "pull",
        run,
        "Download models. An active one is stopped first, once its request has ended, and started again.",
    )
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="qwen2.5-coder:7b, hf.co/user/model:Q4_K_M, registry/a/b:tag"
    )


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_pull(call))


async def _pull(call: Invocation) -> int:
    from llmstack_tui.base.names import InvalidName, ModelName
    from llmstack_tui.cli.progress import pull_all
    from llmstack_tui.cli.servers import connect, read_all, refuse_if_read_only
    from llmstack_tui.downloads.types import Why

    refuse_if_read_only(call)
    try:
        for name in call.options.names:
            ModelName.parse(name)
    except InvalidName as error:
        raise output.WrongUsage(str(error)) from None
    async with connect(call, act=True) as hosts:
        host = hosts[0]
        await read_all([host])
        return await pull_all(call, [host], [(host.url, name) for name in call.options.names], Why.PULL)
