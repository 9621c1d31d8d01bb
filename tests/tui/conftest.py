"""What every test of the screen gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from textual._compositor import Compositor
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import RenderableType
    from textual.css.model import RuleSet
    from textual.css.tokenizer import Token
    from textual.screen import Screen


@pytest.fixture(autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without settings and state: those of who runs the tests are neither read nor written."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(autouse=True)
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal Textual draws each change, a third of all work, and throws it away.

    Tests draw when they look (`Desk.text`); tests in a real terminal see what Textual writes.
    """
    render_update = Compositor.render_update

    def render(
        self: Compositor,
        full: bool = False,
        screen_stack: list[Screen[object]] | None = None,
        simplify: bool = False,
    ) -> RenderableType | None:
        if full:
            return render_update(self, full, screen_stack, simplify)
        self._dirty_regions.clear()
        return None

    monkeypatch.setattr(Compositor, "render_update", render)


@pytest.fixture(autouse=True, scope="session")
def parsed_once() -> Iterator[None]:
    """Each dashboard has Textual read the same styles again, some 200 pieces of them."""
    tokens: dict[object, dict[str, list[Token]]] = {}
    rules: dict[object, list[RuleSet]] = {}

    def tokenize_once(values: dict[str, str]) -> dict[str, list[Token]]:
        key = tuple(values.items())
        if key not in tokens:
            tokens[key] = tokenize_values(values)
        return tokens[key]

    def parse_once(*source: Any, **more: Any) -> list[RuleSet]:
        key = (*source, *(id(each) if isinstance(each, dict) else each for each in more.values()))
        if key not in rules:
            rules[key] = list(parse(*source, **more))
        return rules[key]

    with (
        patch("textual.css.stylesheet.tokenize_values", tokenize_once),
        patch("textual.css.stylesheet.parse", parse_once),
    ):
        yield
