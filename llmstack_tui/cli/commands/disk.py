"""``llmstack disk``: the disk space of each model, and files that no model uses any more."""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.durations import time_at
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
    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.library.use import FolderUse, FolderVerification, Leftover, ModelUse


T = TypeVar("T")

_TICK_S = 0.1


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "--clean",
        action="store_true",
        help="remove files that no model uses from the engine's own folder; never from Ollama's",
    )
    parser.add_argument(
        "--remove",
        metavar="FILE",
        type=Path,
        help="remove a file from the engine's folder of manifests that is none",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="with --clean or --remove: do not ask")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read all files of models, also Ollama's; fails, and says what to pull again, if one is damaged",
    )


async def run(core: Core, options: Namespace) -> int:
    if options.yes and not (options.clean or options.remove):
        raise output.WrongUsage("--yes answers the question of --clean or --remove: give both, or neither.")
    if sum(map(bool, (options.clean, options.verify, options.remove))) > 1:
        raise output.WrongUsage("One thing at a time: give --verify, --clean or --remove.")
    if options.verify:
        return await _verify(core, options)
    if options.clean or options.remove:
        refuse_read_only(core)
    if options.remove:
        return await _remove(core, options)
    async with opened(core, ()) as stack:
        own = await stack.disk.look()
        if own is None:
            raise output.Failed("No home folder is known for this user: set HOME to a folder.")
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
    output.confirm(options, f"Remove {path}?", "Nothing was removed.")
    async with opened(core, ()) as stack:
        await stack.disk.remove_unreadable(path)
    return output.answer(options, {"removed": path}, f"Removed {path}.")


async def _verify(core: Core, options: Namespace) -> int:
    line = output.StatusLine(core.environ)
    shown_s = 0.0

    def tell(status: str, completed: int | None, total: int | None) -> None:
        nonlocal shown_s
        if total and time.monotonic() - shown_s >= _TICK_S:
            shown_s = time.monotonic()
            line.show(f"{status}  {100 * (completed or 0) // total} % of {bytes_text(total)}")

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
        read = f"{output.counted(each.files, 'file')} of {bytes_text(each.size)} in {each.path}"
        if not each.damaged:
            output.write(f"{read}: nothing is damaged.")
            continue
        output.write(f"{read}: {len(each.damaged)} damaged or missing.")
        for file in each.damaged:
            output.write(f"  {', '.join(file.models) or 'no model'}: {file.path}")
            output.write(f"    {text(*file.why, *file.repair)}")


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
    what = f"{output.counted(count, 'file')} of {size}"
    output.confirm(options, f"Remove {what}?", "Nothing was removed.")
    removed = await stack.disk.clean(own.removable)
    if not options.json:
        output.write(f"Removed {len(removed)} of {count}: {bytes_text(sum(each.size for each in removed))}.")
    return removed


def _nothing_to_remove(own: FolderUse) -> str:
    if own.unreadable:
        return f"Nothing is removed while {own.unreadable[0]} cannot be read: it may name any of the files."
    return "There is nothing to remove."


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
        heads = ["NAME", ">SIZE", ">SHARED?", ">ALONE?", "LAST USED?", "FILES", "FOLDER?"]
        output.write_table(heads, rows)
    _write_leftovers(folders)
    for folder in folders:
        output.inform(f"Total {bytes_text(folder.size)} in {folder.path} ({_owner(folder)}).")
        for path in folder.unreadable:
            remove = f"`llmstack disk --remove {shlex.quote(str(path))}` removes it." if folder.own else ""
            output.say(
                f"{path} cannot be read as a manifest, so nothing beside it is removed. {remove}".rstrip()
            )
    if folders[0].removable:
        size = bytes_text(sum(leftover.size for leftover in folders[0].removable))
        output.inform(f"`llmstack disk --clean` frees {size}.")


def _remark(model: ModelUse) -> str:
    if model.fault:
        return text(*model.fault)
    if model.missing:
        return f"{model.missing} missing"
    return f"{model.changed} changed: `llmstack disk --verify`" if model.changed else ""


def _write_leftovers(folders: Sequence[FolderUse]) -> None:
    rows = [
        [leftover.path.name, leftover.kind, bytes_text(leftover.size), text(*_kept(leftover)), _owner(folder)]
        for folder in folders
        for leftover in folder.leftovers
    ]
    if rows:
        output.write_table(["NOT USED", "KIND", ">SIZE", "KEPT BECAUSE", "FOLDER?"], rows)


def _owner(folder: FolderUse) -> str:
    return "built-in engine" if folder.own else "Ollama (only shown)"


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
