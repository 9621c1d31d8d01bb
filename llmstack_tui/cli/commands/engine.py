"""``llmstack engine``: the life of the built-in server, and one GGUF file served alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.text import clean
from llmstack_tui.cli import output
from llmstack_tui.cli.options import Parser, add_global_options, hosts, port

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation, Run
    from llmstack_tui.engine.process.control import EngineProcess

_SINGLE_PORT = 8005
_NOT_RUNNING = "The built-in engine is not running: start it with `llmstack engine start`."


def add_parser(commands: Commands) -> None:
    purpose = "Start, stop and look at the built-in engine, or serve one GGUF file."
    parser = commands.add_parser("engine", help=purpose, description=purpose)
    add_global_options(parser, depth=2)
    acts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    start = _add(acts, "start", _run_start, "Start the engine. It stays until it is stopped.")
    _add_address(start, default_port="Ollama's where no Ollama is installed, else the next free one")
    stop = _add(acts, "stop", _run_stop, "Stop the engine. Requests that are running are answered first.")
    stop.add_argument("--force", action="store_true", help="end it at once if it does not end by itself")
    _add(acts, "status", _run_status, "Show whether the engine runs. Fails when it does not.")
    one = _add(
        acts, "run", _run_file, "Serve one GGUF file until Ctrl-C, without any other set-up.", json=False
    )
    one.add_argument("--gguf", metavar="FILE", type=Path, help="the file (default: LLM_MODEL_PATH)")
    _add_address(one, default_port=str(_SINGLE_PORT))


def _add(acts: Commands, name: str, run: Run, purpose: str, *, json: bool = True) -> Parser:
    parser = acts.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(run=run)
    if json:
        parser.add_argument("--json", action="store_true", help="write one JSON document")
    add_global_options(parser, depth=2)
    return parser


def _add_address(parser: Parser, *, default_port: str) -> None:
    # Not a server to ask, as elsewhere, but the address to be one at.
    parser.add_argument(
        "--host", dest="listen", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)"
    )
    parser.add_argument("--port", type=port, help=f"the port to listen at (default: {default_port})")


def _run_start(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_start(call))


def _run_stop(call: Invocation) -> int:
    import asyncio

    return asyncio.run(_stop(call))


def _run_status(call: Invocation) -> int:
    from llmstack_tui.engine.process.control import status

    _refuse_hosts(call)
    process = status()
    if call.json:
        output.write_document(_document(process))
    elif process:
        _write(process)
    if process is None:
        raise output.Failed(_NOT_RUNNING)
    return 0


def _run_file(call: Invocation) -> int:
    from llmstack_tui.engine.process.requirements import missing_reason

    _refuse_hosts(call)
    if call.options.gguf is None and not call.environ.get("LLM_MODEL_PATH"):
        raise output.WrongUsage("Which file? Name it with --gguf FILE or in LLM_MODEL_PATH.")
    if reason := missing_reason():
        raise output.Failed(reason)
    from llmstack_tui.engine.single.app import serve

    port = _SINGLE_PORT if call.options.port is None else call.options.port
    return serve(call.options.gguf, host=call.options.listen or "127.0.0.1", port=port)


async def _start(call: Invocation) -> int:
    from llmstack_tui.cli.servers import refuse_if_read_only
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.engine.process.control import EngineFailed, start, status

    _refuse_hosts(call)
    refuse_if_read_only(call)
    running = status()
    if running is None:
        try:
            async with waiting("Starting the engine", call.environ):
                handle = await start(
                    port=call.options.port,
                    host=call.options.listen or "127.0.0.1",
                    owner=False,
                    config=getattr(call.options, "config", None),
                )
        except EngineFailed as error:
            raise output.Failed(str(error)) from None
        running = handle.process
    elif call.options.port is not None or call.options.listen is not None:
        raise output.Failed(
            f"The engine runs already, at {running.url}: stop it first with `llmstack engine stop`."
        )
    if call.json:
        output.write_document(_document(running))
    else:
        _write(running)
    return 0


async def _stop(call: Invocation) -> int:
    from llmstack_tui.cli.servers import refuse_if_read_only
    from llmstack_tui.cli.waiting import waiting
    from llmstack_tui.engine.process.control import EngineFailed, stop

    _refuse_hosts(call)
    refuse_if_read_only(call)
    try:
        async with waiting("Stopping the engine", call.environ):
            stopped = await stop(force=call.options.force)
    except EngineFailed as error:
        raise output.Failed(str(error)) from None
    if call.json:
        output.write_document({"stopped": stopped})
    elif stopped:
        output.write("The engine is stopped.")
    else:
        output.say("The engine was not running.")
    return 0


def _refuse_hosts(call: Invocation) -> None:
    if hosts(call.options):
        raise output.WrongUsage(
            "`engine` is about this machine's own engine. Where it listens is said after the command: "
            "llmstack engine start --host ADDRESS."
        )


def _document(process: EngineProcess | None) -> dict[str, object]:
    return {
        "running": process is not None,
        "pid": process.pid if process else None,
        "url": process.url if process else None,
        "version": process.version if process else None,
        "started_at": output.iso(process.started_at) if process else None,
        "log": str(process.log) if process else None,
        "notice": process.notice if process else None,
    }


def _write(process: EngineProcess) -> None:
    output.write(clean(f"The engine runs at {process.url} (process {process.pid}, log {process.log})."))
    if process.notice:
        output.say(process.notice)
