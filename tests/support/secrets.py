"""Whether a secret got anywhere: into a file, an output, or what the system shows of a process."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable


def assert_nowhere(secret: str, home: Path, outputs: Iterable[str | bytes] = ()) -> None:
    """Fail, naming the places, if a secret can be read in a file below ``home``, or in an output.

    Args:
        outputs: what programs have written, pictures, and what `processes` has seen.
    """
    forms = _forms(secret)
    found = [str(file) for file in _files(home) if any(form in file.read_bytes() for form in forms)]
    for number, output in enumerate(outputs):
        written = output.encode(errors="replace") if isinstance(output, str) else output
        if any(form in written for form in forms):
            found.append(f"output {number}")
    assert found == [], f"The secret is in {', '.join(found)}"


def processes(pid: int) -> bytes:
    """What everybody can see of a process, and its owner of the environment, with all that it started."""
    try:
        there = psutil.Process(pid)
        family = [there, *there.children(recursive=True)]
    except psutil.NoSuchProcess:
        return b""
    seen = [_read(Path(f"/proc/{each.pid}/{name}")) for each in family for name in ("cmdline", "environ")]
    return b"\n".join(seen)


def _forms(secret: str) -> tuple[bytes, ...]:
    """A secret as it is, and as an address, a dump and base64 would have it."""
    plain = secret.encode()
    aligned = {base64.b64encode(plain[start:])[:-4] for start in range(3)}
    return tuple({plain, quote(secret, safe="").encode(), plain.hex().encode(), *aligned})


def _files(home: Path) -> Iterable[Path]:
    return (each for each in home.rglob("*") if each.is_file() and not each.is_symlink())


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
