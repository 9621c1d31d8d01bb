"""``llmstack show``: one model, in full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import locate, look, opened

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.lifecycle.states import ModelStatus


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a model, as `llmstack ls` lists it")


async def run(core: Core, options: Namespace) -> int:
    async with opened(core, start="owner") as stack:
        await look(stack)
        status = locate(stack, options.name, short=True)
        found = document(status, await stack.actions.details(status.host, status.name))
    return output.answer(options, found, lambda: _write(found))


def document(status: ModelStatus, details: ModelDetails) -> dict[str, object]:
    model = status.model
    return {
        "host": status.host,
        "name": status.name,
        "digest": (model.digest if model else None) or None,
        "size": model.size if model else None,
        "state": status.state,
        "family": details.family,
        "format": details.format,
        "parameters": details.parameter_size,
        "quantization": details.quantization,
        "context_length": details.context_length,
        "embedding_length": details.embedding_length,
        "capabilities": None if details.capabilities is None else sorted(details.capabilities),
        "weights_digest": details.weights_digest,
        "modified_at": details.modified_at or (model.modified_at if model else None),
        "options": details.parameters,
        "system": details.system,
        "template": details.template,
        "template_notes": details.template_notes,
        "license": details.license,
        "info": dict(details.info),
    }


def _write(found: dict[str, object]) -> None:
    capabilities, size, changed = found["capabilities"], found["size"], found["modified_at"]
    lines = {
        "name": found["name"],
        "host": found["host"],
        "state": found["state"],
        "version": str(found["digest"])[:12] if found["digest"] else None,
        "size": bytes_text(size) if isinstance(size, int) else None,
        "family": found["family"],
        "parameters": found["parameters"],
        "quantization": found["quantization"],
        "context": found["context_length"],
        "embedding": found["embedding_length"],
        "can do": ", ".join(capabilities) if isinstance(capabilities, list) else None,
        "changed": ago_text(changed, datetime.now(UTC)) if isinstance(changed, datetime) else None,
    }
    for label, value in lines.items():
        if value is not None:
            output.write(f"{label:<14}{value!s}")
    for label in ("options", "system", "template", "template_notes", "license"):
        if text := str(found[label]).strip():
            output.write_text(f"\n{label.replace('_', ' ')}")
            output.write_text("\n".join(f"  {line}" for line in text.splitlines()))
