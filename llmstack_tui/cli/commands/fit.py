"""``llmstack fit``: what memory a model takes, and whether this machine has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.cli import output
from llmstack_tui.cli.options import add_command, count

if TYPE_CHECKING:
    from llmstack_tui.cli.options import Commands, Invocation
    from llmstack_tui.fit.memory import Estimate, Request, Subject
    from llmstack_tui.fit.verdict import Room, Verdict
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.store.tables.figures import Measured

_BASES = {
    "measured": "measured here before",
    "formula": "by the shape of the model",
    "file size": "by the size of the file alone",
}


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands, "fit", run, "Show what memory a model takes, and whether this machine has it."
    )
    parser.add_argument(
        "name", metavar="NAME|FILE", help="a model, installed or to be had, or a GGUF file, with no server"
    )
    parser.add_argument("--ctx", metavar="N", type=count, help="tokens of context (default: the engine's)")
    parser.add_argument(
        "--cache", choices=CACHE_TYPES, help="the type of keys and values (default: the engine's)"
    )
    parser.add_argument(
        "--parallel", metavar="N", type=count, help="requests computed at once (default: the engine's)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The model that is meant.

    Attributes:
        taken: bytes of the models that are loaded beside it.
        loads: of it that were measured.
    """

    name: str
    subject: Subject
    file: Path | None = None
    host: str | None = None
    taken: int = 0
    loads: tuple[Measured, ...] = field(default=())


def run(call: Invocation) -> int:
    import asyncio

    from llmstack_tui.cli.machine import this_machine
    from llmstack_tui.fit.memory import estimate, largest_context
    from llmstack_tui.fit.room import room_of
    from llmstack_tui.fit.verdict import verdict

    reading, profile = this_machine(call)
    asked = asyncio.run(_find(call, profile))
    subject = asked.subject
    request = _request(call, subject)
    room = room_of(profile, reading, asked.taken, allowed=call.settings.guard.allowed)
    found = estimate(subject.weights, subject.shape, request, asked.loads)
    largest = None
    if subject.weights is not None and subject.shape is not None and room.budget is not None:
        largest = largest_context(subject.weights, subject.shape, request, room.budget)
    answer = _Answer(asked, request, found, room, verdict(found, room), largest, profile)
    if call.json:
        output.write_document(answer.document())
    else:
        answer.write()
    return 0


def _request(call: Invocation, subject: Subject) -> Request:
    """What the engine would do here, where the options do not say otherwise."""
    from llmstack_tui.base.structs import replace
    from llmstack_tui.cli.fitting import usual_request

    usual = subject.request(usual_request(call))
    return replace(
        usual,
        context_length=call.options.ctx or usual.context_length,
        parallel=call.options.parallel or usual.parallel,
        cache_type=call.options.cache or usual.cache_type,
    )


async def _find(call: Invocation, profile: Profile) -> _Asked:
    """A file if there is one of that name, else a model of a server, else one of the catalog or a registry.

    Raises:
        Failed: it is none of these.
    """
    path = Path(call.options.name)
    if _is_file(path):
        return _of_file(path, profile)
    if path.suffix.lower() == ".gguf":
        raise output.Failed(f"There is no file {call.options.name!r}: give the path of a GGUF file.")
    try:
        return await _installed(call, profile)
    except output.Failed as error:
        if (offered := await _offered(call.options.name)) is not None:
            return offered
        raise error from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # A name that no file can have.
        return False


def _of_file(path: Path, profile: Profile) -> _Asked:
    from llmstack_tui.fit.room import repacked_on
    from llmstack_tui.fit.subject import of_header
    from llmstack_tui.gguf.header import InvalidGGUF, read_header

    try:
        header = read_header(path)
    except InvalidGGUF as error:
        raise output.Failed(str(error)) from None
    return _Asked(name=path.name, subject=of_header(header, repacked_on(profile)), file=path)


async def _installed(call: Invocation, profile: Profile) -> _Asked:
    from llmstack_tui.cli.fitting import loads
    from llmstack_tui.cli.servers import connect, locate
    from llmstack_tui.fit.room import repacked_on
    from llmstack_tui.fit.shapes import Subjects
    from llmstack_tui.hosts.errors import HostError
    from llmstack_tui.library.folders import model_folders

    try:
        async with connect(call) as hosts:
            located = await locate(hosts, call.options.name)
            model = located.status.model
            if model is None:
                raise output.Failed(
                    f"{located.name} is loaded and no longer installed: `llmstack ps` has it."
                )
            if model.is_cloud:
                raise output.Failed(f"{located.name} runs in the cloud: it takes no memory here.")
            host = located.host
            subjects = Subjects(model_folders(call.environ), repacked_on(profile))
            subject = await subjects.look(host.url, model, host.show)
    except HostError as error:
        raise output.Failed(str(error)) from None
    others = [each.size or 0 for each in located.snapshot.running if each.digest != model.digest]
    return _Asked(
        name=located.name,
        subject=subject,
        host=host.url,
        taken=sum(others),
        loads=(await loads([(host.url, model)])).get((host.url, model.digest), ()),
    )


async def _offered(name: str) -> _Asked | None:
    """A model that is not installed: its shape from the catalog, else the size that a registry tells."""
    from llmstack_tui.base.names import same_model
    from llmstack_tui.catalog.loading import load_catalog
    from llmstack_tui.catalog.memory import subject_of

    for entry in load_catalog().entries:
        for file in entry.files:
            if same_model(name, entry.name_of(file)):
                return _Asked(name=entry.name_of(file), subject=subject_of(entry, file))
    return await _in_registry(name)


async def _in_registry(name: str) -> _Asked | None:
    from llmstack_tui.base.names import InvalidName
    from llmstack_tui.catalog.service import CatalogService
    from llmstack_tui.fit.subject import of_metadata
    from llmstack_tui.registry.errors import RegistryError

    browsing = CatalogService()
    try:
        offer = await browsing.offer(name)
    except (InvalidName, RegistryError):
        return None
    finally:
        await browsing.aclose()
    return _Asked(name=offer.name, subject=of_metadata({}, offer.download))


@dataclass(frozen=True, slots=True)
class _Answer:
    asked: _Asked
    request: Request
    estimate: Estimate | None
    room: Room
    verdict: Verdict | None
    largest: int | None
    profile: Profile

    def document(self) -> dict[str, object]:
        found, verdict, shape = self.estimate, self.verdict, self.asked.subject.shape
        parts = found.parts if found else None
        return {
            "name": self.asked.name,
            "file": None if self.asked.file is None else str(self.asked.file),
            "host": self.asked.host,
            "context_length": found.context_length if found else self.request.context_length,
            "cache_type": self.request.cache_type,
            "parallel": self.request.parallel,
            "estimate": found.total if found else None,
            "basis": found.basis.value if found else None,
            "parts": None
            if parts is None
            else {
                "weights": parts.weights,
                "cache": parts.cache,
                "compute": parts.compute,
                "process": parts.process,
            },
            "state": verdict.fit.value if verdict else None,
            "tight": verdict.tight if verdict else None,
            "left": verdict.left if verdict else None,
            "largest_context": self.largest,
            "trained_context": shape.context_length if shape else None,
            "budget": self.room.budget,
            "taken": self.room.taken,
            "profile": self.profile.name,
        }

    def write(self) -> None:
        found = self.estimate
        if found is None:
            output.write(f"{clean(self.asked.name)}: what memory it takes cannot be told.")
            return
        slots = f", {self.request.parallel} requests at once" if self.request.parallel > 1 else ""
        output.write(
            f"{clean(self.asked.name)} with {found.context_length:,} tokens of context, "
            f"cache {self.request.cache_type}{slots}"
        )
        if found.parts is not None:
            for name, size in (
                ("weights", found.parts.weights),
                ("cache", found.parts.cache),
                ("computing", found.parts.compute),
                ("process", found.parts.process),
            ):
                output.write(f"  {name:<10}{bytes_text(size):>8}")
        output.write(f"  {'in all':<10}{bytes_text(found.total):>8}  {_BASES[found.basis]}")
        output.write(self._sentence(found))
        if (largest := self._largest()) is not None:
            output.write(largest)

    def _sentence(self, found: Estimate) -> str:
        if self.verdict is None or self.room.budget is None:
            return "It is not known how much memory this machine has."
        budget = (
            f"{bytes_text(self.room.budget)} of {self.profile.memory_word} for models ({self.profile.name})"
        )
        word = (
            f"{self.verdict.fit[0].upper()}{self.verdict.fit[1:]}{', tightly' if self.verdict.tight else ''}"
        )
        left = self.verdict.left
        rest = f"{bytes_text(left)} to spare" if left >= 0 else f"{bytes_text(-left)} too much"
        return f"{word}: there is {budget}, {rest}."

    def _largest(self) -> str | None:
        shape = self.asked.subject.shape
        if self.largest is None or shape is None:
            return None
        if self.largest == 0:
            return "No context is short enough for it to fit."
        whole = ", all that it was made for" if self.largest == shape.context_length else ""
        return f"The longest context that fits is {self.largest:,} tokens{whole}."
