"""What a model's process may do: with a hostile file in it, it gets at nothing but that file.

On Linux it gets no new privileges, and where the kernel has Landlock (5.13) it reads only its model and what
programs need (libraries, the interpreter, devices), writes nothing but its socket and the cache of the card's
driver, uses no TCP and signals nobody. An older kernel leaves it as it was. The numbers are those of
``linux/landlock.h``.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CACHE = "cache"
"""The folder beside the socket for what a card's driver compiles, if the engine has made it."""

_PR_SET_NO_NEW_PRIVS = 38
# The same on all architectures.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_RULE_PATH = 1
_EXECUTE, _WRITE, _READ, _LIST = 1, 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_SOCKET = 1 << 5, 1 << 9
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_ALL_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP, _SIGNALS = 0b11, 0b10
# A rule about a single file may have no others.
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL

_SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/nix/store", "/gnu/store"),
    *("/proc/[!0-9]*", "/sys", "/run/opengl-driver", "/run/nvidia*", "/run/udev"),
)
# Of NVIDIA, AMD and Intel; dxg is a card behind WSL.
_CARDS = (
    *("nvidia*", "nvhost*", "nvmap", "nvgpu*", "dxg"),
    *("dri", "kfd", "accel", "dma_heap", "udmabuf", "mali*"),
)
_DEVICES = (*_CARDS, "null", "zero", "full", "random", "urandom")


def confine(files: Iterable[str], socket: str | None) -> None:
    """Give up all rights that a model's process does not need, for good.

    Args:
        files: what it may read beside the system's own: the weights and adapters.
        socket: the Unix socket that it will make; None: it listens on a port.
    """
    if sys.platform != "linux":
        return
    cache = _prepare_card(socket)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    kernel = _Landlock(libc)
    if kernel.version < 1:
        return
    kernel.begin(tcp=socket is None)
    for path, rights in _allowed(files, socket, cache):
        kernel.allow(path, rights)
    kernel.enforce()


class _Landlock:
    """The kernel's calls. A failure is said on standard error, and leaves the process as it is."""

    def __init__(self, libc: ctypes.CDLL) -> None:
        libc.syscall.restype = ctypes.c_long
        self._libc = libc
        self._rules = -1
        self.version = self._call(_CREATE_RULESET, None, 0, _VERSION)
        self._rights = max((all_ for since, all_ in _ALL_RIGHTS.items() if since <= self.version), default=0)

    def begin(self, *, tcp: bool) -> None:
        """Deny everything that the kernel can, but TCP where it is needed."""
        handled = (self._rights, 0 if tcp else _TCP, _SIGNALS)
        # Older kernels know fewer fields.
        known = handled[: 1 if self.version < 4 else 2 if self.version < 6 else 3]
        self._rules = self._checked(
            _CREATE_RULESET, struct.pack(f"={len(known)}Q", *known), 8 * len(known), 0
        )

    def allow(self, path: Path, rights: int) -> None:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return  # It is not there.
        rights &= self._rights if path.is_dir() else self._rights & _OF_FILES
        self._checked(_ADD_RULE, self._rules, _RULE_PATH, struct.pack("=Qi", rights, opened), 0)
        os.close(opened)

    def enforce(self) -> None:
        self._checked(_RESTRICT_SELF, self._rules, 0)
        os.close(self._rules)

    def _checked(self, number: int, *arguments: int | bytes | None) -> int:
        result = self._call(number, *arguments)
        if result < 0:
            print(f"0 W confine: Landlock: {os.strerror(ctypes.get_errno())}", file=sys.stderr)  # noqa: T201
        return result

    def _call(self, number: int, *arguments: int | bytes | None) -> int:
        # As C passes them: an int alone would leave half a register as it was.
        words = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
        return int(self._libc.syscall(ctypes.c_long(number), *words))


def _allowed(files: Iterable[str], socket: str | None, cache: str | None) -> Iterator[tuple[Path, int]]:
    """Paths, and the rights on each and on all beneath it."""
    home = Path(os.environ.get("HOME") or "/nonexistent").absolute()
    root = Path("/")
    # The interpreter may be anywhere, also below the home; but the home itself is not let in.
    own = {
        Path(path).absolute()
        for path in (sys.prefix, sys.base_prefix, *sys.path, *_library_folders())
        if path
    }
    for path in own:
        if path != home and path not in home.parents:
            yield path, _READ | _LIST | _EXECUTE
    for pattern in _SYSTEM:
        for path in root.glob(pattern[1:]):
            yield path, _READ | _LIST | _EXECUTE
    yield root / "dev", _LIST
    for pattern in _DEVICES:
        for path in (root / "dev").glob(pattern):
            yield path, _READ | _LIST | _WRITE | _TRUNCATE | _IOCTL
    for file in files:
        yield Path(file), _READ
    if socket:
        yield Path(socket).parent, _MAKE_SOCKET | _REMOVE_FILE
    if cache:
        # Drivers share memory by files, too.
        yield from ((Path(path), ~0) for path in (cache, "/dev/shm"))  # noqa: S108 (that one is meant)


def _library_folders() -> list[str]:
    return os.environ.get("LD_LIBRARY_PATH", "").split(":")


def _prepare_card(socket: str | None) -> str | None:
    """Have a card's driver do what needs rights. Returns the folder for what it compiles; None: no card.

    The devices of NVIDIA's are made by a program with privileges; its usual cache is in the home.
    """
    if Path("/proc/driver/nvidia").exists() and not Path("/dev/nvidia-uvm").exists():
        import subprocess  # noqa: PLC0415 (it takes 4 ms of each process's start)

        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["nvidia-modprobe", "-c", "0", "-u"], check=False, timeout=10, capture_output=True)
    cache = None if socket is None else Path(socket).with_name(CACHE)
    if cache is None or not cache.is_dir() or not any(any(Path("/dev").glob(pattern)) for pattern in _CARDS):
        return None
    os.environ["XDG_CACHE_HOME"] = os.environ["CUDA_CACHE_PATH"] = str(cache)
    return str(cache)
