"""The template that a model's prompts are made with, and the capabilities that follow from it.

There are two: most GGUF files contain a Jinja template, which llama.cpp runs, and many models have a Go
template in a layer beside the weights (``TEMPLATE`` in a Modelfile), which `gotemplate` runs. As in Ollama,
the layer counts, unless the file's template can do more (``shouldPreferChatTemplate`` in its
``server/images.go``), or Ollama has a parser of its own for the model, which here is llama.cpp's. If neither
can be run, a known Jinja template answers.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from llmstack_tui.base.sentences import Sentence, Sentences, listed, said
from llmstack_tui.engine.gotemplate.errors import TemplateFailure
from llmstack_tui.engine.gotemplate.template import GoTemplate, tried
from llmstack_tui.gguf.header import fill_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmstack_tui.gguf.header import Header
    from llmstack_tui.library.installed import InstalledModel

# Ollama's names of capabilities.
COMPLETION, EMBEDDING, TOOLS, THINKING, INSERT = "completion", "embedding", "tools", "thinking", "insert"
# Whose template answers: the file's, the layer's, a known one, or none, for a model that cannot chat.
FILE, LAYER, KNOWN, NONE = "file", "layer", "known", "none"

# Their answers come in parts of their own form, which llama.cpp reads.
_OWN_FORM = frozenset({"gpt-oss"})
# Signs of a form that llama.cpp takes answers apart by. More than there are cost only time.
_PARTS_OF_ANSWERS = re.compile(r"think|reason|channel|>>>", re.IGNORECASE)
# Signs that a template tells what tools answered (``chatTemplateHasToolRoundTrip`` and its twin in Ollama).
_TELLS_RESULTS = re.compile(r"tool_response|tool_results|ipython|role['\"\]]* *== *['\"]tool['\"]")
_GO_TELLS_RESULTS = re.compile(r'eq \.Role "tool"|tool_response|TOOL_RESULTS')

# What Ollama shows for a model without a layer, and writes into the Modelfiles that it generates.
_NO_TEMPLATE = "{{ .Prompt }}"


class ModelTemplate(Struct, frozen=True, kw_only=True):
    """The template that answers.

    Attributes:
        source: whose it is: `FILE`, `LAYER`, `KNOWN` or `NONE`.
        name: that of the known one.
        jinja: what to load the model with; None uses the file's own.
        runs: the text of the Jinja template that llama.cpp runs for a chat; empty if it runs none.
        go: the Go template to run instead.
        fill: the Go template that writes between a prompt and a suffix.
        notes: why another template of the model does not answer.
    """

    source: str
    name: str = ""
    jinja: str | None = None
    runs: str = ""
    go: GoTemplate | None = None
    fill: GoTemplate | None = None
    notes: Sentences = ()

    @property
    def is_plain(self) -> bool:
        """Whether llama.cpp has no more to do with an answer without tools than to hand it on."""
        return not _PARTS_OF_ANSWERS.search(self.runs)


class KnownTemplate(Struct, frozen=True):
    """A Jinja template.

    It fits a model whose Go template contains all ``markers``, or a model without a Go template that has one
    of the ``architectures``.
    """

    name: str
    jinja: str
    markers: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


def choose(model: InstalledModel, header: Header, fault: Callable[[str], Sentence | None]) -> ModelTemplate:
    """The template that answers. ``fault``: why llama.cpp cannot read a Jinja template, if that is known."""
    if header.is_embedding:
        return ModelTemplate(source=NONE)
    file, layer = header.chat_template, model.template
    notes: Sentences = ()
    if file and (why := fault(file)):
        notes, file = (why,), None
    fill = None
    if layer and is_jinja(layer):
        if (why := fault(layer)) is None:
            return ModelTemplate(source=LAYER, jinja=layer, runs=layer, notes=notes)
        notes = (*notes, why)
    elif layer and not (file and layer.strip() == _NO_TEMPLATE):
        try:
            go = tried(layer)
        except TemplateFailure as error:
            notes = (*notes, *said(error))
        else:
            fill = go if go.fills_in else None
            better = None if model.config.own_template or not file else _prefers_file(model, header, file, go)
            if better is None:
                # llama.cpp loads no model without a template that it can read.
                jinja = None if file else recognise(layer, header.architecture).jinja
                return ModelTemplate(source=LAYER, jinja=jinja, go=go, fill=fill, notes=notes)
            notes = (*notes, better)
    if file:
        return ModelTemplate(source=FILE, runs=file, fill=fill, notes=notes)
    fallback = recognise(layer, header.architecture)
    if notes:
        notes = (*notes, Sentence("template.known_answers", {"name": fallback.name}))
    return ModelTemplate(
        source=KNOWN, name=fallback.name, jinja=fallback.jinja, runs=fallback.jinja, notes=notes
    )


def replacement(wanted: str, layer: str | None, file: str | None) -> str:
    """The template to give a model that is made from one with ``layer`` and ``file``; empty to keep those.

    Raises:
        TemplateFailure: ``wanted`` is a Go template that cannot be run.
    """
    kept = as_carried(wanted) == as_carried(layer or file or "") or (
        not layer and file and wanted.strip() == _NO_TEMPLATE
    )
    if kept or not wanted:
        return ""
    if not is_jinja(wanted):
        tried(wanted)
    return wanted


def is_jinja(template: str) -> bool:
    """Whether a template is one for llama.cpp. One that writes a conversation has a loop."""
    return "{%" in template


def as_carried(text: str) -> str:
    """A text as it comes through a Modelfile: ``ollama create`` drops what Go does not print."""
    return "".join(char for char in text if char.isprintable() or char in "\n\r\t")


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


def capabilities(header: Header, template: ModelTemplate) -> tuple[str, ...]:
    """The capabilities, in Ollama's words, of a model that runs with ``template``. Never images."""
    if header.is_embedding:
        return (EMBEDDING,)
    fills_in = template.fill is not None or fill_tokens(header) is not None
    found = _abilities(template.runs) if template.go is None else _go_abilities(template.go)
    return (COMPLETION, *found, *((INSERT,) if fills_in else ()))


def _abilities(jinja: str) -> tuple[str, ...]:
    """What a Jinja template can do beside chatting, by Ollama's signs (``capabilitiesForTemplate``)."""
    tools = "tools" in jinja or "tool_call" in jinja
    return (*((TOOLS,) if tools else ()), *((THINKING,) if _thinks(jinja) else ()))


def _go_abilities(go: GoTemplate) -> tuple[str, ...]:
    """What a Go template can do beside chatting and filling in (``goTemplateCapabilities`` in Ollama)."""
    return (*((TOOLS,) if go.has_tools else ()), *((THINKING,) if go.thinking else ()))


def _prefers_file(model: InstalledModel, header: Header, file: str, go: GoTemplate) -> Sentence | None:
    """Why the file's template answers instead of the layer's; None if it does not."""
    if model.config.parser or model.config.renderer or header.architecture in _OWN_FORM:
        return Sentence("template.own_form")
    in_file = set(_abilities(file))
    in_layer = {*_go_abilities(go), *((INSERT,) if go.fills_in else ())}
    file_tells = "tool_call" in file and _TELLS_RESULTS.search(file) is not None
    layer_tells = "toolcalls" in go.names and _GO_TELLS_RESULTS.search(model.template or "") is not None
    if len(in_file) > len(in_layer) and (file_tells or not layer_tells):
        return Sentence("template.file_can_more", {"capabilities": listed(sorted(in_file - in_layer))})
    if in_file == in_layer and TOOLS in in_file and file_tells and not layer_tells:
        return Sentence("template.file_tells_results")
    return None


def _thinks(template: str) -> bool:
    if "<think>" in template and "</think>" in template:
        return True
    # Some templates only remove earlier thinking. llama.cpp separates the thinking of such models, too.
    cuts = "content.split('</think>')" in template or 'content.split("</think>")' in template
    return cuts and "reasoning_content" not in template
