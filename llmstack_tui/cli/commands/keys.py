"""``llmstack keys``: the keys of providers and servers. None is ever written, and none is an argument."""

from __future__ import annotations

import asyncio
import sys
from argparse import SUPPRESS, ArgumentTypeError
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.sentences import Failure
from llmstack_tui.cli import output
from llmstack_tui.cli.stacks import refuse_read_only
from llmstack_tui.core.wording import text, words
from llmstack_tui.keys.rules import owner_of, passphrase_of, sound
from llmstack_tui.keys.shown import VERDICTS, bullets, expiry_text, origin_text
from llmstack_tui.keys.transfer import exported, imported, needs_passphrase
from llmstack_tui.keys.types import Expiry, KeysLocked, KeyVerdict
from llmstack_tui.keys.vaults import read_whole, write_new

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.keys.service import KeyRing
    from llmstack_tui.keys.types import KeptKey, ListedKey

T = TypeVar("T")

_MOST_INPUT = 16 * 1024


def add_options(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", choices=tuple(_DO), help=tr("what to do (default: list them)"))
    parser.add_argument(
        "target",
        metavar=tr("OWNER|FILE"),
        nargs="?",
        help=tr(
            "whose key: openai, anthropic, gemini, … or a server's address; with import and export a file"
        ),
    )
    parser.add_argument("surplus", nargs="*", help=SUPPRESS)
    parser.add_argument(
        "--stdin", action="store_true", help=tr("read the key, or the passphrase, from standard input")
    )
    parser.add_argument(
        "--expires", metavar=tr("DATE"), type=_date, help=tr("the day on which the key ends, as 2027-01-31")
    )
    parser.add_argument(
        "--in-file",
        action="store_true",
        help=tr("keep it in the encrypted file, though there is a keyring of the system"),
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help=tr("export without encryption: whoever has the file has the keys"),
    )
    parser.add_argument("-y", "--yes", action="store_true", help=tr("do not ask"))


async def run(core: Core, options: Namespace) -> int:
    action = options.action or "list"
    if options.surplus:
        raise output.WrongUsage(
            tr("A key is never an argument: others see those of every process. It is asked for, or --stdin.")
        )
    if action in ("list", "passphrase") and options.target is not None:
        raise output.WrongUsage(tr("`{action}` is about all keys: it takes no name.", action=action))
    if action in ("import", "export") and options.target is None:
        raise output.WrongUsage(tr("Which file? For example `llmstack keys export keys.sealed`."))
    if action in ("add", "rotate", "remove") and options.target is None:
        raise output.WrongUsage(tr("Whose key? For example openai, or http://gpu-box:8000."))
    if action not in ("list", "validate"):
        refuse_read_only(core)
    return await _DO[action](await core.keys(), options)


# What is asked


def _hidden(options: Namespace, question: str) -> str:
    """What is typed, without showing it, or piped in."""
    if options.stdin:
        return sys.stdin.read(_MOST_INPUT).rstrip("\r\n")
    if options.json or not output.is_terminal(sys.stdin):
        raise output.WrongUsage(
            tr("There is no terminal to type it on: write it to standard input, and add --stdin.")
        )
    return output.ask_hidden(question)


def _new_passphrase(options: Namespace) -> str:
    typed = _hidden(options, tr("New passphrase:"))
    if typed and not options.stdin and output.ask_hidden(tr("The same again:")) != typed:
        raise output.Failed(tr("The two were not the same: nothing was changed."))
    return typed


async def _unlocked(ring: KeyRing, options: Namespace, act: Callable[[], Awaitable[T]]) -> T:
    """Do what may need the passphrase of the file, which is asked for on a terminal."""
    try:
        return await act()
    except KeysLocked:
        if options.stdin or options.json or not output.is_terminal(sys.stdin):
            raise
    await ring.shelf.unlock(passphrase_of(output.ask_hidden(tr("Passphrase of the stored keys:"))))
    return await act()


def _date(typed: str) -> datetime:
    try:
        day = datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(tr("{text!r} is not a day such as 2027-01-31.", text=typed)) from None
    return day.replace(hour=23, minute=59, second=59)


# What is done


async def _add(ring: KeyRing, options: Namespace) -> int:
    owner = owner_of(options.target)
    secret = sound(_hidden(options, tr("Key for {owner}:", owner=owner)))

    async def add() -> KeptKey:
        return await ring.add(owner, secret, expires_at=options.expires, in_file=options.in_file)

    return _say_kept(options, await _unlocked(ring, options, add))


async def _rotate(ring: KeyRing, options: Namespace) -> int:
    owner = owner_of(options.target)
    await ring.shelf.entry(owner)  # Before anything is typed.
    secret = sound(_hidden(options, tr("New key for {owner}:", owner=owner)))

    async def rotate() -> KeptKey:
        return await ring.rotate(owner, secret, expires_at=options.expires)

    return _say_kept(options, await _unlocked(ring, options, rotate))


def _say_kept(options: Namespace, kept: KeptKey) -> int:
    document = {
        "owner": kept.entry.owner,
        "stored": kept.entry.vault,
        "file": kept.place or None,
        "verdict": kept.verdict,
        "expires_at": kept.entry.expires_at,
        "notes": [text(each) for each in kept.notes],
    }
    if not options.json:
        for each in kept.notes:
            output.say(text(each))
    where = kept.place or tr("the system's keyring")
    said = tr("The key for {owner} is stored: {where}.", owner=kept.entry.owner, where=where)
    verdict = [tr(VERDICTS[kept.verdict], owner=kept.entry.owner)] if kept.verdict is not None else []
    return output.answer(options, document, said, *verdict)


async def _validate(ring: KeyRing, options: Namespace) -> int:
    """One key, or all that would be sent; fails if one is refused or its owner cannot be asked."""
    if options.target is not None:
        owners: Sequence[str] = [owner_of(options.target)]
    else:
        owners = list(dict.fromkeys(each.owner for each in await ring.listed()))
        if not owners:
            raise output.Failed(tr("There is no key: add one with `llmstack keys add OWNER`."))
    found: list[tuple[str, KeyVerdict | None, str]] = []
    for owner in owners:
        try:
            verdict = await _unlocked(ring, options, partial(ring.validate, owner))
            found.append((owner, verdict, tr(VERDICTS[verdict], owner=owner)))
        except Failure as error:
            found.append((owner, None, words(error)))
    if options.json:
        keys = [{"owner": owner, "verdict": outcome, "said": said} for owner, outcome, said in found]
        output.write_document({"keys": keys})
    for _, outcome, said in found if not options.json else ():
        (output.write if outcome in (KeyVerdict.VALID, KeyVerdict.ANY) else output.say)(said)
    return int(any(outcome in (None, KeyVerdict.REFUSED) for _, outcome, _ in found))


async def _remove(ring: KeyRing, options: Namespace) -> int:
    owner = owner_of(options.target)
    await ring.shelf.entry(owner)
    question = tr("Remove the key for {owner}? It cannot be shown or taken back afterwards.", owner=owner)
    output.confirm(options, question, tr("Nothing was changed."))
    await _unlocked(ring, options, lambda: ring.remove(owner))
    return output.answer(
        options, {"owner": owner, "removed": True}, tr("The key for {owner} is removed.", owner=owner)
    )


async def _export(ring: KeyRing, options: Namespace) -> int:
    file = Path(options.target)
    keys = await _unlocked(ring, options, ring.all)
    if not keys:
        raise output.Failed(tr("No key is stored: there is nothing to export."))
    passphrase: Secret | None = None
    if options.plain:
        question = tr("Write the keys to {file} as plain text? Whoever reads it has them.", file=str(file))
        output.confirm(options, question, tr("Nothing was written."))
    else:
        passphrase = passphrase_of(_new_passphrase(options))
    content = await asyncio.to_thread(exported, keys, passphrase)
    await asyncio.to_thread(write_new, file, content)
    said = tr_n(
        "{count} key was written to {file}.",
        "{count} keys were written to {file}.",
        len(keys),
        file=str(file),
    )
    document = {"file": file, "encrypted": passphrase is not None, "owners": [each.owner for each, _ in keys]}
    return output.answer(options, document, said)


async def _import(ring: KeyRing, options: Namespace) -> int:
    file = Path(options.target)
    content = await asyncio.to_thread(read_whole, file)
    if content is None:
        raise output.Failed(tr("There is no file {file}.", file=str(file)))
    passphrase: Secret | None = None
    if needs_passphrase(content, str(file)):
        passphrase = passphrase_of(_hidden(options, tr("Passphrase of {file}:", file=str(file))))
    keys = await asyncio.to_thread(imported, content, str(file), passphrase)
    taken = await _unlocked(ring, options, lambda: ring.take(keys, in_file=options.in_file))
    if not options.json:
        for note in taken.notes:
            output.say(text(note))
        for owner in taken.kept:
            output.say(tr("{owner} has a key already, which stays.", owner=owner))
    count = len(taken.added)
    said = tr_n("{count} key was added.", "{count} keys were added.", count)
    document = {"added": taken.added, "kept": taken.kept, "notes": [text(each) for each in taken.notes]}
    return output.answer(options, document, said)


async def _passphrase(ring: KeyRing, options: Namespace) -> int:
    """Of the encrypted file; none: it is opened by the key of this machine."""
    if await ring.shelf.has_passphrase():
        await _unlocked(ring, options, ring.shelf.open_file)
    typed = _new_passphrase(options)
    await ring.shelf.change_passphrase(passphrase_of(typed) if typed else None)
    said = (
        tr("The encrypted file asks for the passphrase from now on. Nobody can open it without.")
        if typed
        else tr("The encrypted file has no passphrase now: a key beside it, for you alone, opens it.")
    )
    return output.answer(options, {"passphrase": bool(typed)}, said)


# The list


async def _list(ring: KeyRing, options: Namespace) -> int:
    found = await ring.listed()
    return output.answer(options, {"keys": [_document(each) for each in found]}, lambda: _write(found))


def _write(found: Sequence[ListedKey]) -> None:
    if not found:
        output.inform(tr("There is no key: add one with `llmstack keys add OWNER`."))
        return
    bullet = "•" if output.shows(sys.stdout, "•") else "*"
    output.write_table(
        [tr("OWNER"), tr("KEY"), tr("FROM"), tr("VALIDATED"), tr("USED"), tr("ENDS")],
        [_row(each, bullet) for each in found],
    )
    for each in found:
        if each.problem:
            output.say(text(*each.problem))
        elif each.expiry in (Expiry.SOON, Expiry.PAST):
            output.say(expiry_text(each))


def _row(key: ListedKey, bullet: str) -> list[str]:
    entry = key.entry
    times = (entry.validated_at, entry.used_at, entry.expires_at) if entry is not None else (None,) * 3
    return [key.owner, bullets(key, bullet), origin_text(key), *map(_day, times)]


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d}" if time is not None else "-"


def _document(key: ListedKey) -> dict[str, object]:
    entry = key.entry
    return {
        "owner": key.owner,
        "from": key.origin,
        "place": key.place or None,
        "tail": key.tail or None,
        "sent": not key.is_hidden,
        "expiry": key.expiry,
        **{
            name: getattr(entry, name, None) for name in ("added_at", "used_at", "validated_at", "expires_at")
        },
        "problem": text(*key.problem) or None,
    }


_DO: Mapping[str, Callable[[KeyRing, Namespace], Awaitable[int]]] = {
    "list": _list,
    "add": _add,
    "validate": _validate,
    "rotate": _rotate,
    "remove": _remove,
    "import": _import,
    "export": _export,
    "passphrase": _passphrase,
}
