"""``llmstack install``: get Ollama or the built-in engine, and choose, hold and roll back versions."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr
from llmstack_tui.base.text import clean_lines
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.root import run_as_root
from llmstack_tui.cli.stacks import refuse_read_only
from llmstack_tui.core.wording import text
from llmstack_tui.install.rules.exact import exact
from llmstack_tui.install.types import WAY_NAMES, InstallWay, RunProgram

if TYPE_CHECKING:
    from argparse import Namespace

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.install.service import InstallService
    from llmstack_tui.install.types import InstallOffer, InstallPlan, Told

_SHOWN_EVERY_S = 0.2


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        choices=("ollama", "engine"),
        help=tr("ollama, or the packages of the built-in engine; without it, the ways are listed"),
    )
    # The version of llmstack is told before the name of a command.
    parser.conflict_handler = "resolve"
    parser.add_argument_group(tr("version")).add_argument(
        "--version", metavar="X", help=tr("this version of Ollama (default: the newest)")
    )
    parser.add_argument(
        "--way",
        choices=[each.value for each in InstallWay if each is not InstallWay.ENGINE],
        help=tr("script: for all users; archive: for you alone, without root; brew and app: on macOS"),
    )
    parser.add_argument("-y", "--yes", action="store_true", help=tr("do not ask"))
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument(
        "--list", action="store_true", help=tr("list the published versions, and those on this machine")
    )
    doing.add_argument(
        "--rollback", action="store_true", help=tr("use the version again that was in use before")
    )
    doing.add_argument("--use", metavar="X", help=tr("use a version that is on this machine"))
    doing.add_argument("--remove", metavar="X", help=tr("remove a version from this machine"))
    doing.add_argument(
        "--hold", metavar="X", help=tr("stay with this version: no other one is installed until --unhold")
    )
    doing.add_argument("--unhold", action="store_true", help=tr("release the version that is held"))


async def run(core: Core, options: Namespace) -> int:
    _check(options)
    service = await core.installation()
    if options.list:
        return await _list(service, options)
    if options.hold or options.unhold:
        refuse_read_only(core)
        await service.hold(options.hold or "")
        said = (
            tr("Version {version} is held.", version=options.hold)
            if options.hold
            else tr("No version is held.")
        )
        return output.answer(options, {"held": options.hold}, said)
    plan = await _of_kept(service, options)
    if plan is None:
        offer = await service.offer(options.version or "")
        if options.what is None:
            return output.answer(options, _document(offer), lambda: _write_ways(offer))
        plan = _chosen(offer, options)
    return await _do(core, options, service, plan)


def _check(options: Namespace) -> None:
    """Raise `WrongUsage` for what would be left out in silence."""
    versions = {name: getattr(options, name) for name in ("version", "use", "remove", "hold")}
    if any(each is not None and not each.strip() for each in versions.values()):
        raise output.WrongUsage(tr("A version is empty: give one such as 0.24.0."))
    of_ollama = [name for name, each in versions.items() if each is not None]
    of_ollama += [name for name in ("way", "rollback", "unhold") if getattr(options, name)]
    if of_ollama and options.what == "engine":
        raise output.WrongUsage(tr("--{option} is about Ollama, not about the engine.", option=of_ollama[0]))
    if options.what is None and (options.way or options.version is not None):
        raise output.WrongUsage(tr("Say what to install: `llmstack install ollama`."))


async def _of_kept(service: InstallService, options: Namespace) -> InstallPlan | None:
    """The plan about a version that is on this machine; None if that is not asked for."""
    if options.rollback:
        return await service.roll_back()
    if options.use:
        return await service.change(options.use)
    return await service.removal(options.remove) if options.remove else None


def _chosen(offer: InstallOffer, options: Namespace) -> InstallPlan:
    """The plan of the way that was asked for, else the first one that can be carried out."""
    if options.what == "engine":
        wanted = [each for each in offer.plans if each.way is InstallWay.ENGINE]
    else:
        of_ollama = [each for each in offer.plans if each.way is not InstallWay.ENGINE]
        wanted = [each for each in of_ollama if options.way in (None, each.way)]
        wanted.sort(key=lambda each: bool(each.problems))
        if wanted and wanted[0].problems and offer.problems:
            instead = tr("The built-in engine does without: `llmstack install engine`.")
            raise output.Failed(f"{text(*offer.problems)} {instead}")
    if not wanted:
        raise output.Failed(
            tr("There is no such way on this machine: `llmstack install` lists those there are.")
        )
    return wanted[0]


async def _do(core: Core, options: Namespace, service: InstallService, plan: InstallPlan) -> int:
    refuse_read_only(core)
    if plan.problems:
        raise output.Failed(text(*plan.problems))
    if plan.needs_password and not (output.is_terminal(sys.stdin) and output.is_terminal(sys.stderr)):
        _write_plan(plan)
        raise output.Failed(tr("This asks for a password: run it in a terminal. Nothing was changed."))
    _write_plan(plan)
    output.confirm(options, tr("Do that?"), tr("Nothing was changed."))
    show = _PlanProgress(core, plan)
    try:
        await service.carry_out(plan, show.told, run_as_root)
    finally:
        show.line.clear()
    return output.answer(options, {"done": True, "version": plan.version or None}, tr("Done."))


class _PlanProgress:
    """Says which step is under way, and what its program writes."""

    def __init__(self, core: Core, plan: InstallPlan) -> None:
        self._plan = plan
        self.line = output.StatusLine(core.environ)
        self._step = -1
        self._shown_s = 0.0

    def told(self, told: Told) -> None:
        if told.step != self._step:
            self._step = told.step
            self.line.clear()
            output.say(text(self._plan.steps[told.step].does))
        if told.line:
            self.line.clear()
            output.say(told.line)
        elif told.done is not None and time.monotonic() - self._shown_s > _SHOWN_EVERY_S:
            self._shown_s = time.monotonic()
            done = bytes_text(told.done)
            self.line.show(
                tr("{size} of {all}", size=done, all=bytes_text(told.total)) if told.total else done
            )


def _write_plan(plan: InstallPlan) -> None:
    """The plan on standard error, where the question is asked, too; a script as a whole."""
    if plan.script:
        for line in clean_lines(plan.script, None).splitlines():
            output.inform(line)
    heading = f"{tr(WAY_NAMES[plan.way])} {plan.version}".rstrip()
    output.inform(heading)
    for number, step in enumerate(plan.steps, 1):
        root = f" ({tr('as root')})" if step.needs_root else ""
        output.inform(f"{number}. {text(step.does)}{root}")
        for line in exact(step.act):
            output.inform(f"   {line}")
    for note in plan.notes:
        output.inform(text(note))
    if plan.back:
        output.inform(tr("To take it back: {undo}", undo=text(*plan.back)))


def _write_ways(offer: InstallOffer) -> None:
    rows = [
        [
            "engine" if each.way is InstallWay.ENGINE else "ollama",
            "-" if each.way is InstallWay.ENGINE else each.way.value,
            each.version or "-",
            text(*each.problems) or tr(WAY_NAMES[each.way]),
        ]
        for each in offer.plans
    ]
    output.write_table([tr("INSTALL"), tr("WAY"), tr("VERSION"), tr("ABOUT")], rows)
    output.inform(tr("`llmstack install ollama --way WAY` shows what it will do, and asks."))


async def _list(service: InstallService, options: Namespace) -> int:
    offer = await service.offer()
    versions = offer.versions
    known = list(dict.fromkeys((*versions.kept, *offer.known)))

    def write() -> None:
        rows = [[each, *_about(each, offer)] for each in known]
        output.write_table([tr("VERSION"), tr("HERE"), tr("ABOUT")], rows)
        if offer.problems:
            output.inform(text(*offer.problems))

    return output.answer(options, _document(offer), write)


def _about(version: str, offer: InstallOffer) -> list[str]:
    versions = offer.versions
    about = [
        tr("in use") if version == versions.current else "",
        tr("stays") if version == versions.record.held else "",
        tr("in use before") if version == versions.record.previous else "",
    ]
    return [tr("yes") if version in versions.kept else "-", ", ".join(filter(None, about)) or "-"]


def _document(offer: InstallOffer) -> dict[str, object]:
    versions = offer.versions
    return {
        "ollama": offer.ollama,
        "ways": [
            {
                "way": each.way,
                "version": each.version or None,
                "download": each.download,
                "problem": text(*each.problems) or None,
                "steps": [
                    {
                        "does": text(step.does),
                        "command": list(step.act.argv) if isinstance(step.act, RunProgram) else None,
                        "root": step.needs_root,
                    }
                    for step in each.steps
                ],
            }
            for each in offer.plans
        ],
        "published": list(offer.known),
        "kept": list(versions.kept),
        "current": versions.current or None,
        "held": versions.record.held or None,
        "previous": versions.record.previous or None,
        "problem": text(*offer.problems) or None,
    }
