"""``llmstack engine``: start and stop the built-in server, or serve a single GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base import languages
from llmstack_tui.base.address import is_loopback_host
from llmstack_tui.base.languages import later, tr
from llmstack_tui.cli import output
from llmstack_tui.cli.options import Subcommands, hosts, port
from llmstack_tui.cli.progress import waiting
from llmstack_tui.cli.stacks import refuse_read_only
from llmstack_tui.config.key import engine_key_of, key_file, make_key, read_key
from llmstack_tui.config.loading import load_settings
from llmstack_tui.engine.process.control import missing_reason, start, status, stop

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.engine.process.control import EngineProcess

_SINGLE_PORT = 8005
_NOT_RUNNING = later("The built-in engine is not running: start it with `llmstack engine start`.")


def add_options(parser: Parser) -> None:
    commands = Subcommands(parser, depth=2)
    starts = commands.add("start", _start, tr("Start the engine. It runs until it is stopped."))
    _add_address(starts, default_port=tr("Ollama's where no Ollama is installed, else the next free one"))
    stops = commands.add("stop", _stop, tr("Stop the engine. Running requests are answered first."))
    stops.add_argument("--force", action="store_true", help=tr("kill it if it does not end by itself"))
    commands.add("status", _status, tr("Show whether the engine runs. Fails when it does not."))
    key = commands.add(
        "key", _key, tr("Make the key that programs need to use the engine, or say where it is.")
    )
    key.add_argument("--new", action="store_true", help=tr("replace the key that there is"))
    one = commands.add(
        "run", _serve, tr("Serve one GGUF file until Ctrl-C, without other set-up."), json=False
    )
    one.add_argument("--gguf", metavar=tr("FILE"), type=Path, help=tr("the file (default: LLM_MODEL_PATH)"))
    _add_address(one, default_port=str(_SINGLE_PORT))


def _add_address(parser: Parser, *, default_port: str) -> None:
    # Elsewhere --host is the server to ask; here it is the address to listen at.
    parser.add_argument(
        "--host", dest="listen", metavar=tr("ADDRESS"), help=tr("where to listen (default: 127.0.0.1)")
    )
    parser.add_argument(
        "--port",
        metavar=tr("PORT"),
        type=port,
        help=tr("the port to listen at (default: {port})", port=default_port),
    )


def _status(_: Core, options: Namespace) -> int:
    _refuse_hosts(options)
    process = status()
    if options.json:
        output.write_document(document(process))
    elif process:
        _write(process)
    if process is None:
        raise output.Failed(tr(_NOT_RUNNING))
    return 0


def _serve(core: Core, options: Namespace) -> int:
    _refuse_hosts(options)
    if options.gguf is None and not core.environ.get("LLM_MODEL_PATH"):
        raise output.WrongUsage(tr("Which file? Name it with --gguf FILE or in LLM_MODEL_PATH."))
    if reason := missing_reason():
        raise output.Failed(reason)
    from llmstack_tui.engine.single.app import serve  # noqa: PLC0415  # the web server

    port = _SINGLE_PORT if options.port is None else options.port
    key = engine_key_of(load_settings(core.config, core.environ))
    languages.use(languages.ENGLISH.code)  # From here on, it speaks to its clients.
    return serve(
        options.gguf,
        host=options.listen or "127.0.0.1",
        port=port,
        key=key,
        confine=core.settings.engine.confine,
    )


def _key(core: Core, options: Namespace) -> int:
    """Never writes the key itself: whoever needs it reads the file."""
    _refuse_hosts(options)
    refuse_read_only(core)
    settings = core.settings.engine
    if settings.api_key is not None:
        raise output.Failed(
            tr("The key is in LLMSTACK_ENGINE_API_KEY, which wins over a file: nothing was made.")
        )
    file = key_file(settings)
    made = make_key(file, replace=options.new)
    if not made:
        read_key(file)
    return output.answer(options, {"file": file, "made": made}, lambda: output.write(_about_key(file, made)))


def _about_key(file: Path, made: bool) -> str:
    if not made:
        return tr("The key is in {file}. To replace it: llmstack engine key --new", file=file)
    said = tr(
        "The key is in {file}, for you alone. The engine asks for it from its next start on, llmstack sends "
        "it by itself, and other programs send `Authorization: Bearer KEY`.",
        file=file,
    )
    return f"{said} {tr('A running engine does so once it is started again.')}" if status() else said


async def _start(core: Core, options: Namespace) -> int:
    _refuse_hosts(options)
    refuse_read_only(core)
    running = status()
    if running is None:
        async with waiting(tr("Starting the engine"), core.environ):
            host = options.listen or "127.0.0.1"
            handle = await start(life="stopped", port=options.port, host=host, config=core.config)
        running = handle.process
    elif options.port is not None or options.listen is not None:
        raise output.Failed(
            tr(
                "The engine runs already, at {url}: stop it first with `llmstack engine stop`.",
                url=running.url,
            )
        )
    return output.answer(options, document(running), lambda: _write(running))


async def _stop(core: Core, options: Namespace) -> int:
    _refuse_hosts(options)
    refuse_read_only(core)
    async with waiting(tr("Stopping the engine"), core.environ):
        stopped = await stop(force=options.force)
    if options.json:
        output.write_document({"stopped": stopped})
    elif stopped:
        output.write(tr("The engine is stopped."))
    else:
        output.inform(tr("The engine was not running."))
    return 0


def _refuse_hosts(options: Namespace) -> None:
    if hosts(options):
        raise output.WrongUsage(
            tr(
                "`engine` is about this machine's own engine. The address to listen at comes after the "
                "command: llmstack engine start --host ADDRESS."
            )
        )


def document(process: EngineProcess | None) -> dict[str, object]:
    keys = ("pid", "url", "listening", "version", "started_at", "log", "notice")
    return {"running": process is not None, **{key: getattr(process, key, None) for key in keys}}


def _write(process: EngineProcess) -> None:
    values = {"url": process.url, "pid": str(process.pid), "log": process.log}
    output.write(tr("The engine runs at {url} (process {pid}, log {log}).", **values))
    if process.listening and not is_loopback_host(process.listening.rpartition(":")[0].strip("[]")):
        output.write(
            tr(
                "It listens on {address}: other machines that have its key can use it.",
                address=process.listening,
            )
        )
    if process.notice:
        output.say(process.notice)
