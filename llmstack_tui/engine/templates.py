"""The chat template that a model runs with, and the capabilities that follow from it.

llama.cpp takes Jinja templates, and most GGUF files contain one. Ollama keeps Go templates in a layer beside
the weights. For a file without a template, the Go template identifies the known Jinja template to use.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header
    from llmstack_tui.library.installed import InstalledModel

# Ollama's names of capabilities.
COMPLETION, EMBEDDING, TOOLS, THINKING = "completion", "embedding", "tools", "thinking"


class KnownTemplate(Struct, frozen=True):
    """A Jinja template.

    It fits a model whose Go template contains all ``markers``, or a model without a Go template that has one
    of the ``architectures``.
    """

    name: str
    jinja: str
    markers: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


def chat_template_for(model: InstalledModel, header: Header) -> str | None:
    """The Jinja template to load the model with; None if its file has one or it only makes embeddings."""
    if header.chat_template is not None or header.is_embedding:
        return None
    return recognise(model.template, header.architecture).jinja


def recognise(go_template: str | None, architecture: str) -> KnownTemplate:
    """The known template that is equivalent to ``go_template`` or, without that, made for the architecture.

    If none fits: "plain", which passes the bare text of the messages.
    """
    *known, plain = known_templates()
    if go_template:
        fitting = (
            each for each in known if each.markers and all(text in go_template for text in each.markers)
        )
    else:
        fitting = (each for each in known if architecture in each.architectures)
    return next(fitting, plain)


def known_templates() -> tuple[KnownTemplate, ...]:
    """The known templates, in the order in which they are tried. The last, "plain", fits every model."""
    import tomllib  # noqa: PLC0415 — only few models need it

    text = resources.files("llmstack_tui").joinpath("data", "templates.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["template"], tuple[KnownTemplate, ...])


def capabilities(header: Header, template: str) -> tuple[str, ...]:
    """The capabilities, in Ollama's words, of a model that runs with the Jinja ``template``.

    Ollama looks for the same signs (``capabilitiesForTemplate`` in its ``server/images.go``). Images and
    fill-in-the-middle are never among the capabilities: the engine supports neither.
    """
    if header.is_embedding:
        return (EMBEDDING,)
    found = [COMPLETION]
    if "tools" in template or "tool_call" in template:
        found.append(TOOLS)
    if _thinks(template):
        found.append(THINKING)
    return tuple(found)


def _thinks(template: str) -> bool:
    if "<think>" in template and "</think>" in template:
        return True
    # Some templates only remove earlier thinking. llama.cpp separates the thinking of such models, too.
    cuts = "content.split('</think>')" in template or 'content.split("</think>")' in template
    return cuts and "reasoning_content" not in template
