"""``llmstack keys`` as people and scripts use it; the key is in nothing that anybody could read."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.keyrings import OutsideKeyring
from tests.support.program import Program
from tests.support.scripted_server import document, serving
from tests.support.secrets import assert_nowhere, processes

if TYPE_CHECKING:
    from tests.support.scripted_server import Reply, Request, ScriptedServer
    from tests.support.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and terminals of POSIX")

FIRST, SECOND, BAD = "sk-first-7d3f0a9b1c2e4f56", "sk-second-91ab73cd55ef0204", "sk-bad-0f0f0f0f0f0f0f0f"
PASSPHRASE = "nobody says this sentence"  # noqa: S105 (of nobody)
SECRETS = (FIRST, SECOND, BAD, PASSPHRASE)


class FakeOpenAI:
    """Accepts some keys, and repeats those that it refuses, as some servers do.

    Attributes:
        seen: what can be seen of the asking program, by ``pid``, while it waits for its answer.
    """

    def __init__(self, *accepted: str) -> None:
        self.accepted = {f"Bearer {key}" for key in accepted}
        self.pid: int | None = None
        self.seen: list[bytes] = []

    async def __call__(self, request: Request) -> Reply:
        if self.pid is not None:
            self.seen.append(processes(self.pid))
        key = request.headers["authorization"]
        if key in self.accepted:
            return document({"object": "list", "data": []})
        return document({"error": {"message": f"Incorrect API key provided: {key}", "code": "x"}}, 401)


def program(home: Path, server: ScriptedServer, **variables: str) -> Program:
    none = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return Program(home, {"OPENAI_BASE_URL": f"{server.url}/v1", **none, **variables})


def typed(terminal: Terminal, *answers: tuple[str, str]) -> int:
    for question, answer in answers:
        terminal.wait_for(question)
        terminal.type(f"{answer}\r")
    return terminal.wait_exit()


async def test_a_key_from_its_addition_to_its_end_is_seen_nowhere(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    for each in (home, other):
        each.mkdir()
    owner = FakeOpenAI(FIRST, SECOND)
    async with serving(owner) as server:
        llmstack, elsewhere = program(home, server), program(other, server)
        outputs: list[str] = []

        async def in_terminal(user: Program, *words: str, answers: tuple[tuple[str, str], ...]) -> str:
            def run() -> tuple[int, str]:
                with user.in_terminal("keys", *words) as terminal:
                    owner.pid = terminal.pid
                    return typed(terminal, *answers), terminal.written

            code, written = await asyncio.to_thread(run)
            owner.pid = None
            outputs.append(written)
            return f"{code} {' '.join(written.split())}"

        async def run(user: Program, *words: str, stdin: str = "") -> tuple[int, str, str]:
            done = await asyncio.to_thread(lambda: user("keys", *words, stdin=stdin))
            outputs.extend((done.stdout, done.stderr))
            return done.returncode, done.stdout, done.stderr

        said = await in_terminal(llmstack, "add", "openai", answers=(("Key for openai:", BAD),))
        assert said.startswith("1 ")
        assert "openai refuses this key: nothing was stored." in said
        said = await in_terminal(
            llmstack, "add", "OpenAI", "--expires", "2020-01-31", answers=(("Key for openai:", FIRST),)
        )
        assert said.startswith("0 ")
        assert "This system has no keyring that keeps keys." in said
        assert "openai accepts the key, and refuses a wrong one." in said

        code, listed, warned = await run(llmstack)
        assert code == 0
        assert listed.splitlines()[1].split()[:2] == ["openai", "••••4f56"]
        assert "The key for openai has ended on 2020-01-31: replace it." in warned
        folder = home / ".local/share/llmstack/keys"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}

        code, _, warned = await run(llmstack, "rotate", "openai", "--stdin", stdin=f"{BAD}\n")
        assert (code, "the old one stays" in warned) == (1, True)
        code, *_ = await run(llmstack, "rotate", "openai", "--stdin", stdin=f"{SECOND}\n")
        assert code == 0
        code, validated, _ = await run(llmstack, "validate", "--json")
        assert (code, json.loads(validated)["keys"][0]["verdict"]) == (0, "valid")

        file = str(home / "keys.export")
        said = await in_terminal(
            llmstack,
            "export",
            file,
            answers=(("New passphrase:", PASSPHRASE), ("The same again:", PASSPHRASE)),
        )
        assert said.startswith("0 ")
        code, imported, _ = await run(elsewhere, "import", file, "--stdin", "--json", stdin=PASSPHRASE)
        assert (code, json.loads(imported)["added"]) == (0, ["openai"])
        code, validated, _ = await run(elsewhere, "validate", "openai")
        assert (code, validated) == (0, "openai accepts the key, and refuses a wrong one.\n")

        owner.accepted.clear()
        code, _, warned = await run(llmstack, "validate")
        assert (code, "openai refuses the key" in warned) == (1, True)
        code, *_ = await run(llmstack, "remove", "openai", "--yes")
        assert (code, (await run(llmstack, "list", "--json"))[1]) == (0, '{\n  "keys": []\n}\n')

    assert len(owner.seen) >= 3
    assert b"keys" in owner.seen[0]
    for secret in SECRETS:
        assert_nowhere(secret, tmp_path, [*outputs, *owner.seen])


async def test_in_the_keyring_of_the_system(tmp_path: Path) -> None:
    home, ring = tmp_path / "home", tmp_path / "ring"
    for each in (home, ring):
        each.mkdir()
    owner = FakeOpenAI(FIRST)
    name = f"{OutsideKeyring.__module__}.{OutsideKeyring.__name__}"
    async with serving(owner) as server:
        variables = {
            "PYTHON_KEYRING_BACKEND": name,
            "TEST_KEYRING_FOLDER": str(ring),
            "PYTHONPATH": str(Path.cwd()),
        }
        llmstack = program(home, server, **variables)

        def run(*words: str, stdin: str = "") -> tuple[int, str]:
            done = llmstack("keys", *words, stdin=stdin)
            return done.returncode, done.stdout

        code, said = await asyncio.to_thread(run, "add", "openai", "--stdin", stdin=FIRST)
        assert (code, said.splitlines()[0]) == (0, "The key for openai is stored: the system's keyring.")
        assert [file.read_text() for file in ring.iterdir()] == [FIRST]
        code, said = await asyncio.to_thread(run, "validate", "openai")
        assert code == 0
        llmstack = llmstack.given(OPENAI_API_KEY=BAD)
        code, said = await asyncio.to_thread(run, "list", "--json")
        assert [(each["from"], each["sent"]) for each in json.loads(said)["keys"]] == [
            ("environment", True),
            ("keyring", False),
        ]
        code, said = await asyncio.to_thread(run, "remove", "openai", "-y")
        assert (code, list(ring.iterdir())) == (0, [])
    assert_nowhere(FIRST, home)


async def test_the_key_of_a_server_is_sent_to_it(tmp_path: Path) -> None:
    """To it alone, and without any word of the settings."""
    keys: list[str | None] = []

    async def handle(request: Request) -> Reply:
        keys.append(request.headers.get("authorization"))
        if keys[-1] != f"Bearer {FIRST}":
            return document({"error": "unauthorized"}, 401)
        if request.path == "/api/version":
            return document({"version": "0.14.0"})
        return document({"models": []})

    async with serving(handle) as server, serving(handle) as other:
        llmstack = program(tmp_path, server)
        done = await asyncio.to_thread(lambda: llmstack("keys", "add", server.url, "--stdin", stdin=FIRST))
        assert (done.returncode, "accepts the key, and refuses a wrong one" in done.stdout) == (0, True)
        done = await asyncio.to_thread(lambda: llmstack("ls", "--json", "--host", server.url))
        assert done.returncode == 0
        keys.clear()
        done = await asyncio.to_thread(lambda: llmstack("ls", "--json", "--host", other.url))
        assert done.returncode == 1
        assert set(keys) == {None}


@pytest.mark.parametrize(
    ("words", "stdin", "code", "said"),
    [
        (["add"], "", 2, "Whose key?"),
        (["add", "openai"], "", 2, "add --stdin"),
        (["add", "openai", BAD], "", 2, "A key is never an argument"),
        (["add", "two words", "--stdin"], BAD, 1, "neither the name of a provider"),
        (["add", "nobody", "--stdin"], "", 1, "There is no key"),
        (["add", "nobody", "--stdin"], f"{BAD} and more", 1, "This is no key"),
        (["add", "nobody", "--expires", "soon"], "", 2, "is not a day"),
        (["add", "nobody", "--stdin", "--read-only"], BAD, 1, "--read-only"),
        (["rotate", "nobody", "--stdin"], BAD, 1, "No key is stored for nobody"),
        (["remove", "nobody"], "", 1, "No key is stored for nobody"),
        (["validate"], "", 1, "There is no key"),
        (["export"], "", 2, "Which file?"),
        (["export", "x"], "", 1, "nothing to export"),
        (["import", "/no/such/file"], "", 1, "There is no file /no/such/file."),
        (["import", "/etc/passwd"], "", 1, "is no file that"),
        (["list", "openai"], "", 2, "it takes no name"),
        (["passphrase", "--stdin"], "short", 1, "at least 8 characters"),
    ],
)
def test_wrong_input(tmp_path: Path, words: list[str], stdin: str, code: int, said: str) -> None:
    done = Program(tmp_path)("keys", *words, stdin=stdin)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert_nowhere(BAD, tmp_path, [done.stderr])


def test_a_passphrase_is_needed_again(tmp_path: Path) -> None:
    llmstack = Program(tmp_path)
    add = ("keys", "add", "nobody", "--stdin", "--in-file")
    assert llmstack(*add, stdin=FIRST).returncode == 0
    assert llmstack("keys", "passphrase", "--stdin", stdin=PASSPHRASE).returncode == 0
    assert "LLMSTACK_KEYS_PASSPHRASE" in llmstack("keys", "export", "x", "--plain", "-y").stderr
    wrong = llmstack.given(LLMSTACK_KEYS_PASSPHRASE=PASSPHRASE[1:])("keys", "export", "x", "--plain", "-y")
    assert "is another one, or the file is damaged" in wrong.stderr
    file = tmp_path / "plain"
    given = llmstack.given(LLMSTACK_KEYS_PASSPHRASE=PASSPHRASE)
    assert given("keys", "export", file, "--plain").returncode == 1
    assert given("keys", "export", file, "--plain", "--yes").returncode == 0
    assert json.loads(file.read_text())["keys"] == [{"owner": "nobody", "key": FIRST, "expires_at": None}]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert given("keys", "export", file, "--plain", "--yes").returncode == 1
