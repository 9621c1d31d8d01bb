"""The log of the engine: for its owner alone, and without what would control a terminal or forge a line."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from llmstack_tui.base.private_files import private_opener
from llmstack_tui.base.text import clean, clean_lines

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

_BYTES = 1_000_000
_LONGEST_MESSAGE = 2000
_LONGEST_TRACE = 20_000


def log_to(file: Path) -> None:
    """Have everything logged to ``file``, and to a second one when it is full."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for older in file.parent.glob(f"{file.name}*"):
        os.close(private_opener(str(older), os.O_WRONLY | os.O_APPEND))
    handler = _PrivateLog(file, maxBytes=_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(CleanFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class CleanFormatter(logging.Formatter):
    """Names come from requests, files and registries: each message is one line, and harmless."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's)
        return clean(super().formatMessage(record), _LONGEST_MESSAGE)

    def formatException(self, ei: object) -> str:  # noqa: N802
        return clean_lines(super().formatException(ei), _LONGEST_TRACE)  # type: ignore[arg-type]  # only passed on


class _PrivateLog(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        # As the base class, which takes no opener.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(private_opener(self.baseFilename, flags), "a", encoding=self.encoding)
