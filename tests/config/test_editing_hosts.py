"""Servers are changed in the file one by one: what is around them stays to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.editing import change, toml_of
from llmstack_tui.config.loading import load_settings
from llmstack_tui.config.table import find_setting

if TYPE_CHECKING:
    from pathlib import Path

ARRAY = """\
# mine
hosts = [  # all of them
  # at home
  "127.0.0.1",  # here

  # in the cellar
  { url = 'gpu-box', name = "gpu" },  # the big one, "GPU"
  # "old-box",
  "nas:11434"   # slow
  # no more
]  # end

# the screen
[ui]
theme  =  "dark" # mine
"""

TABLES = """\
# mine

# at home
[[hosts]]
url = "127.0.0.1"  # here

# in the cellar
[[hosts]]
url = 'gpu-box' # the big one
name = "gpu"   # short

# slow
[[hosts]]
url = "nas:11434"

# the screen
[ui]
theme  =  "dark" # mine
"""

ONE_LINE = 'hosts = ["127.0.0.1",  {name="gpu",url="gpu-box"}, "nas:11434"]  # mine\n'

HERE, GPU, NAS = '"127.0.0.1"', '{ url = "gpu-box", name = "gpu" }', '"nas"'
RENAMED = '{ url = "gpu-box", name = "big" }'
ALLOWED = '{ url = "gpu-box", name = "gpu", allow = "act" }'


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


@pytest.mark.parametrize(
    ("text", "hosts", "before", "after"),
    [
        (ARRAY, (HERE, GPU, NAS), "", ""),
        (ARRAY, (HERE, RENAMED, NAS), '"gpu" }', '"big" }'),
        (ARRAY, (HERE, ALLOWED, NAS), '"gpu" }', '"gpu", allow = "act" }'),
        (ARRAY, (HERE, '"gpu-box"', NAS), ', name = "gpu" }', " }"),
        (
            ARRAY,
            ('{ url = "127.0.0.1", allow = "look" }', GPU, NAS),
            '"127.0.0.1"',
            '{ url = "127.0.0.1", allow = "look" }',
        ),
        (ARRAY, (HERE, GPU, '"nas:1"'), '"nas:11434"', '"http://nas:1"'),
        (ARRAY, (HERE, GPU, NAS, '"new"'), '"   # slow\n', '",   # slow\n  "http://new:11434"\n'),
        (ARRAY, (HERE, '"new"', GPU, NAS), "# here\n", '# here\n  "http://new:11434",\n'),
        (ARRAY, ('"new"', HERE, GPU, NAS), "of them\n", 'of them\n  "http://new:11434",\n'),
        (ARRAY, (GPU, NAS), '\n  "127.0.0.1",  # here\n', "\n"),
        (ARRAY, (HERE, NAS), '  { url = \'gpu-box\', name = "gpu" },  # the big one, "GPU"\n', ""),
        (ARRAY, (HERE, GPU), '  "nas:11434"   # slow\n', ""),
        (TABLES, (HERE, GPU, NAS), "", ""),
        (TABLES, (HERE, RENAMED, NAS), 'name = "gpu"', 'name = "big"'),
        (TABLES, (HERE, ALLOWED, NAS), "# short\n", '# short\nallow = "act"\n'),
        (TABLES, (HERE, '"gpu-box"', NAS), 'name = "gpu"   # short\n', ""),
        (
            TABLES,
            (HERE, GPU, NAS, '"new"'),
            '"nas:11434"\n',
            '"nas:11434"\n\n[[hosts]]\nurl = "http://new:11434"\n',
        ),
        (TABLES, (HERE, '"new"', GPU, NAS), "here\n", 'here\n\n[[hosts]]\nurl = "http://new:11434"\n'),
        (
            TABLES,
            ('"new"', HERE, GPU, NAS),
            "home\n",
            'home\n[[hosts]]\nurl = "http://new:11434"\n\n',
        ),
        (TABLES, (GPU, NAS), '[[hosts]]\nurl = "127.0.0.1"  # here\n', ""),
        (TABLES, (HERE, NAS), "[[hosts]]\nurl = 'gpu-box' # the big one\nname = \"gpu\"   # short\n", ""),
        (TABLES, (HERE, GPU), '[[hosts]]\nurl = "nas:11434"\n', ""),
        (ONE_LINE, (HERE, RENAMED, NAS), 'name="gpu"', 'name="big"'),
        (ONE_LINE, (HERE, GPU), ', "nas:11434"', ""),
        (ONE_LINE, (GPU, NAS), '"127.0.0.1",  ', ""),
        (ONE_LINE, (HERE, GPU, NAS, '"new"'), '"]', '", "http://new:11434"]'),
        ('hosts = ["a", # b\n"c"]\n', ('"a"',), '"c"]', "]"),
        ('hosts = ["a" # b\n]\n', ('"a"', '"c"'), '"a" # b\n', '"a", # b\n "http://c:11434"\n'),
        ("hosts = [\n  # none\n]\n", ('"a"',), "none\n", 'none\n    "http://a:11434",\n'),
        ('hosts = [ "a" # b\n, "c" ] # d\n', ('"c"',), '"a" # b\n, ', ""),
        ('hosts = ["a" # b\n, "c"]\n', ('"a"', '"c"', '"d"'), '"c"', '"c", "http://d:11434"'),
        ('[[hosts]]\nurl = "a"', ('"a"', '"c"'), '"a"', '"a"\n\n[[hosts]]\nurl = "http://c:11434"\n'),
        ('[[hosts]]\nurl = "a"\n\n[[hosts]]\nurl = "c"\n', ('"a"',), '\n[[hosts]]\nurl = "c"\n', ""),
        (TABLES, (), "", None),
        ('hosts = "a, c"  # b\n', ('"a"',), '"a, c"', '["http://a:11434"]'),
    ],
)
def test_one_server_changes_and_nothing_else(
    tmp_path: Path, text: str, hosts: tuple[str, ...], before: str, after: str | None
) -> None:
    file = tmp_path / "config.toml"
    setting = find_setting("hosts")
    assert setting is not None
    wanted = text.replace(before, after, 1) if after is not None else _without_tables(text)
    for end in ("\n", "\r\n"):
        file.write_text(text, newline=end)
        change(file, {setting.place: toml_of(setting, f"[{', '.join(hosts)}]") if hosts else None})
        assert file.read_bytes().decode() == wanted.replace("\n", end)
    assert load_settings(file, {}).problems == ()


def _without_tables(text: str) -> str:
    kept = [line for line in text.splitlines() if not line.startswith(("[[", "url", "name"))]
    return "\n".join(kept) + "\n"


def test_what_is_wrong_in_the_file_is_put_right_where_it_is_set(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('hosts = [\n  # far\n  { url = "a", allow = "actt" },\n]\n')
    setting = find_setting("hosts")
    assert setting is not None
    change(file, {setting.place: toml_of(setting, '[{url = "a", allow = "look"}]')})
    assert file.read_text() == 'hosts = [\n  # far\n  { url = "a", allow = "look" },\n]\n'
