"""Which chat template a model is run with.

llama.cpp takes Jinja templates, which most GGUF files carry. Ollama's own are Go templates in a layer beside
the weights: where there is nothing else, they tell which of the known Jinja templates does the same.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.library.compatibility import needs_ollama

if TYPE_CHECKING:
    from llmstack_tui.gguf.header import Header
    from llmstack_tui.library.installed import InstalledModel

__all__ = ["KnownTemplate", "chat_template_for", "known_templates", "needs_ollama", "recognise"]


class KnownTemplate(Struct, frozen=True):
    """A Jinja template, with what tells that a model was made for it."""

    name: str
    jinja: str
    markers: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


def chat_template_for(model: InstalledModel, header: Header) -> str | None:
    """The Jinja template to load the model with; ``None`` if its file has one, or if it does not chat."""
    if header.chat_template is not None or header.is_embedding:
        return None
    return recognise(model.template, header.architecture).jinja


def recognise(go_template: str | None, architecture: str) -> KnownTemplate:
    """The known template that does what ``go_template`` does; without one, what suits the architecture.

    Where nothing fits it is "plain", which gives the model the bare text of the messages.
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
    """All of them in the order in which they are tried; the last fits everything."""
    import tomllib  # noqa: PLC0415 — only few models need it

    text = resources.files("llmstack_tui").joinpath("data", "templates.toml").read_text("utf-8")
    return tuple(
        KnownTemplate(
            entry["name"],
            entry["jinja"].strip(),
            tuple(entry.get("markers", ())),
            tuple(entry.get("architectures", ())),
        )
        for entry in tomllib.loads(text)["template"]
    )
