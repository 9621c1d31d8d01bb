"""``hosts``: addresses and tables, and what may be done on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.address import InvalidAddress, parse_host
from llmstack_tui.base.kinds import ServerKind
from llmstack_tui.base.sentences import Sentence, Sentences, said
from llmstack_tui.config.hosts import HostSettings
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.wording import text
from tests.config.files import in_file, load, place

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.config.hosts import Allow

BOX = "http://gpu-box:11434"
HERE = "http://127.0.0.1:11434"
KINDS = (
    '"auto", "ollama", "llama-server", "llama-router", "llama-swap", "lm-studio", "vllm", "tgi", "ray-serve" '
    'or "openai"'
)


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


def why(text: str) -> Sentences:
    with pytest.raises(InvalidAddress) as caught:
        parse_host(text)
    return said(caught.value)


@pytest.mark.parametrize(
    ("content", "problem", "hosts"),
    [
        (
            'hosts = [\n"127.0.0.1",\n"gpu box",\n]',
            in_file(3, "wrong_address", name="hosts", why=why("gpu box")),
            (GOOD,),
        ),
        (
            'hosts = [1, "127.0.0.1"]',
            in_file(1, "wrong", name="hosts", allowed='an address such as "127.0.0.1:11434"', value="1"),
            (GOOD,),
        ),
        (
            'hosts = ["", "127.0.0.1"]',
            in_file(1, "wrong", name="hosts", allowed='an address such as "127.0.0.1:11434"', value="''"),
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\n[[hosts]]\nname = "x"',
            in_file(3, "no_address", name="hosts.url"),
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\n\n[[hosts]]\nurl = "ftp://a"',
            in_file(5, "wrong_address", name="hosts.url", why=why("ftp://a")),
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nallow = "all"',
            in_file(3, "wrong_allow", name="hosts.allow", value="'all'"),
            (HostSettings(url=HERE, allow="look"),),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nallow = ["act"]',
            in_file(3, "wrong_allow", name="hosts.allow", value="a list"),
            (HostSettings(url=HERE, allow="look"),),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nname = "\\u0007"',
            in_file(
                3,
                "wrong",
                name="hosts.name",
                allowed="a text of at most 40 characters, all of which can be shown",
                value="'\\x07'",
            ),
            (GOOD,),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nkind = "vlm"',
            in_file(3, "wrong", name="hosts.kind", allowed=KINDS, value="'vlm'"),
            (HostSettings(url=HERE),),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nkind = 1',
            in_file(3, "wrong", name="hosts.kind", allowed=KINDS, value="1"),
            (HostSettings(url=HERE),),
        ),
        (
            '[[hosts]]\nurl = "127.0.0.1"\nnam = "x"',
            in_file(3, "unknown", name="hosts.nam", known=("url", "name", "allow", "api_key_file", "kind")),
            (GOOD,),
        ),
        (
            'hosts = [\n  "127.0.0.1",\n  { url = "http://127.0.0.1:11434", allow = "look" },\n]',
            in_file(3, "host_twice", name="hosts", url=HERE),
            (GOOD,),
        ),
    ],
)
def test_a_wrong_host_is_named_with_its_line_and_the_others_apply(
    tmp_path: Path, content: str, problem: Sentence, hosts: tuple[HostSettings, ...]
) -> None:
    loaded = load(tmp_path, content)
    assert text(*loaded.problems) == text(problem)
    assert loaded.settings == Settings(hosts=hosts)


def test_one_table_is_no_list(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[hosts]\nurl = "127.0.0.1"')
    assert place(loaded.problems[0]) == (1, "hosts")


def test_the_program_that_serves_may_be_named(tmp_path: Path) -> None:
    loaded = load(tmp_path, 'hosts = [{ url = ":1", kind = "vllm" }, { url = ":2", kind = "auto" }, ":3"]')
    assert loaded.problems == ()
    assert [host.kind for host in loaded.settings.hosts] == [ServerKind.VLLM, None, None]
