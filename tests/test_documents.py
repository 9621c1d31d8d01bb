"""What README and CONTRIBUTING name is there: files, modules, pages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from llmstack_tui.guide.pages import FOLDER, TOPICS

ROOT = Path(__file__).parent.parent
README, CONTRIBUTING = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")
)
GUIDE = "\n".join(page.read_text(encoding="utf-8") for page in FOLDER.rglob("*.md"))


@pytest.mark.parametrize("text", [README, CONTRIBUTING, GUIDE], ids=["README", "CONTRIBUTING", "guide"])
def test_files_and_modules_are_there(text: str) -> None:
    paths = {
        *re.findall(r"(?:\w+/)+\w+\.(?:py|toml|tcss|svg)\b", text),
        *re.findall(r"`((?:\w+/)+)`", text),
    }
    named = {path for path in paths if "NAME" not in path}
    assert {
        path for path in named if not any((base / path).exists() for base in (ROOT, ROOT / "llmstack_tui"))
    } == set()
    modules = [
        *re.findall(r"python -m (tests[\w.]*|llmstack_tui[\w.]*)", text),
        *(name.rpartition(".")[0] for name in re.findall(r"`(llmstack_tui\.[\w.]+)`", text)),
    ]
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_the_readme_leads_to_every_page_of_the_guide() -> None:
    links = set(re.findall(r"\]\(([^:)]+)\)", README))
    assert {link for link in links if not (ROOT / link).is_file()} == set()
    assert {f"llmstack_tui/guide/en/{topic}.md" for topic in TOPICS} <= links


def test_the_readme_has_the_commands_that_are_run() -> None:
    """That of the tests in CI, that of the installation in the guide."""
    install, tests = re.findall(r"```sh\n(.*)\n```", README)
    assert tests in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert install in GUIDE
