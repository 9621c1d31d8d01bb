"""``llmstack prompts``, and ``llmstack chat --template``."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.cli.main import build_parser
from llmstack_tui.cli.output import WrongUsage
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.open import Core
from llmstack_tui.prompts.types import NotRendered, UnknownPrompt, WrongValues
from tests.prompts.files import HEAD, VARIABLES, prompt_file
from tests.support.fake_ollama import fake_ollama
from tests.support.program import Program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The folder of the user's own prompts, beside the settings."""
    (tmp_path / "config.toml").touch()
    return tmp_path / "prompts"


@pytest.fixture
def llmstack(tmp_path: Path) -> Program:
    return Program(tmp_path / "home", {"OLLAMA_HOST": "127.0.0.1:1"})


def config(user: Path) -> tuple[str, str]:
    return "--config", str(user.with_name("config.toml"))


def run(core: Core, words: str) -> None:
    options = build_parser().parse_args(words.split())
    options.run(core, options)


def test_they_are_listed_and_a_faulty_one_is_named_below(llmstack: Program, user: Path) -> None:
    prompt_file(user, "greet")
    broken = prompt_file(user, "broken", f"{HEAD}colour: red\n")
    (user / "x\x1b]0;owned\x07.md").write_text("x")
    done = llmstack("prompts", *config(user))
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert names == [
        "commit",
        "explain",
        "extract",
        "greet",
        "review",
        "sql",
        "summarise",
        "tests",
        "translate",
    ]
    assert f"{broken} line 4: colour is not known here" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    document = json.loads(llmstack("prompts", "--json", *config(user)).stdout)
    assert {each["name"]: each["origin"] for each in document["prompts"]}["greet"] == "user"
    assert [each["origin"] for each in document["faulty"]] == ["user", "user"]


def test_one_is_shown_with_all_that_it_has(llmstack: Program) -> None:
    done = llmstack("prompts", "extract")
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        "Extract as JSON",
        "(needed)",
        "list",
        "temperature = 0.0",
        "Ana moved to Cádiz",
        "{{ input }}",
    ):
        assert said in done.stdout
    document = json.loads(llmstack("prompts", "extract", "--json").stdout)
    assert document["parameters"] == {"temperature": 0}
    assert [each["name"] for each in document["variables"] if each["required"]] == ["input", "fields"]
    path = llmstack("prompts", "extract", "--path").stdout.strip()
    assert path.endswith("set/en/extract.md")
    assert llmstack.given(LLMSTACK_UI_LANGUAGE="es")("prompts", "extract", "--path").stdout != path


def test_it_is_filled_in_from_words_and_standard_input(llmstack: Program, user: Path) -> None:
    prompt_file(user, "greet", HEAD + VARIABLES + "system: Be kind.\n", "Greet {{ input }}!")
    assert llmstack(*config(user), "prompts", "greet", "--render", "input=A = B").stdout == "Greet A = B!\n"
    twice = ("--render", "input=no", "--render", "input=Bo")
    assert llmstack(*config(user), "prompts", "greet", *twice).stdout == "Greet Bo!\n"
    several = llmstack("prompts", "translate", "--render", "language=Klingon", "--render", "input=Hi").stdout
    assert "into Klingon" in several
    assert "Hi" in several
    assert llmstack(*config(user), "prompts", "greet", "--render", stdin="Eva").stdout == "Greet Eva!\n"
    document = json.loads(
        llmstack(*config(user), "prompts", "greet", "--json", "--render", "input=Ana").stdout
    )
    assert document["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Greet Ana!"},
    ]


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ("prompts nothing", UnknownPrompt, "There is no prompt nothing;"),
        ("prompts greet --render", WrongValues, "The prompt greet needs input, which has no value."),
        ("prompts greet --render input", WrongUsage, "'input' sets no variable"),
        (
            "prompts greet --render input=a b=c",
            WrongValues,
            "The prompt greet has no variable b; it has input.",
        ),
        ("prompts --render a=b", WrongUsage, "Say which prompt is meant"),
        ("chat a Hi --template nothing", UnknownPrompt, "There is no prompt nothing;"),
        ("chat a --template greet", WrongValues, "The prompt greet needs input, which has no value."),
        ("chat a Hi --var x=y", WrongUsage, "--var sets a variable of a prompt"),
        ("chat a Hi --template fixed", WrongUsage, "The prompt fixed takes no text"),
        ("prompts endless --render", NotRendered, "does not end, or takes too many steps"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    user: Path, monkeypatch: pytest.MonkeyPatch, words: str, error: type[Exception], said: str
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    prompt_file(user, "greet", HEAD + VARIABLES, "Greet {{ input }}!")
    prompt_file(user, "fixed")
    loop = "{% for i in range(99999) %}"
    prompt_file(user, "endless", template=f"{loop}{loop}x{'{% endfor %}' * 2}")
    core = Core(Settings(), {}, user.with_name("config.toml"))
    with pytest.raises(error) as raised:
        run(core, words)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_failure_is_one_line_and_its_status(llmstack: Program) -> None:
    done = llmstack("prompts", "sql", "--render", "dialect=COBOL", "input=a", "tables=b")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("llmstack: The variable dialect must be one of these: SQLite,")


async def test_a_chat_asks_with_a_prompt(llmstack: Program, user: Path) -> None:
    head = f"{HEAD}{VARIABLES}  tone: {{default: kindly}}\nsystem: Be kind.\n"
    head += "examples: [{user: Ana, assistant: Hello Ana!}]\nparameters: {temperature: 0.5, num_predict: 9}\n"
    prompt_file(user, "greet", head, "Greet {{ input }} {{ tone }}!")
    async with fake_ollama(a_1="a") as (fake, server):
        words = ("--template", "greet", "--host", server.url, *config(user))
        for more, stdin in ((("the", "cat"), ""), (("--var", "tone=loudly", "--limit", "7"), "a dog\n")):
            done = await asyncio.to_thread(llmstack, "chat", "a:1", *words, *more, stdin=stdin)
            assert (done.returncode, done.stdout) == (0, "Hello\n"), done.stderr
    first, second = (body for path, body in fake.asked if path == "/api/chat" and body.get("messages"))
    assert [(each["role"], each["content"]) for each in first["messages"]] == [
        ("system", "Be kind."),
        ("user", "Ana"),
        ("assistant", "Hello Ana!"),
        ("user", "Greet the cat kindly!"),
    ]
    assert first["options"] == {"temperature": 0.5, "num_predict": 9}
    assert second["messages"][-1]["content"] == "Greet a dog loudly!"
    assert second["options"]["num_predict"] == 7
