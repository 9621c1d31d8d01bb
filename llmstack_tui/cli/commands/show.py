"""``llmstack show``: one model, in full."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.units import ago_text, bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import locate, look, opened

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.lifecycle.states import ModelStatus


def add_options(parser: Parser) -> None:
    parser.add_argument("name", metavar=tr("NAME"), help=tr("a model, as `llmstack ls` lists it"))


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
        tr("name"): found["name"],
        tr("host"): found["host"],
        tr("state"): tr(str(found["state"])),
        tr("version"): str(found["digest"])[:12] if found["digest"] else None,
        tr("size"): bytes_text(size) if isinstance(size, int) else None,
        tr("family"): found["family"],
        tr("parameters"): found["parameters"],
        tr("quantization"): found["quantization"],
        tr("context"): found["context_length"],
        tr("embedding"): found["embedding_length"],
        tr("can do"): ", ".join(capabilities) if isinstance(capabilities, list) else None,
        tr("changed"): ago_text(changed, datetime.now(UTC)) if isinstance(changed, datetime) else None,
    }
    for label, value in lines.items():
        if value is not None:
            output.write(f"{label:<14}{value!s}")
    texts = {
        "options": tr("options"),
        "system": tr("system"),
        "template": tr("template"),
        "template_notes": tr("template notes"),
        "license": tr("license"),
    }
    for key, label in texts.items():
        if text := str(found[key]).strip():
            output.write_text(f"\n{label}")
            output.write_text("\n".join(f"  {line}" for line in text.splitlines()))
