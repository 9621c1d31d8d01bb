"""Reading and copying large files of models, beside what the system's own tools take for the same file.

By a clone where the file system of the temporary folder can (``TMPDIR``), else by a copy.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.names import ModelName
from llmstack_tui.library.blobs import silent
from llmstack_tui.library.library import Library
from llmstack_tui.library.verification import verify_folder
from tests.bench.figures import Figure
from tests.support.gguf.files import Llama

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIZE = int(os.environ.get("LLMSTACK_BENCH_BYTES", "2000000000"))
_ROUNDS = 5
_PIECE = 4 * 2**20


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        source, copy, library = folder / "model.gguf", folder / "copy", Library(folder / "models")
        _write(source)
        steps = set[str]()

        def imported() -> None:
            library.import_gguf(source, ModelName.parse("model"), lambda status, *_: steps.add(status))

        work: dict[str, Callable[[], object]] = {
            "cp": lambda: subprocess.run(["cp", "--reflink=never", source, copy], check=True),
            "sha256sum": lambda: subprocess.run(["sha256sum", source], check=True, capture_output=True),
            "import": imported,
            "verify": lambda: verify_folder(library.own, silent, own=True, note=True),
        }
        took: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(_ROUNDS):
            for name, each in work.items():
                since = time.monotonic()
                each()
                took[name].append(time.monotonic() - since)
                copy.unlink(missing_ok=True)
                os.sync()
    medians = {name: statistics.median(each) for name, each in took.items()}
    cp_s, sum_s, import_s, verify_s = (medians[name] for name in work)
    note = ", ".join(f"{name} {each:.2f} s" for name, each in medians.items())
    if "copying weights" in steps:
        yield Figure(
            "import by copy, of cp or sha256sum", import_s / max(cp_s, sum_s), budget=1.25, note=note
        )
    else:
        yield Figure("import by clone, of sha256sum", import_s / sum_s, budget=1.1, note=note)
    yield Figure("disk --verify, of sha256sum", verify_s / sum_s, budget=1.1)


def _write(path: Path) -> None:
    with path.open("wb") as file:
        file.write(bytes(Llama()))
        while file.tell() < _SIZE:
            file.write(os.urandom(_PIECE))
