"""``llmstack editors``: what is shown, written and tested, and that the key is only where it is asked for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.editors.types import MASK, Client
from tests.support.calling import caller
from tests.support.engine import Serving, serving
from tests.support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="homes and modes of POSIX")

KEY = "a-key-of-the-tests-1234"


class User:
    """The program of somebody whose engine asks for a key."""

    def __init__(self, engine: Serving, home: Path) -> None:
        home.mkdir()
        self.home, self.url = home, engine.url
        key = home / "key"
        key.write_text(KEY)
        key.chmod(0o600)
        settings = home / ".config" / "llmstack" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f'hosts = [{{ url = "{engine.url}", api_key_file = "{key}" }}]\n')
        self.llmstack = Program(home)

    def __call__(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        done = self.llmstack("editors", *arguments)
        assert done.returncode == status, done.stderr
        return done.stdout, done.stderr

    def document(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(*arguments, "--json", status=status)[0])
        return found

    @property
    def files_with_key(self) -> set[str]:
        """The files of this user that have the key, beside its own."""
        key = KEY.encode()
        files = (each for each in self.home.rglob("*") if each.is_file())
        return {str(each.relative_to(self.home)) for each in files if key in each.read_bytes()} - {"key"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("engine")
    with serving(home, LLMSTACK_ENGINE_API_KEY=KEY) as found:
        found.http.headers["Authorization"] = f"Bearer {KEY}"
        found.import_file("tiny", tiny_model)
        calling = caller(home / "calling.gguf", "count_lines", {"path": "README.md"})
        found.import_file("calling", calling)
        yield found


@pytest.fixture
def user(engine: Serving, tmp_path: Path) -> User:
    engine.unload_all()
    return User(engine, tmp_path / "user")


def test_all_clients_are_listed_for_the_model_that_is_active(engine: Serving, user: User) -> None:
    engine.chat()
    said, _ = user()
    assert all(f"\n{client} " in said for client in Client)
    found = user.document()
    assert (found["host"], found["name"], found["has_key"]) == (user.url, "tiny:latest", True)
    assert [each["client"] for each in found["clients"]] == [*Client]
    assert KEY not in json.dumps(found)


def test_settings_are_shown_without_the_key_unless_it_is_asked_for(user: User) -> None:
    shown, said = user("tiny", "--for", "claude")
    assert json.loads(shown)["env"]["ANTHROPIC_AUTH_TOKEN"] == MASK
    assert KEY not in shown + said
    whole, _ = user("tiny", "--for", "claude", "--with-key")
    assert json.loads(whole)["env"]["ANTHROPIC_AUTH_TOKEN"] == KEY
    _, said = user("tiny", "--for", "zed", "--with-key")
    assert f"export LLMSTACK_API_KEY='{KEY}'" in said
    assert user.files_with_key == set()


@pytest.mark.parametrize("client", ["claude", "continue"])
def test_settings_are_written_after_a_yes_and_with_a_copy(user: User, client: str) -> None:
    _, said = user("tiny", "--for", client, "--write", status=1)
    assert "add --yes" in said
    assert user.files_with_key == set()
    first = user.document("tiny", "--for", client, "--write", "--yes")
    file = first["written"]["file"]
    assert first["written"]["backup"] is None
    assert user.files_with_key == {file.removeprefix(f"{user.home}/")}
    assert user.document("tiny", "--for", client, "--write", "--yes")["written"] is None
    other = user.document("calling", "--for", client, "--write", "--yes")
    assert other["written"]["file"] == file
    assert other["written"]["backup"].startswith(f"{file}.before-")
    assert KEY not in json.dumps([first, other])


def test_a_terminal_is_asked(user: User) -> None:
    for answer, has_key in (("n", False), ("y", True)):
        with user.llmstack.in_terminal("editors", "tiny", "--for", "claude", "--write") as terminal:
            terminal.wait_for("Write the settings into")
            terminal.type(f"{answer}\n")
            terminal.wait_for("Written:" if has_key else "Nothing was written.")
            assert KEY not in terminal.text
        assert bool(user.files_with_key) == has_key


def test_a_test_loads_the_model_and_says_what_came_back(engine: Serving, user: User) -> None:
    found = user.document("calling", "--for", "claude", "--test")["test"]
    assert (found["works"], found["tool"], found["ended"]) == (True, "count_lines", True)
    assert (found["status"], found["without_key"]) == (200, 401)
    assert found["first_token"] <= found["seconds"]
    assert [*engine.ps()] == ["calling:latest"]
    said, _ = user("calling", "--for", "curl", "--test")
    assert "✓ The model called the tool: count_lines" in said
    assert f"✓ Without the key, {user.url} refuses (401)." in said
    assert user.files_with_key == set()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("tiny", "--write"), 2, "Say which client is meant: --for zed, for example."),
        (("tiny", "--for", "claude", "--json", "--with-key"), 2, "A document never has the key"),
        ((), 1, "No model is active: name one, or load one with `llmstack start NAME`."),
        (("tiny", "--for", "cline", "--write", "--yes"), 1, "Cline has no file that llmstack could write"),
        (("tiny", "--for", "claude", "--write", "--yes", "--read-only"), 1, "Nothing was changed"),
    ],
)
def test_what_makes_no_sense_is_said(user: User, arguments: tuple[str, ...], status: int, said: str) -> None:
    assert said in user(*arguments, status=status)[1]
    assert user.files_with_key == set()


def test_a_file_that_cannot_be_merged_is_left_and_the_settings_are_shown(user: User) -> None:
    file = user.home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text('{\n  "env": {"A": 1}\n  "b": 2\n}\n')
    shown, said = user("tiny", "--for", "claude", "--write", "--yes", status=1)
    assert f"Line 3 of {file} is not JSON: put that right, or paste the settings yourself." in said
    assert "ANTHROPIC_BASE_URL" in shown
    assert [*file.parent.iterdir()] == [file]
    assert file.read_text() == '{\n  "env": {"A": 1}\n  "b": 2\n}\n'
