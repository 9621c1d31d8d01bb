"""Where prompts are found, which of several counts, and what a file must not be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.core.wording import text, words
from llmstack_tui.prompts.rendering import render
from llmstack_tui.prompts.service import MOST_BYTES, MOST_FILES, SHIPPED, PromptService
from llmstack_tui.prompts.types import Faulty, InvalidPrompt, Prompt, PromptOrigin, UnknownPrompt
from tests.prompts.files import HEAD, prompt_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def service(tmp_path: Path) -> PromptService:
    """One below two folders of a project, with a user's folder beside."""
    (tmp_path / "project" / "deep").mkdir(parents=True)
    return PromptService(user=tmp_path / "user", cwd=tmp_path / "project" / "deep")


def origins(service: PromptService) -> dict[str, PromptOrigin]:
    return {each.name: each.origin for each in service.all() if each.origin is not PromptOrigin.SHIPPED}


def faults(service: PromptService) -> list[str]:
    return [text(each.why) for each in service.all() if isinstance(each, Faulty)]


def test_the_nearest_counts(service: PromptService, tmp_path: Path) -> None:
    outer = tmp_path / "project" / ".llmstack" / "prompts"
    inner = tmp_path / "project" / "deep" / ".llmstack" / "prompts"
    for folder, name in ((tmp_path / "user", "greet"), (tmp_path / "user", "sql"), (outer, "greet")):
        prompt_file(folder, name, template=str(folder))
    assert origins(service) == {"greet": PromptOrigin.PROJECT, "sql": PromptOrigin.USER}
    assert service.find("greet").template == str(outer)
    prompt_file(inner, "greet", template=str(inner))
    assert service.find("greet").template == str(inner)
    assert service.find("explain").origin is PromptOrigin.SHIPPED


def test_a_faulty_one_that_is_nearest_hides_no_other_in_silence(
    service: PromptService, tmp_path: Path
) -> None:
    file = prompt_file(tmp_path / "user", "sql", "title: [\n")
    with pytest.raises(InvalidPrompt) as error:
        service.find("sql")
    assert words(error.value) == str(error.value) == faults(service)[0]
    assert f"{file} line 3" in str(error.value)


@pytest.mark.parametrize("code", ["en", "es", "fr"])
def test_those_of_the_package_are_whole_in_each_language(tmp_path: Path, code: str) -> None:
    service = PromptService(user=None, cwd=tmp_path, language=code)
    found = service.all()
    names = ["commit", "explain", "extract", "review", "sql", "summarise", "tests", "translate"]
    assert [each.name for each in found] == names
    for each in found:
        assert isinstance(each, Prompt), each
        assert each.language == (code if code != "fr" else "en")
        assert each.variables[0].name == "input"
        given = {one.name: "MARK" for one in each.variables if one.is_required}
        assert "MARK" in render(each, given).text
        for variable in each.variables:
            for choice in variable.choices:
                assert render(each, {**given, variable.name: choice}).text


def test_the_languages_have_the_same_variables_and_parameters() -> None:
    english, spanish = (
        [
            each
            for each in PromptService(user=None, cwd=SHIPPED, language=code).all()
            if isinstance(each, Prompt)
        ]
        for code in ("en", "es")
    )
    for one, other in zip(english, spanish, strict=True):
        assert [(each.name, each.type, each.is_required, len(each.choices)) for each in one.variables] == [
            (each.name, each.type, each.is_required, len(each.choices)) for each in other.variables
        ]
        assert (one.parameters, len(one.examples)) == (other.parameters, len(other.examples))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sqll", "Near it are: sql."),
        ("../../secret", "There is no prompt ../../secret;"),
        ("/etc/passwd", "There is no prompt"),
        ("", "There is no prompt"),
        ("\x1b[31m", "There is no prompt \ufffd[31m;"),
        ("x" * 100_000, "There is no prompt"),
    ],
)
def test_a_name_that_there_is_not(service: PromptService, name: str, said: str) -> None:
    with pytest.raises(UnknownPrompt) as error:
        service.find(name)
    assert said in str(error.value)
    assert len(str(error.value)) < 500


def test_what_a_file_must_not_be(service: PromptService, tmp_path: Path) -> None:
    user = tmp_path / "user"
    outside = prompt_file(tmp_path / "elsewhere", "secret")
    prompt_file(user, "good")
    (user / "a-binary.md").write_bytes(b"---\n\xff\xfe\n---\n")
    (user / "b-large.md").write_bytes(b"x" * (MOST_BYTES + 1))
    (user / "c-link.md").symlink_to(outside)
    (user / "d-loop.md").symlink_to(user / "d-loop.md")
    (user / "e-folder.md").mkdir()
    os.mkfifo(user / "f-pipe.md")
    (user / "g-inner.md").symlink_to(user / "good.md")
    (user / "h-gone.md").symlink_to(user / "nowhere.md")
    (user / "i\x1b[2J.md").write_text("x")
    (user / "notes.txt").write_text("no prompt")
    assert origins(service).keys() >= {"good", "g-inner"}
    found = faults(service)
    expected = [
        "is not text in UTF-8",
        "has more than",
        "is a link out of the folder",
        "cannot be read",
        "is no file",
        "is no file",
        "cannot be read",
        "the name of a prompt is made of",
    ]
    assert len(found) == len(expected)
    for one, said in zip(found, expected, strict=True):
        assert said in one
        assert "\x1b" not in one
    with pytest.raises(InvalidPrompt, match="is a link out of the folder"):
        service.find("c-link")


def test_ten_megabytes_are_not_read(service: PromptService, tmp_path: Path) -> None:
    file = prompt_file(tmp_path / "user", "huge")
    os.truncate(file, 10 * 2**20)
    with pytest.raises(InvalidPrompt, match="has more than"):
        service.find("huge")


def test_a_folder_with_too_many_files_says_so(service: PromptService, tmp_path: Path) -> None:
    prompt_file(tmp_path / "user", "good")
    for number in range(MOST_FILES):
        (tmp_path / "user" / f"n{number}.md").symlink_to("good.md")
    assert any("has more than 500 files" in each for each in faults(service))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_project_of_another_user_puts_no_words_into_a_request(
    service: PromptService, tmp_path: Path
) -> None:
    file = prompt_file(tmp_path / "project" / ".llmstack" / "prompts", "sql")
    os.chown(file.parent, 12345, -1)
    assert "belongs to another user" in faults(service)[0]
    with pytest.raises(InvalidPrompt, match="belongs to another user"):
        service.find("sql")


def test_folders_are_listed_the_nearest_first(service: PromptService, tmp_path: Path) -> None:
    file = prompt_file(tmp_path / "project" / ".llmstack" / "prompts", "sql", HEAD)
    mine = [each.path for each in service.folders if each.path.is_relative_to(tmp_path)]
    assert mine == [file.parent, tmp_path / "user"]
    assert service.folders[-1].path == SHIPPED / "en"
