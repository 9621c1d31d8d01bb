"""argparse's parser in our language, and with our manners.

argparse takes its words from gettext's domain of the whole process, and has them in English only. It gives
its errors as text, so the sentences of `_ERRORS` are recognised in it; one that is not known stays as it is.
"""

from __future__ import annotations

import re
import sys
from argparse import SUPPRESS, ArgumentParser, HelpFormatter
from typing import TYPE_CHECKING, NoReturn

from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.text import clean

if TYPE_CHECKING:
    from argparse import Action, Namespace, _MutuallyExclusiveGroup
    from collections.abc import Iterable, Sequence

_ERRORS = (
    later("argument {name}: {fault}"),
    later("the following arguments are required: {names}"),
    later("one of the arguments {names} is required"),
    later("unrecognized arguments: {words}"),
    later("invalid choice: {value}, maybe you meant {meant}? (choose from {choices})"),
    later("invalid choice: {value} (choose from {choices})"),
    later("not allowed with argument {name}"),
    later("expected one argument"),
    later("expected at least one argument"),
    later("ignored explicit argument {value}"),
)


class Parser(ArgumentParser):
    """Takes no abbreviated options, and writes no control characters in its errors.

    Attributes:
        rest: the name of the list that takes words behind the options, too; argparse itself fills a list of
            positional arguments only once, before the first option.
    """

    rest = ""

    def __init__(self, **options: object) -> None:
        own = {"allow_abbrev": False, "add_help": False, "formatter_class": _UsageFormatter}
        super().__init__(**{**own, **options})  # type: ignore[arg-type]
        self._positionals.title, self._optionals.title = tr("positional arguments"), tr("options")
        self.add_argument(
            "-h", "--help", action="help", default=SUPPRESS, help=tr("show this help message and exit")
        )

    def parse_known_args(  # type: ignore[override]  # its overloads are for other kinds of namespaces
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        found, left = super().parse_known_args(args, namespace)
        if self.rest and not any(word.startswith("-") for word in left):
            setattr(found, self.rest, [*getattr(found, self.rest), *left])
            left = []
        return found, left

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, tr("{program}: error: {fault}", program=self.prog, fault=_said(clean(message))) + "\n")


class _UsageFormatter(HelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[Action],
        groups: Iterable[_MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, tr("usage: ") if prefix is None else prefix)


def _said(message: str) -> str:
    """An error of argparse in our language."""
    for form in _ERRORS:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*?)", re.escape(form))
        if found := re.fullmatch(pattern, message):
            values = {
                name: _said(text) if name == "fault" else text for name, text in found.groupdict().items()
            }
            return tr(form, **values)
    return message
