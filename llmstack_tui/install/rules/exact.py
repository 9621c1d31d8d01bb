"""What a step does exactly: the command, the address or the file, as it can be typed or looked up."""

from __future__ import annotations

import shlex

from llmstack_tui.install.types import (
    Act,
    Fetch,
    Link,
    Move,
    Remove,
    RunProgram,
    StartEngine,
    StartOllama,
    StopOllama,
    Unpack,
    Wait,
    Write,
)


def exact(act: Act) -> tuple[str, ...]:
    """The lines; none where the words say all."""
    match act:
        case Fetch():
            lines = [act.asset.url, f"sha256 {act.asset.sha256}" if act.asset.sha256 else ""]
        case Unpack():
            lines = [f"{each} -> {act.folder}" for each in act.archives]
        case Write():
            lines = [str(act.file)]
        case StopOllama() | Wait():
            lines = []
        case _:
            lines = [shlex.join(_command(act))]
    return tuple(filter(None, lines))


def _command(act: Link | Move | Remove | RunProgram | StartOllama | StartEngine) -> tuple[str, ...]:
    match act:
        case Link():
            return ("ln", "-sfn", str(act.target), str(act.link))
        case Move():
            return ("mv", str(act.source), str(act.target))
        case Remove():
            return ("rm", "-r", str(act.path))
        case StartOllama():
            return (str(act.program), "serve")
        case StartEngine():
            return ("llmstack", "engine", "start")
    return ("sudo", *act.argv) if act.as_root else act.argv
