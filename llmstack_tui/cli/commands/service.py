"""``llmstack service``: Ollama, or the built-in engine, as a service of this machine, and its log."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmstack_tui.base.commands import NeedsRoot
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.sentences import listed
from llmstack_tui.cli import output
from llmstack_tui.cli.options import Subcommands, count
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.quiet import until_quiet
from llmstack_tui.cli.root import run_as_root
from llmstack_tui.cli.stacks import opened, refuse_read_only
from llmstack_tui.core.wording import text
from llmstack_tui.ollama.log.lines import LogLevel
from llmstack_tui.ollama.log.rules import remark
from llmstack_tui.service.types import ManagerKind

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.ollama.log.lines import LogLine
    from llmstack_tui.ollama.log.rules import LogRemark
    from llmstack_tui.service.service import ManagedService
    from llmstack_tui.service.types import Server, ServiceState

_ARROW = "→"
_ABOUT = later(
    "Ollama is meant, or with --engine builtin the built-in engine. What only root may do is shown, and done "
    "by sudo on a terminal."
)


def add_options(parser: Parser) -> None:
    parser.epilog = tr(_ABOUT)
    commands = Subcommands(parser, depth=1, usual=_status)
    commands.add("status", _status, tr("Show how it is kept running. Fails when it does not run."))
    for name, run, purpose in (
        ("start", _start, tr("Start it, and return when it answers.")),
        ("stop", _stop, tr("Stop it when the running requests have ended.")),
        ("restart", _restart, tr("Stop it when the running requests have ended, and start it again.")),
        ("enable", _enable, tr("Have it start at login, or with the machine.")),
        ("disable", _disable, tr("Have it no longer start by itself. It goes on running.")),
    ):
        added = commands.add(name, run, purpose)
        if name in ("stop", "restart"):
            added.add_argument("--now", action="store_true", help=tr("do not wait for running requests"))
    log = commands.add(
        "log",
        _log,
        tr("Show the end of its log, and what known lines mean; as JSON a document on each line."),
    )
    log.add_argument("-f", "--follow", action="store_true", help=tr("go on as it is written, until Ctrl-C"))
    log.add_argument(
        "-n", "--lines", metavar="N", type=count, default=100, help=tr("how many of the last lines (100)")
    )
    log.add_argument(
        "--level",
        choices=tuple(map(str, LogLevel)),
        default="info",
        help=tr("leave out what is less serious (default: info; polls are debug)"),
    )
    log.add_argument("--grep", metavar=tr("TEXT"), default="", help=tr("only lines with this text"))


def _server(core: Core) -> Server:
    return "engine" if core.settings.engine.choice == "builtin" else "ollama"


async def _status(core: Core, options: Namespace) -> int:
    state = await (await core.service(_server(core))).state()
    return _told(core, options, state) or (0 if state.is_running else 1)


async def _start(core: Core, options: Namespace) -> int:
    return await _act(core, options, tr("Starting"), lambda service: service.start())


async def _stop(core: Core, options: Namespace) -> int:
    await _settle(core, options)
    return await _act(core, options, tr("Stopping"), lambda service: service.stop(), up=False)


async def _restart(core: Core, options: Namespace) -> int:
    await _settle(core, options)
    return await _act(core, options, tr("Restarting"), lambda service: service.restart())


async def _enable(core: Core, options: Namespace) -> int:
    return await _act(core, options, tr("Working"), lambda service: service.enable(True), up=False)


async def _disable(core: Core, options: Namespace) -> int:
    return await _act(core, options, tr("Working"), lambda service: service.enable(False), up=False)


async def _act(
    core: Core,
    options: Namespace,
    doing: str,
    act: Callable[[ManagedService], Awaitable[None]],
    *,
    up: bool = True,
) -> int:
    """Carry an act out, by sudo where it needs root; ``up``: it is to answer afterwards."""
    refuse_read_only(core)
    service = await core.service(_server(core))
    try:
        async with waiting(doing, core.environ):
            await act(service)
    except NeedsRoot as error:
        if options.json:
            raise
        await run_as_root(error.command)
        if up:
            async with waiting(doing, core.environ):
                await service.until_up()
    return _told(core, options, await service.state())


async def _settle(core: Core, options: Namespace) -> None:
    """Wait for running requests, which would end with the server."""
    refuse_read_only(core)
    if options.now:
        return
    url = (await core.service(_server(core))).url
    if url is None:
        return
    async with opened(core, (url,), processes=True) as stack, waiting("", core.environ) as line:
        await until_quiet(
            stack,
            url,
            lambda busy: line.show(tr("Waiting for the requests of {models}", models=listed(busy))),
        )


def _told(core: Core, options: Namespace, state: ServiceState) -> int:
    return output.answer(options, document(_server(core), state), lambda: _write(core, state))


def _write(core: Core, state: ServiceState) -> None:
    name = "Ollama" if _server(core) == "ollama" else tr("The built-in engine")
    # What could not be asked may have a unit for it.
    is_unknown = state.kind is ManagerKind.NONE or (
        bool(state.problem) and not state.unit and not state.is_running
    )
    rows = [
        (
            tr("Kept running by") if state.is_running else tr("To be started by"),
            "" if is_unknown else f"{tr(state.kind)} {state.unit}".strip(),
        ),
        (tr("Process"), str(state.pid) if state.pid is not None else ""),
        (tr("Since"), f"{state.since.astimezone():%Y-%m-%d %H:%M:%S}" if state.since else ""),
        (tr("Starts by itself"), {True: tr("yes"), False: tr("no"), None: ""}[state.is_enabled]),
        (tr("Defined in"), listed((state.file, *state.drop_ins)) if state.file else ""),
    ]
    output.write(tr("{name} runs.", name=name) if state.is_running else tr("{name} does not run.", name=name))
    for label, value in rows:
        if value:
            output.write(f"  {label}: {value}")
    for each in state.problem:
        output.say(text(each))


async def _log(core: Core, options: Namespace) -> int:
    service = await core.service(_server(core))
    source = await service.log_source()
    wanted, words = LogLevel(options.level).rank, options.grep.casefold()
    last: deque[LogLine] = deque(maxlen=options.lines)
    is_first = True
    is_empty = True
    async with aclosing(service.read_log(source, follow=options.follow)) as batches:
        async for lines, happened in batches:
            is_empty = is_empty and not lines
            if happened is not None:
                output.say(text(happened))
            shown = [each for each in lines if each.level.rank >= wanted and words in each.text.casefold()]
            if not options.follow:
                last.extend(shown)
                continue
            for line in shown[-options.lines :] if is_first else shown:
                _write_line(options, line)
            is_first = False
    for line in last:
        _write_line(options, line)
    if is_empty:
        output.inform(tr("The log is empty: {log}", log=source.shown))
    elif not last and not options.follow:
        output.inform(tr("No line of the log is like that: {log}", log=source.shown))
    return 0


def _write_line(options: Namespace, line: LogLine) -> None:
    known = remark(line)
    if options.json:
        output.write_document(line_document(line, known), indent=None)
        return
    output.write(line.text)
    if known is not None:
        output.write(f"    {_ARROW if output.shows(sys.stdout, _ARROW) else '->'} {text(*known.sentences)}")


def document(server: Server, state: ServiceState) -> dict[str, object]:
    return {
        "server": server,
        "manager": state.kind,
        "unit": state.unit or None,
        "file": state.file or None,
        "drop_ins": state.drop_ins,
        "running": state.is_running,
        "pid": state.pid,
        "enabled": state.is_enabled,
        "since": state.since,
        "problem": [text(each) for each in state.problem],
    }


def line_document(line: LogLine, known: LogRemark | None) -> dict[str, object]:
    return {
        "time": line.time,
        "level": line.level,
        "source": line.source or None,
        "message": line.message,
        "fields": dict(line.fields),
        "kind": known.kind.removeprefix("log.") if known is not None else None,
        "means": text(known.says) if known is not None else None,
        "advice": text(known.advice) if known is not None and known.advice is not None else None,
    }
