"""Which Jinja templates llama.cpp cannot read: it is asked itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.engine.runners.probe import smallest_model, template_fault
from llmstack_tui.engine.verdicts import Verdicts
from llmstack_tui.gguf.checks import check_loadable
from llmstack_tui.gguf.header import read_header
from tests.support.gguf import models

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "{% for message in messages %}{{ message.content }"
UNKNOWN = "{% for message in messages %}{{ message.content | frobnicate }}{% endfor %}"
ENDLESS = "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"
RECURSIVE = "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}"


def test_the_smallest_model_is_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "probe.gguf"
    path.write_bytes(smallest_model())
    assert check_loadable(read_header(path)) is None


async def test_what_can_be_read_is_no_fault(folder: Path) -> None:
    assert await template_fault(models.CHATML, folder, confine=True) is None


@pytest.mark.parametrize(
    ("jinja", "said"),
    [
        (BROKEN, "chat template"),
        (UNKNOWN, "'frobnicate'"),
        ("{{ raise_exception('No way.') }}", "No way"),
        (RECURSIVE, "its process crashed"),
    ],
)
async def test_why_a_template_cannot_be_read(folder: Path, jinja: str, said: str) -> None:
    fault = await template_fault(jinja, folder, confine=True)
    assert fault is not None
    assert said in fault


async def test_a_template_that_does_not_end(folder: Path) -> None:
    assert await template_fault(ENDLESS, folder, confine=True, limit_s=3) == "it does not come to an end"


async def test_where_no_model_can_be_loaded_nothing_is_said_of_a_template(folder: Path) -> None:
    (folder / "probe.gguf").write_bytes(b"GGUF")
    assert await template_fault(BROKEN, folder, confine=True) is None


async def test_a_verdict_is_kept(tmp_path: Path, folder: Path) -> None:
    verdicts = Verdicts(tmp_path / "models", folder, confine=True)
    assert verdicts.fault(BROKEN) is None, "nobody has looked"
    found = await verdicts.look(BROKEN)
    assert found is not None
    assert found.kind == "template.unreadable"
    assert await verdicts.look(models.CHATML) is None
    later = Verdicts(tmp_path / "models", folder, confine=True)
    assert (later.fault(BROKEN), later.fault(models.CHATML)) == (found, None)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"faults": 1}', b'{"llama_cpp": "0", "faults": {"a": "b"}}']
)
async def test_a_file_that_is_broken_or_of_another_llama_cpp_says_nothing(
    tmp_path: Path, folder: Path, content: bytes
) -> None:
    (tmp_path / "unreadable-templates.json").write_bytes(content)
    verdicts = Verdicts(tmp_path, folder, confine=True)
    assert verdicts.fault(BROKEN) is None
    assert await verdicts.look(BROKEN) is not None


async def test_a_verdict_that_cannot_be_kept_counts_all_the_same(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    verdicts = Verdicts(tmp_path / "models", folder, confine=True)
    assert await verdicts.look(BROKEN) is not None
    assert verdicts.fault(BROKEN) is not None
