"""The program ``llmstack``: a command of the command line, or the dashboard if none is given.

What is imported inside functions here is what only some calls need: ``--help`` needs no settings, the
dashboard no parser.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from llmstack_tui.base import languages
from llmstack_tui.base.languages import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmstack_tui.base.sentences import Sentence

DONE, FAILED, WRONG_USAGE = 0, 1, 2
# As a shell tells of a program that a signal ended: 128 and the signal's number.
INTERRUPTED, READER_GONE = 130, 141


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run the program and return its status. A failure is a sentence, with LLMSTACK_DEBUG a traceback."""
    try:
        if arguments is None:
            _end_at_ctrl_c()
        return _main(arguments, environ)
    except KeyboardInterrupt:  # At the very beginning.
        return INTERRUPTED


def _main(arguments: Sequence[str] | None, environ: Mapping[str, str]) -> int:
    from llmstack_tui.cli.output import Failed, WrongUsage, say

    _prepare_streams()
    _leave_out_httpx_command_line()
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments, environ)
    except BrokenPipeError:
        code = READER_GONE
    except KeyboardInterrupt as interrupt:
        code = 128 + getattr(interrupt, "number", INTERRUPTED - 128)
    except SystemExit as exit_:  # argparse's way to end.
        code = exit_.code if isinstance(exit_.code, int) else FAILED
    except WrongUsage as error:
        say(str(error))
        code = WRONG_USAGE
    except Failed as error:
        say(str(error))
        code = FAILED
    except Exception as error:
        from llmstack_tui.base.sentences import UserFacingError

        if environ.get("LLMSTACK_DEBUG") and not isinstance(error, UserFacingError):
            raise
        say(_sentence(error))
        code = FAILED
    return _finish(code)


def _run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    environ = dict(environ)  # As it was at the start: Textual takes NO_COLOR out of the real one.
    options = None
    if arguments:  # The dashboard as most open it does without all commands' options.
        languages.use(languages.chosen(_language(environ), environ))
        from llmstack_tui.cli.main import build_parser

        options = build_parser().parse_args(arguments)
    from llmstack_tui.config.loading import load_settings

    config = getattr(options, "config", None)
    loaded = load_settings(config, environ)
    settings = loaded.settings
    # Scripts read JSON, and what is said beside it.
    language = languages.ENGLISH.code if getattr(options, "json", False) else settings.ui.language
    languages.use(languages.chosen(language, environ))
    if options is not None:
        from llmstack_tui.cli.options import with_options

        settings = with_options(settings, options)
    if options is None or not hasattr(options, "run"):
        from llmstack_tui.tui.program import run_dashboard

        return run_dashboard(settings, environ, config=config, loaded=loaded)
    from llmstack_tui.cli.main import run_command
    from llmstack_tui.cli.output import say
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.wording import text

    for problem in loaded.problems:
        say(text(problem))
    return run_command(Core(settings, environ, config, _key_faults), options)


def _key_faults(keys: Mapping[str, str]) -> Iterable[tuple[str, Sentence]]:
    """Imports the dashboard, so only a command that is about the settings comes here."""
    from llmstack_tui.tui.features import key_faults

    return key_faults(keys)


def _language(environ: Mapping[str, str]) -> str:
    """The language of help and of wrong options, for which the settings are read only if there is a file."""
    from platformdirs import user_config_path

    if setting := environ.get("LLMSTACK_UI_LANGUAGE"):
        return setting
    # As `base.paths.config_file`, which would import what help does not need.
    file = user_config_path("llmstack", appauthor=False) / "config.toml"
    with suppress(OSError):
        if file.is_file():
            from llmstack_tui.config.loading import load_settings

            return load_settings(None, environ).settings.ui.language
    return languages.AUTO


def _end_at_ctrl_c() -> None:
    """Have Ctrl-C end the process at once, until a command or the dashboard hears of signals itself.

    A `KeyboardInterrupt` may be raised where it is swallowed, as in a callback of an import, or where it
    leaves a class half made.
    """
    import signal

    signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))


def _prepare_streams() -> None:
    """A closed standard stream gets /dev/null, so that no file or socket takes its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _leave_out_httpx_command_line() -> None:
    """httpx imports its command line, and rich with it, wherever click is installed: 30 ms and 3 MB."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: it cannot be imported


def _finish(code: int) -> int:
    """Make sure that nothing is left that the interpreter would try, in vain, to write at its end."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            gone = isinstance(error, BrokenPipeError)
            if not gone:
                from llmstack_tui.cli.output import say

                say(_sentence(error))
            code = code or (READER_GONE if gone else FAILED)
    return code


def _sentence(error: Exception) -> str:
    from llmstack_tui.base.sentences import UserFacingError
    from llmstack_tui.core.wording import words

    if isinstance(error, UserFacingError):
        return words(error)
    if isinstance(error, OSError):
        from llmstack_tui.base.system_errors import system_words

        place = f": {error.filename}" if error.filename else ""
        return tr("The system says: {why}.", why=f"{system_words(error.strerror or str(error))}{place}")
    return tr(
        "This should not happen: {error!r}. Please report it, with what it says under LLMSTACK_DEBUG=1.",
        error=error,
    )


if __name__ == "__main__":
    sys.exit(main())
