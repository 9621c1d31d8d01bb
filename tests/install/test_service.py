"""Installations over a stand-in for the server of releases: whole, cut, wrong, cancelled, undone."""

from __future__ import annotations

import asyncio
import errno
import tarfile
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.commands import CommandFailed, NeedsRoot, RootCommand
from llmstack_tui.base.sentences import Failure
from llmstack_tui.core.wording import text, words
from llmstack_tui.install import download, steps
from llmstack_tui.install.types import InstallFailed
from tests.install.machines import Home
from tests.support.releases import SCRIPT, ReleaseServer, archive, program, stand_in
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYSTEMCTL = 'echo "$@" >> "$NOTES"'


@pytest.fixture
def served() -> Iterator[ReleaseServer]:
    server = ReleaseServer()
    server.add("0.1.0")
    server.add("0.2.0", kind="tar.zst")
    with server.serving():
        yield server


@pytest.fixture
def home(tmp_path: Path, served: ReleaseServer, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(steps, "UP_S", 0.3)
    monkeypatch.setattr(steps, "_BACK_S", 0.3)
    return Home(tmp_path, served)


async def refused(home: Home, version: str = "0.1.0") -> str:
    plan = await home.plan(version)
    with pytest.raises(Failure) as failed:
        await home.carry_out(plan)
    return words(failed.value)


async def test_versions_side_by_side(home: Home) -> None:
    await home.install("0.1.0")
    assert home.hands.started == [home.folder / "versions/0.1.0/bin/ollama"]
    assert (home.home / ".local/bin/ollama").resolve() == home.hands.started[0]
    assert home.hands.started[0].stat().st_mode & 0o100
    await home.install()
    assert (home.folder / "current").resolve() == home.folder / "versions/0.2.0"
    assert not any("downloads" in each for each in home.left())
    await home.carry_out(await home.service.roll_back())
    offer = await home.service.offer()
    assert (offer.versions.kept, offer.versions.current) == (("0.2.0", "0.1.0"), "0.1.0")
    assert offer.versions.record.previous == "0.2.0"
    assert offer.known == ("0.2.0", "0.1.0")


async def test_a_held_version_stays(home: Home) -> None:
    await home.service.hold("0.1.0")
    assert (await home.plan()).version == "0.1.0"
    with pytest.raises(InstallFailed, match=r"install\.is_held"):
        await home.service.offer("0.2.0")
    await home.install()
    await home.service.hold("")
    assert (await home.plan()).version == "0.2.0"


async def test_what_was_cut_goes_on_where_it_ended(home: Home, served: ReleaseServer) -> None:
    path = served.path_of("0.1.0")
    served.cut[path] = [300, 200]
    await home.install("0.1.0")
    asked = [each for name, each in served.asked if name == path]
    assert asked == ["", "bytes=300-", "bytes=500-"]


async def test_what_is_cut_again_and_again_is_kept_for_the_next_time(
    home: Home, served: ReleaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TRIES", 2)
    path = served.path_of("0.1.0")
    served.cut[path] = [300, 100]
    assert "the connection broke before the end. The next try goes on from there." in await refused(home)
    assert home.left() == {f"ollama/downloads/0.1.0-{path.rpartition('/')[2]}.part"}
    await home.install("0.1.0")
    assert served.asked[-1] == (path, "bytes=400-")


async def test_a_wrong_checksum_leaves_nothing(home: Home, served: ReleaseServer) -> None:
    path = served.path_of("0.1.0")
    served.files[path] = served.files[path][:-1] + b"?"
    assert "is not what was published" in await refused(home)
    assert home.left() == set()


async def test_a_page_instead_of_the_archive(home: Home, served: ReleaseServer) -> None:
    path = served.path_of("0.1.0")
    served.files[path], served.types[path] = b"<html>Log in</html>", "text/html"
    assert "a page instead of the file" in await refused(home)
    assert not any(each.endswith("ollama") for each in home.left())


async def test_a_page_instead_of_the_checksums(home: Home, served: ReleaseServer) -> None:
    served.files["v0.1.0/sha256sum.txt"] = b"<html>Log in</html>"
    plan = await home.plan("0.1.0")
    assert "has no checksums of version 0.1.0" in text(*plan.problems)


async def test_a_script_that_is_not_the_published_one(tmp_path: Path, served: ReleaseServer) -> None:
    home = Home(tmp_path, served, is_root=True)
    served.files["v0.1.0/install.sh"] += b"rm -rf /\n"
    offer = await home.service.offer("0.1.0")
    assert text(*offer.problems).startswith("install.sh from 127.0.0.1")
    assert all(each.problems for each in offer.plans if each.way != "engine")


async def test_cancelled_in_the_middle_of_the_download(home: Home, served: ReleaseServer) -> None:
    path = served.path_of("0.1.0")
    served.hangs.add(path)
    task = asyncio.create_task(home.carry_out(await home.plan("0.1.0")))
    await wait_until(lambda: any(each.total for each in home.told), what="the first bytes")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (home.folder / "versions").exists()
    served.hangs.clear()
    await home.install("0.1.0")
    assert home.hands.started


async def test_a_version_that_does_not_start_gives_way_to_the_one_before(home: Home) -> None:
    await home.install("0.1.0")
    home.hands.failure = InstallFailed("install.no_previous")
    await refused(home, "0.2.0")
    assert (home.folder / "current").resolve() == home.folder / "versions/0.1.0"
    assert not (home.folder / "versions/0.2.0").exists()


async def test_a_service_that_crashes_at_its_start_is_taken_away(tmp_path: Path, home: Home) -> None:
    home.about["has_user_services"] = True
    stand_in(home.bin, "systemctl", SYSTEMCTL)
    said = await refused(home)
    assert said.startswith("Ollama did not answer at")
    assert home.notes == [
        "--user daemon-reload",
        "--user enable --now ollama.service",
        "--user disable --now ollama.service",
        "--user daemon-reload",
    ]
    assert home.left() == set()
    home.hands.up = True
    home.about["server"] = False
    await home.carry_out(await home.plan("0.1.0"))


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'Failed to connect to bus' >&2; exit 1", "was refused: Failed to connect to bus"),
        ("exec sleep 30", "has not ended within 0.3 s"),
        (None, "systemctl is not on this machine, or not on the path"),
    ],
)
async def test_a_systemctl_that_refuses_hangs_or_is_missing(
    home: Home, script: str | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmstack_tui.install.rules.archive._SYSTEMD_S", 0.3)
    home.about["has_user_services"] = True
    home.environ["PATH"] = f"{home.bin}:{home.bin}/tools"
    (home.bin / "tools").mkdir(parents=True)
    for each in ("sh", "sleep", "zstd"):
        (home.bin / "tools" / each).symlink_to(f"/usr/bin/{each}" if each != "sh" else "/bin/sh")
    if script is not None:
        stand_in(home.bin, "systemctl", script)
    assert says in await refused(home)
    assert home.left() == set()


async def test_a_script_writes_line_by_line_and_its_failure_is_told(
    tmp_path: Path, served: ReleaseServer
) -> None:
    home = Home(tmp_path, served, is_root=True, has_services=True)
    home.hands.up = True
    await home.install("0.1.0", "script")
    assert home.lines == [">>> Installing ollama 0.1.0"]
    served.add("0.3.0", script=SCRIPT.format(then="echo ERROR: no zstd; exit 1"))
    plan = await home.plan("0.3.0", "script")
    with pytest.raises(CommandFailed) as failed:
        await home.carry_out(plan)
    assert words(failed.value).endswith("was refused: ERROR: no zstd")


async def test_what_the_script_replaced_is_installed_again(tmp_path: Path, served: ReleaseServer) -> None:
    home = Home(tmp_path, served, is_root=True, version="0.1.0")
    await home.install("0.2.0", "script")
    again = Home(tmp_path, served, is_root=True, version="0.2.0")
    plan = await again.service.roll_back()
    assert (plan.way, plan.version) == ("script", "0.1.0")
    assert "--rollback` goes back to 0.2.0" in text(*plan.back)
    await again.carry_out(plan)
    assert (await again.service.roll_back()).version == "0.2.0"
    with pytest.raises(InstallFailed, match=r"install\.needs_sudo"):
        await Home(tmp_path, served).service.roll_back()


async def test_a_script_that_needs_root_is_run_by_who_asks_for_the_password(
    tmp_path: Path, served: ReleaseServer
) -> None:
    home = Home(tmp_path, served, has_sudo=True, has_services=True)
    home.hands.up = True
    plan = await home.plan("0.1.0", "script")
    ran: list[RootCommand] = []

    async def as_root(command: RootCommand) -> None:
        ran.append(command)

    await home.service.carry_out(plan, home.told.append, as_root)
    script = home.folder / "install.sh"
    assert [each.shown for each in ran] == [f"sudo env OLLAMA_VERSION=0.1.0 sh {script}"]
    with pytest.raises(NeedsRoot):
        await home.carry_out(plan)


def _link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def _device(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.CHRTYPE
    return info


GOOD = {"bin/ollama": program("0.4.0")}


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (archive({**GOOD, "../outside": b"x"}), "leads out of its folder"),
        (archive({**GOOD, "/etc/outside": b"x"}), "leads out of its folder"),
        (archive(GOOD, _link("lib", "../..")), "leads out of its folder"),
        (archive(GOOD, _link("lib", "/etc")), "leads out of its folder"),
        (archive(GOOD, _device("null")), "which is no file"),
        (archive({"readme": b"x"}), "no bin/ollama"),
        (archive(GOOD)[:-40], "is damaged"),
        (b"no archive", "is damaged"),
    ],
    # An archive has the time of its making: each process of the suite would give the tests another name.
    ids=["above", "absolute", "link above", "absolute link", "device", "no program", "cut", "no archive"],
)
async def test_an_archive_that_is_not_unpacked(home: Home, packed: bytes, says: str) -> None:
    files = {f"ollama-linux-{arch}.tgz": packed for arch in ("amd64", "arm64")}
    home.served.publish("0.4.0", files)
    assert says in await refused(home, "0.4.0")
    assert not [each for each in home.left() if "versions" in each]


async def test_links_inside_an_archive_stay(home: Home) -> None:
    inside = archive({**GOOD, "lib/a.so.1": b"lib"}, _link("lib/a.so", "a.so.1"))
    home.served.publish("0.4.0", {"ollama-linux-amd64.tgz": inside, "ollama-linux-arm64.tgz": inside})
    await home.install("0.4.0")
    assert (home.folder / "versions/0.4.0/lib/a.so").read_bytes() == b"lib"


async def test_a_disk_that_fills(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("llmstack_tui.install.unpack._MemberWriter._write", full)
    assert "the disk is full" in await refused(home)
    assert not [each for each in home.left() if "versions" in each]


async def test_a_home_that_cannot_be_written(tmp_path: Path, home: Home) -> None:
    (home.folder).write_text("a file, not a folder")
    plan = await home.plan("0.1.0")
    with pytest.raises(InstallFailed, match=r"install\.not_done"):
        await home.carry_out(plan)
    assert home.left() == {"ollama"}


async def test_two_at_once_and_what_a_killed_one_left(home: Home, served: ReleaseServer) -> None:
    half = home.folder / "versions/.0.1.0.partial/bin/ollama"
    half.parent.mkdir(parents=True)
    half.write_text("half")
    served.hangs.add(served.path_of("0.1.0"))
    task = asyncio.create_task(home.carry_out(await home.plan("0.1.0")))
    await wait_until(lambda: any(each.total for each in home.told), what="the first bytes")
    assert not half.exists()
    assert (await refused(home, "0.2.0")).startswith("Another llmstack installs something now")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await home.install("0.2.0")
    assert not (home.folder / "downloads").exists()


async def test_a_version_is_removed(home: Home) -> None:
    await home.install("0.1.0")
    await home.carry_out(await home.service.removal("0.1.0"))
    assert home.left() == {"ollama/record.json"}
    with pytest.raises(InstallFailed, match=r"install\.not_kept"):
        await home.service.removal("0.1.0")
