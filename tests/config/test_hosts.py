"""``hosts``: addresses and tables, and what may be done on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings
from tests.config.files import load

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.config.hosts import Allow

BOX = "http://gpu-box:11434"
HERE = "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    "content",
    [
        'hosts = ["127.0.0.1", {url = "gpu-box", name = "GPU box", allow = "act"}]',
        'hosts = [\n  { url = ":11434" }, # here\n  { url = "gpu-box", name = "GPU box", allow = "act" },\n]',
        '[[hosts]]\nurl = "0.0.0.0"\n[[hosts]]\nurl = "gpu-box"\nname = "GPU box"\nallow = "act"',
    ],
)
def test_the_ways_to_write_them(tmp_path: Path, content: str) -> None:
    loaded = load(tmp_path, content)
    assert loaded.problems == ()
    assert loaded.settings.hosts == (
        HostSettings(url=HERE),
        HostSettings(url=BOX, name="GPU box", allow="act"),
    )


@pytest.mark.parametrize(
    ("url", "allow", "may"),
    [
        (HERE, None, True),
        ("http://[::1]:11434", None, True),
        (BOX, None, False),
        ("http://192.168.1.7:11434", None, False),
        (HERE, "look", False),
        (BOX, "act", True),
    ],
)
def test_acts_are_allowed_here_and_elsewhere_only_where_it_is_said(
    url: str, allow: Allow | None, may: bool
) -> None:
    settings = Settings(hosts=(HostSettings(url=url, allow=allow),))
    assert settings.may_act(url) is may
    assert settings.may_act("http://found:11434"), "one that no list names was named for this once"
    assert not Settings(hosts=settings.hosts, read_only=True).may_act(url)


GOOD = HostSettings(url=HERE)


@pytest.mark.parametrize(
    ("content", "sentence", "hosts"),
    [
        (
            'hosts = [\n"127.0.0.1",\n"gpu box",\n]',
            "line 3: hosts has a wrong address. 'gpu box' is not an address of a server. Addresses look like "
            "127.0.0.1:11434 or https://example.com.",
            (GOOD,),
        ),
        (
            'hosts = [1, "127.0.0.1"]',
            'line 1: hosts must be an address such as "127.0.0.1:11434", not 1.',
            (GOOD,),
        ),
        (
            'hosts = ["", "127.0.0.1"]',
            "line 1: hosts must be an address such as \"127.0.0.1:11434\", not ''.",
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\n[[hosts]]\nname = "x"',
            'line 3: hosts.url must be an address such as "127.0.0.1:11434", it has none.',
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\n\n[[hosts]]\nurl = "ftp://a"',
            "line 5: hosts.url has a wrong address. 'ftp://a' has an unknown scheme: an address begins with "
            "http:// or https://.",
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nallow = "all"',
            'line 3: hosts.allow must be "look" or "act", not \'all\': "look" is used.',
            (HostSettings(url=HERE, allow="look"),),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nallow = ["act"]',
            'line 3: hosts.allow must be "look" or "act", not a list: "look" is used.',
            (HostSettings(url=HERE, allow="look"),),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nname = "\\u0007"',
            "line 3: hosts.name must be a text of at most 40 characters, not '\\x07'.",
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nnam = "x"',
            "line 3: hosts.nam is not a setting. Known here: url, name, allow, api_key_file.",
            (GOOD,),
        ),
        (
            'hosts = [\n  "127.0.0.1",\n  { url = "http://127.0.0.1:11434", allow = "look" },\n]',
            f"line 3: hosts has {HERE} more than once; the first one counts.",
            (GOOD,),
        ),
    ],
)
def test_a_wrong_host_is_named_with_its_line_and_the_others_apply(
    tmp_path: Path, content: str, sentence: str, hosts: tuple[HostSettings, ...]
) -> None:
    loaded = load(tmp_path, content)
    assert loaded.problems == (f"config.toml {sentence}",)
    assert loaded.settings == Settings(hosts=hosts)


def test_one_table_is_no_list(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[hosts]\nurl = "127.0.0.1"')
    assert loaded.problems[0] == (
        'config.toml line 1: hosts must be a list of addresses such as "127.0.0.1:11434" and of tables '
        "{ url, name, allow, api_key_file }, not a table."
    )
