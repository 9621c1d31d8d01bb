"""What is known of one model, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from llmstack_tui.base.languages import later, tr, tr_n
from llmstack_tui.base.sentences import listed
from llmstack_tui.base.text import brief
from llmstack_tui.base.units import bytes_text, seconds_text
from llmstack_tui.core.wording import text
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.tui.details.cache import DetailsCache
from llmstack_tui.tui.draw.figures import about_text, count_text, on_cpu_text, when_text
from llmstack_tui.tui.draw.text import content_of, fit_name
from llmstack_tui.tui.draw.updates import update_rows
from llmstack_tui.tui.screen import SidePane
from llmstack_tui.tui.widgets.section import rows_content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.content import Content

    from llmstack_tui.fit.verdict import Fitted
    from llmstack_tui.hosts.types import ModelDetails
    from llmstack_tui.lifecycle.placement import Fallback
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.tui.details.cache import CachedFacts
    from llmstack_tui.tui.view import Key, View

    Row = tuple[str, str]

_LABEL_CELLS = 13
_TITLE_CELLS = 40
_PADDING = 2
_ORDER = ("completion", "chat", "embedding", "vision", "tools", "insert", "thinking")
_WORDS = {
    "completion": later("text"),
    "insert": later("fill in"),
    "embedding": later("embeddings"),
    "chat": later("chat"),
    "vision": later("vision"),
    "tools": later("tools"),
    "thinking": later("thinking"),
}


class Details(Static):
    """The model under the cursor."""

    DEFAULT_CSS = """
    Details { background: $surface; color: $foreground; padding: 0 1; height: auto; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, markup=False)
        self._shown = content_of()

    def show(self, content: Content) -> None:
        if not content.is_same(self._shown):
            self.update(content, layout=content.plain.count("\n") != self._shown.plain.count("\n"))
            self._shown = content


class DetailsPane(SidePane):
    """The model under the cursor, beside the list; its server is asked once the cursor rests on it."""

    def __init__(self) -> None:
        super().__init__(tr("Details"), id="details-pane")
        self._details = Details(id="details")
        self._selected: Key | None = None

    def compose(self) -> ComposeResult:
        yield self._details

    def on_resize(self) -> None:
        self.show(self.shell.view, self._selected)

    def show(self, view: View, selected: Key | None) -> None:
        self._selected = selected
        cache = self.shell.controller(DetailsCache)
        about = cache.about(view, selected)
        name = brief(about.status.name, 200) if about else tr("Details")
        self.show_title(fit_name(name, _TITLE_CELLS, ellipsis=self.shell.marks.ellipsis).rstrip())
        self._details.show(details_content(about, self.size.width - _PADDING))
        if about is not None:
            cache.look_at(about)

    select = show


def details_content(about: CachedFacts | None, width: int = 0) -> Content:
    """The lines beside the list. What clients need comes first, because the pane may be low.

    Args:
        width: in cells; what is longer is wrapped. 0 wraps nothing.
    """
    if about is None:
        return content_of((tr("No model selected."), "$text-muted"))
    native, openai = addresses(about.status.host)
    model = about.status.model
    # Ollama's protocol has a digest for every model.
    clients = (openai,) if model is not None and not model.digest else (native, openai)
    rows = (*what_it_is(about), *clients, *how_it_did(about))
    return rows_content(rows, _LABEL_CELLS, width)


def what_it_is(about: CachedFacts) -> Iterator[Row]:
    status, details = about.status, about.details
    model, running = status.model, status.running
    is_cloud = status.state is ModelState.CLOUD
    yield tr("State"), tr("{state}, busy", state=tr(status.state)) if status.busy else tr(status.state)
    if status.shares:
        yield (
            tr("One process"),
            tr("with {models}: they are unloaded together", models=brief(listed(status.shares), 200)),
        )
    if about.pinned:
        yield tr("Pinned"), tr("never unloaded by the guard")
        yield "", tr("not loaded: load it") if status.state is ModelState.INACTIVE else ""
        if about.overridden:
            yield "", tr("another client set its time")
            yield "", tr("the guard renews the pin") if about.renewed else tr("it leaves then")
    if is_cloud and model:
        yield tr("Runs on"), model.remote_host or ""
        yield tr("As"), model.remote_model or ""
    if model is None:
        yield tr("Note"), tr("loaded, but no longer installed")
    elif model.unusable:
        yield tr("Unusable"), text(model.unusable)
    digest = (model.digest if model else running.digest if running else "")[:12]
    modified = f"  {model.modified_at:%Y-%m-%d}" if model and model.modified_at else ""
    yield tr("Version"), digest + modified
    yield from update_rows(about.update, about.now)
    if not is_cloud:
        yield tr("On disk"), bytes_text(model.size if model else None)
        yield tr("Needs"), "" if running else _needs(about.fitted)
    if running:
        yield tr("In memory"), tr("{size} (server)", size=bytes_text(running.size))
        if about.device is not None:
            size = bytes_text(about.device)
            on_card = about.on_card
            yield (
                "",
                tr("{size} (measured on GPU)", size=size) if on_card else tr("{size} (measured)", size=size),
            )
        yield tr("Runs on"), _placed(running.size, running.size_vram, about.fallback)
        if about.fallback is not None:
            yield "", text(about.fallback.cause)
    quantization = (model.quantization if model else None) or (details.quantization if details else None)
    yield tr("Quantization"), quantization or "?"
    family = (model.family if model else None) or (details.family if details else None) or "?"
    size = (model.parameters if model else None) or (details.parameter_size if details else None) or ""
    yield tr("Family"), f"{family}  {size}".rstrip()
    yield tr("Context"), _context(status, details)
    capabilities = (details.capabilities if details else None) or (model.capabilities if model else None)
    yield tr("Capabilities"), _capabilities(capabilities)


def addresses(url: str) -> tuple[Row, Row]:
    """The addresses for clients, by API."""
    return ((tr("Ollama API"), url), (tr("OpenAI API"), f"{url}/v1"))


def how_it_did(about: CachedFacts) -> Iterator[Row]:
    """The model's speed and loads, as far as they were seen."""
    if (speed := about.speed) is not None:
        if speed.tokens_per_second is not None:
            yield tr("Speed"), tr("{rate:.1f} tokens/s", rate=speed.tokens_per_second)
        if speed.first_token is not None:
            yield tr("First token"), tr("after {time}", time=seconds_text(speed.first_token.total_seconds()))
    if (uses := about.uses) is not None:
        when = when_text(uses.last_at, about.now)
        yield tr("Loaded"), tr_n("once, at {when}", "{count:,} times, last at {when}", uses.times, when=when)


def _needs(fitted: Fitted | None) -> str:
    """The memory that a model needs that is not loaded, where the figure is from, and whether it fits."""
    if fitted is None:
        return ""
    known, basis = fitted.verdict, fitted.estimate.basis
    fits = "" if known is None else f": {tr(known.fit)}"
    if known is not None and known.tight:
        fits = f": {tr('{fits}, tightly', fits=tr(known.fit))}"
    label = tr("measured here") if basis == "measured" else tr("estimate")
    return f"{about_text(fitted.estimate.total)} ({label}){fits}"


def _placed(size: int | None, vram: int | None, fallback: Fallback | None) -> str:
    """Where the model's memory is. Nothing else tells that a model is slow because it runs on the CPU."""
    if not size or vram is None:
        return ""
    if fallback is not None:
        return on_cpu_text(fallback.percent)
    if vram == 0:
        return tr("the CPU")
    return tr("the GPU")


def _context(status: ModelStatus, details: ModelDetails | None) -> str:
    model, running = status.model, status.running
    trained = (details.context_length if details else None) or (model.context_length if model else None)
    text = tr("{count} tokens", count=count_text(trained)) if trained else "?"
    if running and running.context_length:
        loaded = count_text(running.context_length)
        text = tr("{count} of {of} tokens", count=loaded, of=count_text(trained))
    return text


def _capabilities(names: frozenset[str] | None) -> str:
    if names is None:
        return "?"
    known = [name for name in _ORDER if name in names]
    return ", ".join(
        tr(_WORDS.get(name, name)) for name in known + sorted(brief(n, 30) for n in names - set(_ORDER))
    )
