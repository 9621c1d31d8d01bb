"""What is known of one model, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.figures import bytes_text, count_text
from llmstack_tui.tui.text import clean

if TYPE_CHECKING:
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.lifecycle.states import ModelStatus

_LABEL_CELLS = 11
_ORDER = ("completion", "chat", "embedding", "vision", "tools", "insert", "thinking")
_WORDS = {"completion": "text", "insert": "fill in", "embedding": "embeddings"}


class Details(Static):
    """The model under the cursor."""

    DEFAULT_CSS = """
    Details { background: $surface; color: $foreground; padding: 0 1; height: auto; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, markup=False)
        self._shown = Content()

    def show(self, content: Content) -> None:
        if not content.is_same(self._shown):
            self.update(content, layout=content.plain.count("\n") != self._shown.plain.count("\n"))
            self._shown = content


def details_content(status: ModelStatus | None, details: ModelDetails | None) -> Content:
    """``details`` is None until the server has been asked; the list alone already tells most."""
    if status is None:
        return Content.styled("No model selected.", "$foreground 60%")
    model, running = status.model, status.running
    lines = [("State", str(status.state))]
    if status.state is ModelState.CLOUD and model:
        lines.append(("Runs on", clean(model.remote_host or "", limit=200)))
        lines.append(("As", clean(model.remote_model or "", limit=200)))
    digest = (model.digest if model else running.digest if running else "")[:12]
    modified = f"  {model.modified_at:%Y-%m-%d}" if model and model.modified_at else ""
    lines.append(("Version", clean(digest) + modified))
    if status.state is not ModelState.CLOUD:
        lines.append(("On disk", bytes_text(model.size if model else None)))
    if running:
        lines.append(("In memory", f"{bytes_text(running.size)}, says the server"))
        lines.append(("Runs on", _placed(running.size, running.size_vram)))
    quantization = (model.quantization if model else None) or (details.quantization if details else None)
    lines.append(("Quantised", clean(quantization or "?", limit=40)))
    family = (model.family if model else None) or (details.family if details else None) or "?"
    size = (model.parameters if model else None) or (details.parameter_size if details else None) or ""
    lines.append(("Family", clean(f"{family}  {size}".rstrip(), limit=80)))
    lines.append(("Context", _context(status, details)))
    capabilities = (details.capabilities if details else None) or (model.capabilities if model else None)
    lines.append(("Can do", _capabilities(capabilities)))
    if model is None:
        lines.append(("Note", "loaded, but installed under no name"))
    lines.append(("Ollama API", status.host))
    lines.append(("OpenAI API", f"{status.host}/v1"))
    return Content("\n").join(
        Content.assemble((label.ljust(_LABEL_CELLS), "$foreground 60%"), Content(value))
        for label, value in lines
        if value
    )


def _placed(size: int | None, vram: int | None) -> str:
    """Where the model's memory is; one that partly fell back to the CPU is slow, and nobody else says so."""
    if not size or vram is None:
        return ""
    if vram == 0:
        return "the CPU"
    if vram >= size:
        return "the GPU"
    return f"{100 - 100 * vram // size} % on the CPU: slow"


def _context(status: ModelStatus, details: ModelDetails | None) -> str:
    model, running = status.model, status.running
    trained = (details.context_length if details else None) or (model.context_length if model else None)
    text = f"{count_text(trained)} tokens" if trained else "?"
    if running and running.context_length:
        text = f"{count_text(running.context_length)} of {count_text(trained)} tokens"
    return text


def _capabilities(names: frozenset[str] | None) -> str:
    if names is None:
        return "?"
    known = [name for name in _ORDER if name in names]
    return ", ".join(
        _WORDS.get(name, name) for name in known + sorted(clean(n, limit=30) for n in names - set(_ORDER))
    )
