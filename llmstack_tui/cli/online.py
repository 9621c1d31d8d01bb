"""``llmstack catalog --online``: repositories of GGUF files on Hugging Face, and which of them fit here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmstack_tui.base.languages import number, tr, tr_n
from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.text import clean
from llmstack_tui.cli import output
from llmstack_tui.cli.entries import entry_document, write_variants
from llmstack_tui.cli.stacks import opened, read_profile
from llmstack_tui.core.wording import words

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.catalog.types import Entry, Repositories, Repository
    from llmstack_tui.core.open import Core
    from llmstack_tui.hardware.profile import Profile

USUAL, MOST = 10, 50
_AT_ONCE = 4


async def search(core: Core, options: Namespace) -> None:
    """Search, look into the first repositories, and write them.

    Raises:
        Failed: the hub does not answer as it should, or has nothing of the sort.
    """
    text, url = " ".join(options.words), core.settings.catalog.online_url
    if not text.strip():
        raise output.WrongUsage(tr("Say what to search for: a part of the name of the model."))
    host = urlsplit(url).netloc
    output.inform(tr("Asking {host} for GGUF files with {text!r} in their names.", host=host, text=text))
    async with opened(core, ()) as stack:
        profile = await read_profile(stack)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def look(repository: Repository) -> Entry | Failure:
            async with slots:
                try:
                    return await stack.catalog.repository(repository.id)
                except Failure as error:
                    return error

        try:
            found = await stack.catalog.search(text)
        except Failure as error:
            raise output.Failed(words(error)) from None
        shown = found.found[: min(options.limit, MOST)]
        entries = await asyncio.gather(*map(look, shown))
    if options.json:
        output.write_document(_document(url, text, found, entries, profile))
    else:
        for repository, entry in zip(shown, entries, strict=True):
            _write(repository, entry, profile)
    if not shown:
        raise output.Failed(tr("{host} has no GGUF file with {text!r} in its name.", host=host, text=text))
    if len(found.found) > len(shown) or found.are_more:
        output.inform(
            tr(
                "There are more: these are the {count} that are downloaded most. Name it more exactly, or "
                "see more of them with --limit.",
                count=len(shown),
            )
        )


def _write(repository: Repository, entry: Entry | Failure, profile: Profile) -> None:
    facts = [repository.architecture and clean(repository.architecture)]
    if repository.context_length:
        facts.append(tr("context {tokens}", tokens=number(f"{repository.context_length:,}")))
    if repository.downloads:
        facts.append(tr_n("{count:,} download", "{count:,} downloads", repository.downloads))
    output.write(f"{clean(repository.id)}  {', '.join(filter(None, facts))}".rstrip())
    if isinstance(entry, Failure):
        output.write(words(entry))
    else:
        write_variants(entry, profile)
    if repository.is_gated:
        output.write(tr("Its terms have to be agreed to on its page, so it cannot be pulled from here."))
    output.write("")


def _document(
    url: str, text: str, found: Repositories, entries: Sequence[Entry | Failure], profile: Profile
) -> dict[str, object]:
    """The document; of a repository that was not looked into, ``files`` is null."""
    shown = dict(zip((each.id for each in found.found), entries, strict=False))
    return {
        "asked": url,
        "search": text,
        "are_more": found.are_more,
        "profile": profile.name,
        "memory_budget": profile.memory_budget,
        "repositories": [_repository(each, shown.get(each.id), profile) for each in found.found],
    }


def _repository(repository: Repository, entry: Entry | Failure | None, profile: Profile) -> dict[str, object]:
    known = entry if entry and not isinstance(entry, Failure) else None
    files = None
    if known is not None:
        files = entry_document(known, profile.memory_budget)["files"]
    return {
        "id": repository.id,
        "gated": repository.is_gated,
        "downloads": repository.downloads,
        "changed_at": repository.changed_at,
        "architecture": repository.architecture or None,
        "parameters": repository.parameters,
        "context_length": repository.context_length,
        "files": files,
        "problem": words(entry) if isinstance(entry, Failure) else None,
    }
