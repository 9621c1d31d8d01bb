"""``python -m tests.bench [NAME…]``: the budgets of the design, measured here and now, as ratios of one run.

The machine is shared and noisy: each figure is the median of several runs, taken in turns with what it is
compared to. Prints a table; a figure over its budget is marked, and with ``--strict`` the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tests.bench import (
    acts,
    chat,
    command,
    dashboard,
    download,
    engine,
    fit,
    guard,
    hardware,
    hosts,
    library,
    log,
    providers,
    pulls,
    storm,
    talk,
    updates,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.figures import Figure

BENCHMARKS: dict[str, Callable[[], Iterator[Figure]]] = {
    "acts": acts.figures,
    "chat": chat.figures,
    "command": command.figures,
    "dashboard": dashboard.figures,
    "download": download.figures,
    "engine": engine.figures,
    "fit": fit.figures,
    "guard": guard.figures,
    "hardware": hardware.figures,
    "hosts": hosts.figures,
    "library": library.figures,
    "log": log.figures,
    "providers": providers.figures,
    "pulls": pulls.figures,
    "storm": storm.figures,
    "talk": talk.figures,
    "updates": updates.figures,
    "walks": walks.figures,
}
# What is behind a figure of the walks, each printed instead of all figures.
LISTS: dict[str, Callable[[], Iterator[str]]] = {
    "circles": walks.circles,
    "chain": walks.longest_chain,
    "files": walks.files_walked,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 when a figure is over its budget")
    for name, lines in LISTS.items():
        parser.add_argument(f"--{name}", action="store_true", help=(lines.__doc__ or "").strip("."))
    options = parser.parse_args()
    if asked := [name for name in LISTS if getattr(options, name)]:
        print(*(line for name in asked for line in LISTS[name]()), sep="\n")
        return 0
    kept = True
    for name in options.names or BENCHMARKS:
        for figure in BENCHMARKS[name]():
            print(figure.line(), flush=True)
            kept = kept and figure.kept is not False
    return 0 if kept or not options.strict else 1


sys.exit(main())
