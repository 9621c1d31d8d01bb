"""Main memory, with and without the limit of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmstack_tui.hardware.readings import Space
from llmstack_tui.hardware.system import container_memory, read_memory

if TYPE_CHECKING:
    from pathlib import Path

GIB = 2**30


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_machine_without_limits(tmp_path: Path) -> None:
    memory = read_memory(tmp_path)
    assert memory.total == psutil.virtual_memory().total
    assert 0 < memory.used < memory.total
    assert 0 < memory.percent < 100


def test_this_machine() -> None:
    memory = read_memory()
    assert 0 < memory.used <= memory.total <= psutil.virtual_memory().total


def test_a_container_that_is_its_own_tree(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/docker/abc\n",
            "sys/fs/cgroup/memory.max": f"{GIB}\n",
            "sys/fs/cgroup/memory.current": f"{GIB // 2}\n",
            "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {GIB // 8}\nactive_file {GIB // 8}\n",
        },
    )
    assert container_memory(root) == Space(total=GIB, used=GIB // 4)
    assert read_memory(root) == Space(total=GIB, used=GIB // 4)


def test_the_machine_may_have_less_to_give_than_the_container_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = psutil.virtual_memory()._replace(total=8 * GIB, available=GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": f"{4 * GIB}\n",
        "sys/fs/cgroup/memory.current": f"{GIB}\n",
    }
    assert read_memory(write(tmp_path, files)) == Space(total=4 * GIB, used=3 * GIB)


def test_a_group_outside_of_what_the_container_sees(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/../../elsewhere\n",
        "sys/fs/cgroup/memory.max": f"{GIB}\n",
        "sys/fs/cgroup/memory.current": "12\n",
    }
    assert container_memory(write(tmp_path, files)) == Space(total=GIB, used=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=4, max_size=4))
def test_any_content_is_a_reading(tmp_path: Path, contents: list[str]) -> None:
    names = ("memory.max", "memory.current", "memory.stat")
    files = {f"sys/fs/cgroup/{name}": content for name, content in zip(names, contents[1:], strict=True)}
    for groups in (contents[0], f"0::/\n{contents[0]}"):
        memory = read_memory(write(tmp_path, files | {"proc/self/cgroup": groups}))
        assert 0 <= memory.used <= memory.total


def test_the_lowest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/app\n",
            "sys/fs/cgroup/user/app/memory.max": "max\n",
            "sys/fs/cgroup/user/app/memory.current": "1\n",
            "sys/fs/cgroup/user/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/user/memory.current": "7\n",
        },
    )
    assert container_memory(root) == Space(total=2 * GIB, used=7)


def test_the_older_control_groups(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "3:cpu:/x\n5:memory:/x\n",
            "sys/fs/cgroup/memory/x/memory.limit_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/memory/x/memory.usage_in_bytes": "4096\n",
            "sys/fs/cgroup/memory/x/memory.stat": "total_inactive_file 96\n",
        },
    )
    assert container_memory(root) == Space(total=GIB, used=4000)


def test_a_limit_above_the_machine_is_none(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "4096\n",
        },
    )
    assert read_memory(root).total == psutil.virtual_memory().total


@pytest.mark.parametrize("text", ["", "max", "soon", "-1"])
def test_a_limit_that_says_nothing_is_none(tmp_path: Path, text: str) -> None:
    files = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": text,
        "sys/fs/cgroup/memory.current": "1",
    }
    assert container_memory(write(tmp_path, files)) is None


def test_nothing_of_nothing_is_no_division() -> None:
    assert Space(total=0, used=0).percent == 0
