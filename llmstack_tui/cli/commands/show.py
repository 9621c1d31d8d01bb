"""``llmstack show``: one model, in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean, clean_lines
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.cli.servers import Located
    from llmstack_tui.hosts.types import ModelDetails


def add_parser(commands: Commands) -> None:
    parser = add_command(commands, "show", run, "Show what is known of a model.")
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")


def run(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_show(call))


async def _show(call: Invocation) -> int:
    from llmstack_tui.cli.servers import connect, locate

    async with connect(call) as hosts:
        located = await locate(hosts, call.options.name)
        details = await located.host.show(located.name)
    document = _document(located, details)
    if call.json:
        output.write_document(document)
    else:
        _write(document)
    return 0


def _document(located: Located, details: ModelDetails) -> dict[str, object]:
    model = located.status.model
    return {
        "host": located.host.url,
        "name": located.name,
        "digest": (model.digest if model else None) or None,
        "size": model.size if model else None,
        "state": located.status.state.value,
        "family": details.family,
        "format": details.format,
        "parameters": details.parameter_size,
        "quantization": details.quantization,
        "context_length": details.context_length,
        "embedding_length": details.embedding_length,
        "capabilities": None if details.capabilities is None else sorted(details.capabilities),
        "weights_digest": details.weights_digest,
        "modified_at": output.iso(details.modified_at or (model.modified_at if model else None)),
        "options": details.parameters,
        "system": details.system,
        "template": details.template,
        "license": details.license,
        "info": dict(details.info),
    }


def _write(document: dict[str, object]) -> None:
    capabilities = document["capabilities"]
    size = document["size"]
    lines = {
        "name": document["name"],
        "host": document["host"],
        "state": document["state"],
        "digest": document["digest"],
        "size": bytes_text(size) if isinstance(size, int) else None,
        "family": document["family"],
        "parameters": document["parameters"],
        "quantization": document["quantization"],
        "context": document["context_length"],
        "embedding": document["embedding_length"],
        "can do": ", ".join(capabilities) if isinstance(capabilities, list) else None,
        "changed": document["modified_at"],
    }
    for label, value in lines.items():
        if value is not None:
            output.write(f"{label:<14}{clean(str(value), None)}")
    for label in ("options", "system", "template", "license"):
        if text := str(document[label]).strip():
            output.write(f"\n{label}")
            output.write("\n".join(f"  {line}" for line in clean_lines(text, None).splitlines()))
