"""``llmstack disk``: what the models take on the disk, and what nothing uses any more."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.library.disk import FolderUse, Leftover


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "disk",
        run,
        "Show what each model takes on the disk of this machine, and what no model uses any more.",
    )
    parser.add_argument(
        "--clean",
        action="store_true",
        help="remove what no model uses from the engine's own folder; never from Ollama's",
    )
    parser.add_argument("-y", "--yes", action="store_true", help="with --clean: do not ask")


def run(call: Invocation) -> int:
    from llmstack_tui.cli.servers import refuse_if_read_only
    from llmstack_tui.library.storage import LibraryError

    if call.options.yes and not call.options.clean:
        raise output.WrongUsage("--yes answers the question of --clean: say both, or neither.")
    if call.options.clean:
        refuse_if_read_only(call)
    try:
        own, others = _look(call.environ)
        if call.options.clean:
            removed = _clean(call, own)
            if call.json:
                output.write_document({"folder": str(own.path), "removed": [_leftover(r) for r in removed]})
            return 0
    except LibraryError as error:
        raise output.Failed(str(error)) from None
    folders = [own, *others]
    if call.json:
        output.write_document({"folders": [_document(folder) for folder in folders]})
    else:
        _write(folders)
    return 0


def _look(environ: Mapping[str, str]) -> tuple[FolderUse, list[FolderUse]]:
    """The engine's folder, and those of Ollama that may be read."""
    from llmstack_tui.base import paths
    from llmstack_tui.library.disk import audit
    from llmstack_tui.library.folders import ollama_models_folders
    from llmstack_tui.library.storage import LibraryError

    own = audit(paths.models_folder(), own=True)
    others: list[FolderUse] = []
    for folder in ollama_models_folders(environ):
        if folder.resolve() == own.path.resolve():
            continue
        try:
            others.append(audit(folder, own=False))
        except LibraryError as error:
            output.say(str(error))
    return own, others


def _clean(call: Invocation, own: FolderUse) -> Sequence[Leftover]:
    from llmstack_tui.library.disk import remove_leftovers

    if not call.json:
        _write_leftovers([own])
    if not own.removable:
        output.say(_nothing_to_remove(own))
        return ()
    count, size = len(own.removable), bytes_text(sum(leftover.size for leftover in own.removable))
    what = f"{count} {'file' if count == 1 else 'files'} of {size}"
    if not call.options.yes:
        if call.json or not output.is_terminal(sys.stdin):
            raise output.Failed(f"Nothing was removed: there is no terminal to ask on. {what} go with --yes.")
        if not output.ask(f"Remove {what}?"):
            raise output.Failed("Nothing was removed.")
    removed = remove_leftovers(own.path, own.removable)
    if not call.json:
        output.write(f"Removed {len(removed)} of {count}: {bytes_text(sum(each.size for each in removed))}.")
    return removed


def _nothing_to_remove(own: FolderUse) -> str:
    if own.unreadable:
        return f"Nothing is removed while {own.unreadable[0]} cannot be read: it may name any of the files."
    return "There is nothing to remove."


def _write(folders: Sequence[FolderUse]) -> None:
    rows = [
        [
            model.name,
            bytes_text(model.size),
            bytes_text(model.shared) if model.shared else "-",
            bytes_text(model.alone),
            f"{model.missing} missing" if model.missing else "",
            _owner(folder),
        ]
        for folder in folders
        for model in folder.models
    ]
    if rows:
        output.write_table(["NAME", ">SIZE", ">SHARED", ">ALONE", "FILES", "FOLDER"], rows)
    _write_leftovers(folders)
    for folder in folders:
        output.say(f"{folder.path}: {bytes_text(folder.size)}, of {_owner(folder)}.")
        for path in folder.unreadable:
            output.say(f"{path} cannot be read as a manifest, so nothing beside it is removed.")
    if folders[0].removable:
        size = bytes_text(sum(leftover.size for leftover in folders[0].removable))
        output.say(f"`llmstack disk --clean` frees {size}.")


def _write_leftovers(folders: Sequence[FolderUse]) -> None:
    rows = [
        [leftover.path.name, leftover.kind.value, bytes_text(leftover.size), leftover.kept, _owner(folder)]
        for folder in folders
        for leftover in folder.leftovers
    ]
    if rows:
        output.write_table(["NOT USED", "KIND", ">SIZE", "KEPT BECAUSE", "FOLDER"], rows)


def _owner(folder: FolderUse) -> str:
    return "llmstack" if folder.own else "Ollama"


def _document(folder: FolderUse) -> dict[str, object]:
    return {
        "path": str(folder.path),
        "own": folder.own,
        "size": folder.size,
        "models": [
            {
                "name": model.name,
                "size": model.size,
                "shared": model.shared,
                "alone": model.alone,
                "missing": model.missing,
            }
            for model in folder.models
        ],
        "leftovers": [_leftover(leftover) for leftover in folder.leftovers],
        "unreadable": [str(path) for path in folder.unreadable],
        "removable": sum(leftover.size for leftover in folder.removable),
    }


def _leftover(leftover: Leftover) -> dict[str, object]:
    from datetime import UTC, datetime

    return {
        "path": str(leftover.path),
        "kind": leftover.kind.value,
        "size": leftover.size,
        "changed_at": datetime.fromtimestamp(leftover.changed_s, UTC).isoformat(),
        "kept": leftover.kept or None,
    }
