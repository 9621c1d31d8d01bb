"""``llmstack catalog``: as a script and as a person run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.hub import GB, FakeHub, Said, serving_hub

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.support.program import Program


def settings(llmstack: Program, profile: str) -> Path:
    """A settings file that says what machine this is, whatever it is."""
    path = llmstack.home / "settings.toml"
    path.write_text(f'[hardware]\nprofile = "{profile}"\n')
    return path


def test_the_table_says_what_fits_a_machine(llmstack: Program) -> None:
    done = llmstack("catalog", "llama3", "--config", settings(llmstack, "nvidia_8gb"))
    assert done.returncode == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "  at 4k  " in rows["llama3.1:8b"]
    assert "  no  " in rows["llama3.3:70b"]
    assert "  fits  " in rows["llama3.2:1b"]
    assert "8.1 GB of VRAM here (nvidia_8gb)" in done.stderr
    assert "estimate" in done.stderr


def test_a_larger_card_has_room_for_more(llmstack: Program) -> None:
    done = llmstack("catalog", "llama3.1", "--config", settings(llmstack, "nvidia_24gb"))
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "  fits  " in rows["llama3.1:8b"]
    assert "  no  " in rows["llama3.1:70b"]


def test_all_of_it_without_a_word(llmstack: Program) -> None:
    done = llmstack("catalog")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 60


def test_rows_fit_the_terminal_and_long_words_on_a_model_are_wrapped(llmstack: Program) -> None:
    with llmstack.in_terminal("catalog", "code", columns=90) as screen:
        assert screen.wait_exit() == 0
    rows = screen.written.splitlines()[:-1]
    assert len(rows) > 8
    assert max(map(len, rows)) <= 90
    assert any(row.startswith(" " * 40) for row in rows)


def test_one_model_is_told_with_its_variants_and_sources(llmstack: Program) -> None:
    done = llmstack("catalog", "qwen2.5-coder:7b")
    assert done.returncode == 0
    assert "qwen2.5-coder:7b-instruct-q8_0  Q8_0" in done.stdout
    assert "licence: Apache-2.0" in done.stdout
    assert "context: 32,768 tokens" in done.stdout
    assert "source: https://github.com/Lightning-AI/litgpt/" in done.stdout


def test_what_was_measured_is_told(llmstack: Program) -> None:
    done = llmstack("catalog", "llama3:8b")
    assert "RTX 4090" in done.stdout
    assert "127.74" in done.stdout


def test_a_script_gets_every_figure_with_its_source(llmstack: Program) -> None:
    done = llmstack("catalog", "mistral:7b", "--json", "--config", settings(llmstack, "nvidia_8gb"))
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["profile"] == "nvidia_8gb"
    assert 7 * 2**30 < document["memory_budget"] < 8 * 2**30
    (model,) = document["models"]
    assert (model["name"], model["family"], model["uses"]) == ("mistral:7b", "Mistral", ["general"])
    assert model["context"]["value"] == 32768
    assert model["license"] == {"value": "Apache-2.0", "source": "https://ollama.com/library/mistral"}
    first = model["files"][0]
    assert (first["name"], first["quantization"], first["rounded"]) == ("mistral:7b", "Q4_K_M", False)
    assert first["download"] < first["memory"]["4096"] < first["memory"]["32768"]
    assert first["memory"]["basis"] == "estimate"
    assert first["fit"] == "short"
    assert {each["fit"] for each in model["files"]} == {"short", "no"}
    assert {*model["speeds"][0]} == {"card", "quantization", "tokens_per_second", "source"}
    sources = [
        each["source"] for each in (model["parameters"], model["context"], *model["files"], *model["speeds"])
    ]
    assert all(source.startswith("https://") for source in sources)


def test_what_is_not_known_is_null(llmstack: Program) -> None:
    (model,) = json.loads(llmstack("catalog", "llava:13b", "--json").stdout)["models"]
    assert model["license"] is None
    (model,) = json.loads(llmstack("catalog", "qwen2.5vl:7b", "--json").stdout)["models"]
    # Its shape is not known: the size of its file tells.
    assert model["files"][0]["memory"]["basis"] == "file size"
    (model,) = json.loads(llmstack("catalog", "minimax-m3:cloud", "--json").stdout)["models"]
    assert (model["parameters"], model["files"], model["quality"]) == (None, [], [])


def test_a_model_that_reads_no_32k_has_no_memory_for_it(llmstack: Program) -> None:
    document = json.loads(llmstack("catalog", "llama3:8b", "--json").stdout)
    memory = document["models"][0]["files"][0]["memory"]
    assert memory["4096"] > 0
    assert memory["32768"] is None


def test_kind_hardware_servers_and_quality_are_told(llmstack: Program) -> None:
    document = json.loads(llmstack("catalog", "--json").stdout)
    assert document["tags_as_of"] == "2026-08-22"
    models = {model["name"]: model for model in document["models"]}
    both, small = models["gpt-oss:120b"], models["qwen2.5-coder:7b"]
    assert (both["kind"], both["cloud"], both["servers"]) == ("both", "gpt-oss:120b-cloud", ["ollama"])
    assert (small["kind"], small["cloud"], small["servers"]) == ("local", None, ["ollama", "engine"])
    assert small["files"][0]["hardware"] == {"card_gb": 6, "ram_gb": 8}
    assert models["gemma4:31b"]["quality"][0] == {
        "benchmark": "MMLU-Pro",
        "value": 85.2,
        "source": "https://ollama.com/library/gemma4",
    }
    assert models["glm-5.1:cloud"]["kind"] == "cloud"
    told = llmstack("catalog", "gpt-oss:120b").stdout
    assert "kind: both" in told
    assert "gpt-oss:120b-cloud" in told
    assert "MMLU-Pro" in told


def test_only_one_kind(llmstack: Program) -> None:
    kinds = {
        kind: {
            model["kind"]
            for model in json.loads(llmstack("catalog", "--json", "--kind", kind).stdout)["models"]
        }
        for kind in ("local", "cloud", "both")
    }
    assert kinds == {"local": {"local", "both"}, "cloud": {"cloud", "both"}, "both": {"both"}}
    assert llmstack("catalog", "--kind", "elsewhere").returncode == 2


def test_words_that_nothing_has(llmstack: Program) -> None:
    done = llmstack("catalog", "no", "such")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'no such'" in done.stderr
    done = llmstack("catalog", "no", "such", "--json")
    assert (done.returncode, json.loads(done.stdout)["models"]) == (1, [])


def test_an_option_that_it_has_not_is_wrong_usage(llmstack: Program) -> None:
    assert llmstack("catalog", "--fast").returncode == 2


def online(llmstack: Program, hub: FakeHub, *words: str) -> CompletedProcess[str]:
    path = llmstack.home / "online.toml"
    path.write_text(f'[hardware]\nprofile = "nvidia_8gb"\n[catalog]\nonline_url = "{hub.url}"\n')
    return llmstack("catalog", "--online", *words, "--config", path)


def test_what_is_found_online_has_its_quantizations_and_whether_they_fit(llmstack: Program) -> None:
    with serving_hub() as hub:
        hub.has("a/Llama-GGUF", ("x-Q4_K_M.gguf", 800_000_000), ("x-Q8_0.gguf", 9_000_000_000))
        hub.has(
            "b/Llama-GGUF",
            ("y-Q8_0-00001-of-00002.gguf", GB),
            ("y-Q8_0-00002-of-00002.gguf", GB),
            gated="auto",
        )
        hub.has("c/Llama-GGUF", ("model.safetensors", GB))
        done = online(llmstack, hub, "llama")
        assert done.returncode == 0
        assert f"Asking {hub.url.removeprefix('http://')} for GGUF files with 'llama'" in done.stderr
        rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
        assert "  fits  " in rows["hf.co/a/Llama-GGUF:Q4_K_M"]
        assert "  no  " in rows["hf.co/a/Llama-GGUF:Q8_0"]
        assert "  split  " in rows["hf.co/b/Llama-GGUF:Q8_0"]
        assert "2.0 GB" in rows["hf.co/b/Llama-GGUF:Q8_0"]
        assert "cannot be pulled from here" in done.stdout
        assert "has no GGUF file" in done.stdout
        document = json.loads(online(llmstack, hub, "llama", "--json").stdout)
    assert (document["asked"], document["search"], document["are_more"]) == (hub.url, "llama", False)
    first, second, third = document["repositories"]
    assert (first["id"], first["gated"], first["architecture"]) == ("a/Llama-GGUF", False, "llama")
    assert [(each["name"], each["fit"], each["parts"]) for each in first["files"]] == [
        ("hf.co/a/Llama-GGUF:Q4_K_M", "long", 1),
        ("hf.co/a/Llama-GGUF:Q8_0", "no", 1),
    ]
    assert (second["gated"], third["files"]) == (True, None)
    assert "has no GGUF file" in third["problem"]


def test_only_so_many_are_looked_into(llmstack: Program) -> None:
    with serving_hub() as hub:
        for number in range(60):
            hub.has(f"a/m{number}", ("x-Q4_0.gguf", GB))
        done = online(llmstack, hub, "m", "--limit", "2")
        assert (done.stdout.count("hf.co/"), done.returncode, len(hub.asked)) == (2, 0, 4)
        assert "There are more" in done.stderr


def test_a_search_online_that_finds_or_gets_nothing_is_a_sentence(llmstack: Program) -> None:
    with serving_hub() as hub:
        done = online(llmstack, hub, "no", "such")
        assert (done.returncode, done.stdout) == (1, "")
        assert "has no GGUF file with 'no such' in its name." in done.stderr
        hub.instead = Said(429, b"", {"Retry-After": "3600"})
        done = online(llmstack, hub, "llama")
        assert (done.returncode, done.stdout) == (1, "")
        assert "has been asked too often: try again in 60\N{NO-BREAK SPACE}min." in done.stderr
        asked = len(hub.asked)
        assert online(llmstack, hub).returncode == 2
        assert len(hub.asked) == asked
