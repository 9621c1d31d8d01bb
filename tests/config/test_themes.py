"""Themes of the user's own: what their files say, what is wrong with them, and when they are read."""

from __future__ import annotations

import asyncio
import tomllib
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.config.loading import load_theme, load_themes, themes_folder
from llmstack_tui.config.settings import THEMES
from llmstack_tui.config.themes import BUILT_IN, NAMES, contrast, theme_of
from llmstack_tui.config.watch import watch_settings
from llmstack_tui.core.wording import text
from llmstack_tui.guide.pages import FOLDER
from tests.config.files import load

if TYPE_CHECKING:
    from pathlib import Path

DARK, LIGHT = BUILT_IN["dark"], BUILT_IN["light"]
SETTINGS = '[ui]\ntheme = "ocean"\n'


def write(folder: Path, content: str | bytes, name: str = "ocean") -> Path:
    file = folder / "themes" / f"{name}.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def problems(folder: Path, name: str = "ocean") -> list[str]:
    found = load_theme(folder / "themes", name)
    assert found is not None
    return [text(each) for each in found.problems]


def test_those_of_llmstack_are_whole_and_can_be_read() -> None:
    assert tuple(BUILT_IN) == THEMES
    for name, theme in BUILT_IN.items():
        assert tuple(theme.colours) == NAMES
        as_file = theme_of("mine", "mine.toml", "", {"dark": theme.dark, **theme.colours})
        assert as_file.theme == replace(theme, name="mine")
        assert (as_file.problems, as_file.advice) == ((), ()), name


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#777777") == 1
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


def test_what_is_not_in_the_file_is_as_in_the_dark_or_the_light_theme(tmp_path: Path) -> None:
    write(tmp_path, 'primary = "#ABC"\nbackground = "#001020"\n')
    write(tmp_path, "dark = false\n", "sand")
    sand, ocean = (each.theme for each in reversed(load_themes(tmp_path / "themes")))
    assert ocean is not None
    assert ocean.colours == {**DARK.colours, "primary": "#aabbcc", "background": "#001020"}
    assert sand == replace(LIGHT, name="sand")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            'a = 1\nprimary = "#123456"',
            "themes/ocean.toml line 1: a is nothing that a theme has. Known: dark, ",
        ),
        ('\n\nerror = "blu"', "line 3: error must be a colour such as \"#1f252d\", not 'blu'."),
        ("error = 4", 'line 1: error must be a colour such as "#1f252d", not 4.'),
        ('error = "#12345"', "not '#12345'."),
        ('dark = "no"', "line 1: dark must be true or false, not 'no'."),
        ("[colours]\nerror = 1", "line 1: colours is nothing that a theme has."),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_rest_counts(
    tmp_path: Path, content: str, said: str
) -> None:
    write(tmp_path, f'{content}\n"success" = "#00ff00"' if "[" not in content else content)
    (problem,) = problems(tmp_path)
    assert said in problem
    found = load_theme(tmp_path / "themes", "ocean")
    assert found is not None
    assert found.theme is not None
    assert found.theme.colours["success"] == ("#00ff00" if "[" not in content else DARK.colours["success"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("ocean", "primary = ", "themes/ocean.toml was not read, the file is not valid TOML: Invalid value"),
        ("ocean", b"\xff\xfe", "themes/ocean.toml was not read: the file is not UTF-8 text."),
        (
            "ocean",
            "#" * 100_001,
            "themes/ocean.toml was not read: the file is larger than 100\N{NO-BREAK SPACE}kB.",
        ),
        ("dark", "", "themes/dark.toml is not used: dark is a theme of llmstack itself."),
        ("Ocean one", "", "themes/Ocean one.toml is not used: its name must be up to 40 small letters"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    write(tmp_path, content, name)
    (found,) = load_themes(tmp_path / "themes")
    assert found.theme is None
    (problem,) = found.problems
    assert said in text(problem).replace(f"{tmp_path}/", "")


def test_what_is_hard_to_read_is_said_for_each_ground(tmp_path: Path) -> None:
    write(tmp_path, 'background = "#707070"\nmuted = "#777777"\n')
    found = load_theme(tmp_path / "themes", "ocean")
    assert found is not None
    assert found.problems == ()
    first, second = map(text, found.advice)
    assert first.startswith(
        "themes/ocean.toml: too little contrast on background (below 4.5 to 1): foreground, "
    )
    assert second == "themes/ocean.toml: too little contrast on surface (below 4.5 to 1): muted."


def test_the_settings_name_one_by_its_file(tmp_path: Path) -> None:
    write(tmp_path, 'error = "#ff0000"\nbad = 1')
    loaded = load(tmp_path, SETTINGS)
    assert (loaded.settings.ui.theme, loaded.invalid) == ("ocean", frozenset())
    assert loaded.theme is not None
    assert loaded.theme.theme is not None
    assert loaded.theme.theme.colours["error"] == "#ff0000"
    (problem,) = map(text, loaded.problems)
    assert problem.startswith("themes/ocean.toml line 2: bad is nothing")
    assert load(tmp_path, SETTINGS, {"LLMSTACK_UI_THEME": "light"}).theme is None
    assert load(tmp_path, "", {"LLMSTACK_UI_THEME": "ocean"}).theme == loaded.theme


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (
            {},
            'config.toml line 2: ui.theme must be "dark", "light", ',
        ),
        ({"LLMSTACK_UI_THEME": "../x"}, 'LLMSTACK_UI_THEME must be "dark"'),
    ],
)
def test_one_that_is_not_there_leaves_the_usual_one(
    tmp_path: Path, environ: dict[str, str], said: str
) -> None:
    loaded = load(tmp_path, SETTINGS if not environ else "", environ)
    assert (loaded.settings.ui.theme, loaded.invalid) == ("dark", frozenset({"ui.theme"}))
    assert said in text(*loaded.problems)


def test_no_file_of_a_theme_is_read_for_a_theme_of_llmstack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmstack_tui.config.loading.load_theme", lambda *_: pytest.fail("It was read."))
    write(tmp_path, "")
    assert load(tmp_path, '[ui]\ntheme = "light"').settings.ui.theme == "light"
    assert themes_folder(tmp_path / "config.toml") == tmp_path / "themes"


async def test_a_change_of_its_file_is_seen_and_a_broken_one_leaves_what_was(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(SETTINGS)
    write(tmp_path, 'error = "#ff0000"')
    async with aclosing(watch_settings(file, {}, every_s=0.01)) as changes, asyncio.timeout(20):
        first = await anext(changes)
        assert first.theme is not None
        write(tmp_path, 'error = "#00ff00"')
        second = await anext(changes)
        assert second.theme is not None
        assert second.theme.theme is not None
        assert second.theme.theme.colours["error"] == "#00ff00"
        write(tmp_path, "error = ")
        broken = await anext(changes)
        assert (broken.settings.ui.theme, broken.theme) == ("ocean", second.theme)
        assert "is not valid TOML" in text(*broken.problems)
        write(tmp_path, 'error = "#00ff00"')
        assert (await anext(changes)).problems == ()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_example_of_the_guide_has_every_colour_and_can_be_read(language: str) -> None:
    (example,) = (
        block
        for block in (FOLDER / language / "themes.md").read_text().split("```")
        if block.startswith("toml\ndark")
    )
    found = theme_of("ocean", "ocean.toml", "", tomllib.loads(example.removeprefix("toml\n")))
    assert (found.problems, found.advice) == ((), ())
    assert set(tomllib.loads(example.removeprefix("toml\n"))) == {"dark", *NAMES}
