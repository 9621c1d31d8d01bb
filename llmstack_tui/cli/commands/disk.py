"""``llmstack disk``: the disk space of each model, and files that no model uses any more."""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.durations import time_at
from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.names import model_key
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import opened, refuse_read_only
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import text, words
from llmstack_tui.library.errors import LibraryError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.library.use import FolderUse, FolderVerification, Leftover, ModelUse


T = TypeVar("T")

_TICK_S = 0.1


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "--clean",
        action="store_true",
        help=tr("remove files that no model uses from the engine's own folder; never from Ollama's"),
    )
    parser.add_argument(
        "--remove",
        metavar=tr("FILE"),
        type=Path,
        help=tr("remove a file from the engine's folder of manifests that is none"),
    )
    parser.add_argument("-y", "--yes", action="store_true", help=tr("with --clean or --remove: do not ask"))
    parser.add_argument(
        "--verify",
        action="store_true",
        help=tr(
            "read all files of models, also Ollama's; fails, and says what to pull again, if one is damaged"
        ),
    )


async def run(core: Core, options: Namespace) -> int:
    if options.yes and not (options.clean or options.remove):
        raise output.WrongUsage(
            tr("--yes answers the question of --clean or --remove: give both, or neither.")
        )
    if sum(map(bool, (options.clean, options.verify, options.remove))) > 1:
        raise output.WrongUsage(tr("One thing at a time: give --verify, --clean or --remove."))
    if options.verify:
        return await _verify(core, options)
    if options.clean or options.remove:
        refuse_read_only(core)
    if options.remove:
        return await _remove(core, options)
    async with opened(core, ()) as stack:
        own = await stack.disk.look()
        if own is None:
            raise output.Failed(tr("No home folder is known for this user: set HOME to a folder."))
        if options.clean:
            removed = await _clean(options, stack, own)
            return output.answer(options, {"folder": own.path, "removed": [*map(_leftover, removed)]})
        folders = [own, *_readable(await stack.disk.look_elsewhere())]
        used: Mapping[str, datetime] = {}
        with suppress(StoreError):  # Without it, no time is known.
            used = await stack.records.last_used()
    document = {"folders": [_folder(folder, used) for folder in folders]}
    return output.answer(options, document, lambda: _write(folders, used))


async def _remove(core: Core, options: Namespace) -> int:
    path = options.remove.absolute()
    output.confirm(options, tr("Remove {path}?", path=path), tr("Nothing was removed."))
    async with opened(core, ()) as stack:
        await stack.disk.remove_unreadable(path)
    return output.answer(options, {"removed": path}, tr("Removed {path}.", path=path))


async def _verify(core: Core, options: Namespace) -> int:
    line = output.StatusLine(core.environ)
    shown_s = 0.0

    def tell(status: str, completed: int | None, total: int | None) -> None:
        nonlocal shown_s
        if total and time.monotonic() - shown_s >= _TICK_S:
            shown_s = time.monotonic()
            share = tr(
                "{percent} % of {size}", percent=100 * (completed or 0) // total, size=bytes_text(total)
            )
            line.show(f"{tr(status)}  {share}")

    async with opened(core, ()) as stack:
        try:
            found = await stack.disk.verify(tell, note=not core.settings.read_only)
        finally:
            line.clear()
    folders = _readable(found)
    output.answer(options, {"folders": [*map(_verified, folders)]}, lambda: _write_verified(folders))
    return int(len(folders) < len(found) or any(each.damaged for each in folders))


def _write_verified(folders: Sequence[FolderVerification]) -> None:
    for each in folders:
        output.write(_read(each))
        for file in each.damaged:
            output.write(f"  {', '.join(file.models) or tr('no model')}: {file.path}")
            output.write(f"    {text(*file.why, *file.repair)}")


def _read(folder: FolderVerification) -> str:
    """How much was read of a folder, and how many of its files are damaged."""
    values = {"size": bytes_text(folder.size), "path": folder.path}
    if not folder.damaged:
        return tr_n(
            "1 file of {size} in {path}: nothing is damaged.",
            "{count} files of {size} in {path}: nothing is damaged.",
            folder.files,
            **values,
        )
    return tr_n(
        "1 file of {size} in {path}: {damaged} damaged or missing.",
        "{count} files of {size} in {path}: {damaged} damaged or missing.",
        folder.files,
        damaged=len(folder.damaged),
        **values,
    )


def _verified(folder: FolderVerification) -> dict[str, object]:
    return {
        "path": folder.path,
        "own": folder.own,
        "files": folder.files,
        "size": folder.size,
        "damaged": [
            {"path": each.path, "models": each.models, "why": text(*each.why), "repair": text(*each.repair)}
            for each in folder.damaged
        ],
    }


def _readable(found: Iterable[T | LibraryError]) -> list[T]:
    """What was found in folders that can be read; writes a note about each that cannot."""
    readable: list[T] = []
    for each in found:
        if isinstance(each, LibraryError):
            output.say(words(each))
        else:
            readable.append(each)
    return readable


async def _clean(options: Namespace, stack: Stack, own: FolderUse) -> Sequence[Leftover]:
    if not options.json:
        _write_leftovers([own])
    if not own.removable:
        output.inform(_nothing_to_remove(own))
        return ()
    count, size = len(own.removable), bytes_text(sum(leftover.size for leftover in own.removable))
    question = tr_n("Remove 1 file of {size}?", "Remove {count} files of {size}?", count, size=size)
    output.confirm(options, question, tr("Nothing was removed."))
    removed = await stack.disk.clean(own.removable)
    if not options.json:
        freed = bytes_text(sum(each.size for each in removed))
        output.write(
            tr("Removed {removed} of {count}: {size}.", removed=len(removed), count=count, size=freed)
        )
    return removed


def _nothing_to_remove(own: FolderUse) -> str:
    if own.unreadable:
        return tr(
            "Nothing is removed while {path} cannot be read: it may name any of the files.",
            path=own.unreadable[0],
        )
    return tr("There is nothing to remove.")


def _write(folders: Sequence[FolderUse], used: Mapping[str, datetime]) -> None:
    rows = [
        [
            model.name,
            bytes_text(model.size),
            bytes_text(model.shared) if model.shared else "-",
            bytes_text(folder.freed((model.name,))),
            _day(used.get(model_key(model.name))),
            _remark(model),
            _owner(folder),
        ]
        for folder in folders
        for model in folder.models
    ]
    if rows:
        heads = [
            tr("NAME"),
            tr(">SIZE"),
            tr(">SHARED?"),
            tr(">ALONE?"),
            tr("LAST USED?"),
            tr("FILES"),
            tr("FOLDER?"),
        ]
        output.write_table(heads, rows)
    _write_leftovers(folders)
    for folder in folders:
        figures = {"size": bytes_text(folder.size), "path": folder.path, "owner": _owner(folder)}
        output.inform(tr("Total {size} in {path} ({owner}).", **figures))
        for path in folder.unreadable:
            said = [tr("{path} cannot be read as a manifest, so nothing beside it is removed.", path=path)]
            if folder.own:
                said.append(tr("`llmstack disk --remove {path}` removes it.", path=shlex.quote(str(path))))
            output.say(" ".join(said))
    if folders[0].removable:
        size = bytes_text(sum(leftover.size for leftover in folders[0].removable))
        output.inform(tr("`llmstack disk --clean` frees {size}.", size=size))


def _remark(model: ModelUse) -> str:
    if model.fault:
        return text(*model.fault)
    if model.missing:
        return tr_n("1 missing", "{count} missing", model.missing)
    if not model.changed:
        return ""
    return tr_n(
        "1 changed: `llmstack disk --verify`", "{count} changed: `llmstack disk --verify`", model.changed
    )


def _write_leftovers(folders: Sequence[FolderUse]) -> None:
    rows = [
        [
            leftover.path.name,
            tr(leftover.kind),
            bytes_text(leftover.size),
            text(*_kept(leftover)),
            _owner(folder),
        ]
        for folder in folders
        for leftover in folder.leftovers
    ]
    if rows:
        output.write_table([tr("NOT USED"), tr("KIND"), tr(">SIZE"), tr("KEPT BECAUSE"), tr("FOLDER?")], rows)


def _owner(folder: FolderUse) -> str:
    return tr("built-in engine") if folder.own else tr("Ollama (only shown)")


def _day(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d}" if at else "-"


def _folder(folder: FolderUse, used: Mapping[str, datetime]) -> dict[str, object]:
    return {
        "path": folder.path,
        "own": folder.own,
        "size": folder.size,
        "models": [_model(folder, model, used.get(model_key(model.name))) for model in folder.models],
        "leftovers": [*map(_leftover, folder.leftovers)],
        "unreadable": folder.unreadable,
        "removable": sum(leftover.size for leftover in folder.removable),
    }


def _model(folder: FolderUse, model: ModelUse, used_at: datetime | None) -> dict[str, object]:
    return {
        "name": model.name,
        "size": model.size,
        "shared": model.shared,
        "alone": folder.freed((model.name,)),
        "missing": model.missing,
        "changed": model.changed,
        "last_used": used_at,
        "unusable": text(*model.fault) or None,
    }


def _leftover(leftover: Leftover) -> dict[str, object]:
    return {
        "path": leftover.path,
        "kind": leftover.kind,
        "size": leftover.size,
        "changed_at": time_at(leftover.changed_s),
        "kept": text(*_kept(leftover)) or None,
    }


def _kept(leftover: Leftover) -> Sentences:
    return () if leftover.kept is None else (leftover.kept,)
