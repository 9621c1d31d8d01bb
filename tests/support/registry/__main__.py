"""A registry by hand: ``python -m tests.support.registry [--port N] NAME=FILE.gguf …``."""

from __future__ import annotations

import argparse
import json
import signal
from pathlib import Path

from tests.support.registry.server import serving


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.registry")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("models", nargs="+", metavar="NAME=FILE")
    given = parser.parse_args()
    with serving(given.port) as registry:
        for model in given.models:
            name, _, file = model.partition("=")
            registry.publish(name, Path(file))
        names = [registry.name(model.partition("=")[0]) for model in given.models]
        print(json.dumps({"url": registry.url, "names": names}), flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
