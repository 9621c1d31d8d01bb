"""``llmstack import``: make a model of a GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.hosts.types import Progress


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands, "import", run, "Make a model of a GGUF file. The file itself stays as it is."
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a GGUF file of this machine")
    parser.add_argument("name", metavar="NAME", nargs="?", help="the model's name (default: from the file's)")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_import(call))


async def _import(call: Invocation) -> int:
    from llmstack_tui.base.names import InvalidName, ModelName, same_model
    from llmstack_tui.cli.servers import acting, closing, connect, read, refuse_if_read_only
    from llmstack_tui.lifecycle.changes import EventKind
    from llmstack_tui.lifecycle.states import statuses

    refuse_if_read_only(call)
    try:
        name = ModelName.parse(call.options.name or _suggested(call.options.file)).short
    except InvalidName as error:
        raise output.WrongUsage(str(error)) from None
    path = call.options.file.absolute()
    line = output.StatusLine(call.environ)
    async with connect(call, act=True) as hosts, acting() as acts:
        host = hosts[0]
        try:
            with acts.journal.act(EventKind.IMPORT, host.url, name):
                async with closing(host.import_gguf(path, name)) as progress:
                    async for step in progress:
                        line.show(_text(step))
        finally:
            line.clear()
        models = statuses(await read(host))
    model = next((each.model for each in models if each.model and same_model(each.name, name)), None)
    if call.json:
        output.write_document(
            {
                "host": host.url,
                "name": model.name if model else name,
                "digest": model.digest if model else None,
                "size": model.size if model else None,
            }
        )
    else:
        output.write(clean(f"{name} is installed at {host.url}: `llmstack start {name}` loads it."))
    return 0


def _suggested(file: Path) -> str:
    from llmstack_tui.gguf.source import InvalidGGUF
    from llmstack_tui.library.importing import suggest_name

    try:
        return suggest_name(file)
    except InvalidGGUF as error:
        raise output.Failed(str(error)) from None


def _text(step: Progress) -> str:
    if not step.total or step.completed is None:
        return step.status
    share = 100 * min(step.completed, step.total) // step.total
    return f"{step.status} {share} % of {bytes_text(step.total)}"
