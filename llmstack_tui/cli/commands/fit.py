"""``llmstack fit``: how much memory a model takes, and whether this machine has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.languages import later, tr
from llmstack_tui.base.names import same_model
from llmstack_tui.base.sentences import Failure
from llmstack_tui.base.structs import replace
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.rules import subject_of
from llmstack_tui.cli import output
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import locate, look, opened, read_profile
from llmstack_tui.core.types import StoreError
from llmstack_tui.core.wording import words
from llmstack_tui.fit.memory import Estimate, Request, Subject, estimate, largest_context
from llmstack_tui.fit.metadata import subject_of_header, subject_of_metadata
from llmstack_tui.fit.room import repacked_on
from llmstack_tui.fit.verdict import Room, Verdict, verdict
from llmstack_tui.gguf.header import read_header
from llmstack_tui.hosts.errors import HostError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.parser import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.types import Measured
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hosts.types import Model

# The parts of an estimate, and what it is based on.
_PARTS = {
    "weights": later("weights"),
    "cache": later("cache"),
    "compute": later("compute"),
    "process": later("process"),
}
_BASES = {
    "measured": later("measured here before"),
    "formula": later("by the shape of the model"),
    "file size": later("by the size of the file alone"),
}


def add_options(parser: Parser) -> None:
    parser.add_argument(
        "name",
        metavar=tr("NAME|FILE"),
        help=tr("a model, installed or not, or a GGUF file, which needs no server"),
    )
    parser.add_argument(
        "--ctx", metavar="N", type=count, help=tr("tokens of context (default: the engine's)")
    )
    parser.add_argument(
        "--cache", choices=CACHE_TYPES, help=tr("the type of keys and values (default: the engine's)")
    )
    parser.add_argument(
        "--parallel", metavar="N", type=count, help=tr("requests computed at once (default: the engine's)")
    )


async def run(core: Core, options: Namespace) -> int:
    target = await _find(core, options)
    usual = target.subject.request((await core.options(())).usual())
    request = replace(
        usual,
        context_length=options.ctx or usual.context_length,
        parallel=options.parallel or usual.parallel,
        cache_type=options.cache or usual.cache_type,
    )
    report = _report(target, request)
    return output.answer(options, report.document(), report.write)


class _FitTarget(Struct, frozen=True, kw_only=True):
    """The model or file in question, and the room that this machine has for it.

    Attributes:
        file: the GGUF file, if it is one.
        host: the server that has the model installed.
        loads: the memory that earlier loads took.
    """

    name: str
    subject: Subject
    profile: Profile
    room: Room
    file: Path | None = None
    host: str | None = None
    loads: Sequence[Measured] = ()


async def _find(core: Core, options: Namespace) -> _FitTarget:
    """A file if there is one of that name, else a model of a server, of the catalog or of a registry.

    Raises:
        Failed: it is none of these.
        HostError: it is none of these, and no server answers.
    """
    path = Path(options.name)
    if _is_file(path):
        async with opened(core, ()) as stack:
            return await _of_file(stack, path)
    if path.suffix.lower() == ".gguf":
        raise output.Failed(tr("There is no file {name!r}: give the path of a GGUF file.", name=options.name))
    try:
        async with opened(core) as stack:
            return await _installed(stack, options.name)
    except (output.Failed, HostError):
        async with opened(core, ()) as stack:
            if (offered := await _offered(stack, options.name)) is not None:
                return offered
        raise


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # No file can have this name.
        return False


async def _of_file(stack: Stack, path: Path) -> _FitTarget:
    profile = await read_profile(stack)
    subject = subject_of_header(read_header(path), repacked_on(profile))
    return _FitTarget(name=path.name, subject=subject, profile=profile, room=stack.fit.room(), file=path)


async def _installed(stack: Stack, name: str) -> _FitTarget:
    await look(stack)
    status = locate(stack, name)
    if (model := status.model) is None:
        raise output.Failed(
            tr("{model} is loaded and no longer installed: `llmstack ps` has it.", model=status.name)
        )
    if model.is_cloud:
        raise output.Failed(tr("{model} runs in the cloud: it takes no memory here.", model=status.name))
    return _FitTarget(
        name=status.name,
        profile=await read_profile(stack),
        subject=await stack.fit.look_at(status.host, model),
        # If it is loaded, the memory that it takes now counts as free.
        room=stack.fit.room(status.running if is_loopback(status.host) else None),
        host=status.host,
        loads=await _loads(stack, status.host, model),
    )


async def _loads(stack: Stack, host: str, model: Model) -> Sequence[Measured]:
    if stack.records.is_empty or not model.digest:
        return ()
    try:
        return await stack.records.measured(host, model.digest)
    except StoreError as error:
        output.say(words(error))
        return ()


async def _offered(stack: Stack, asked: str) -> _FitTarget | None:
    """A model that is not installed: from the catalog, or with nothing but the size from a registry."""
    profile = await read_profile(stack)
    room = stack.fit.room()
    for entry in (await stack.catalog.catalog()).entries:
        for file in entry.files:
            if same_model(asked, name := entry.name_of(file)):
                return _FitTarget(name=name, subject=subject_of(entry, file), profile=profile, room=room)
    try:
        offer = await stack.catalog.offer(asked)
    except Failure:
        return None
    return _FitTarget(
        name=offer.name, subject=subject_of_metadata({}, offer.download), profile=profile, room=room
    )


def _report(target: _FitTarget, request: Request) -> _FitReport:
    subject, room = target.subject, target.room
    found = estimate(subject.weights, subject.shape, request, target.loads)
    largest = None
    if subject.weights is not None and subject.shape is not None and room.budget is not None:
        largest = largest_context(subject.weights, subject.shape, request, room.budget)
    return _FitReport(target, request, found, verdict(found, room), largest)


class _FitReport(Struct, frozen=True):
    """The answer about a model. None is unknown, or does not apply."""

    target: _FitTarget
    request: Request
    estimate: Estimate | None
    verdict: Verdict | None
    largest: int | None

    def document(self) -> dict[str, object]:
        target, found, verdict, shape = self.target, self.estimate, self.verdict, self.target.subject.shape
        parts = found.parts if found else None
        return {
            "name": target.name,
            "file": target.file,
            "host": target.host,
            "context_length": found.context_length if found else self.request.context_length,
            "cache_type": self.request.cache_type,
            "parallel": self.request.parallel,
            "estimate": found.total if found else None,
            "basis": found.basis if found else None,
            "parts": None if parts is None else asdict(parts),
            "state": verdict.fit if verdict else None,
            "tight": verdict.tight if verdict else None,
            "left": verdict.left if verdict else None,
            "largest_context": self.largest,
            "trained_context": shape.context_length if shape else None,
            "budget": target.room.budget,
            "taken": target.room.taken,
            "profile": target.profile.name,
        }

    def write(self) -> None:
        found = self.estimate
        if found is None:
            output.write(tr("{model}: how much memory it takes is unknown.", model=self.target.name))
            return
        asked: dict[str, object] = {
            "model": self.target.name,
            "context": found.context_length,
            "cache": self.request.cache_type,
        }
        said = tr("{model} with {context:,} tokens of context, cache {cache}", **asked)
        if self.request.parallel > 1:
            said += ", " + tr("{count} requests at once", count=self.request.parallel)
        output.write(said)
        if found.parts is not None:
            for name, size in asdict(found.parts).items():
                output.write(f"  {tr(_PARTS[name]):<10}{bytes_text(size):>8}")
        output.write(f"  {tr('in all'):<10}{bytes_text(found.total):>8}  {tr(_BASES[found.basis])}")
        output.write(self._sentence(found))
        if (largest := self._largest()) is not None:
            output.write(largest)

    def _sentence(self, found: Estimate) -> str:
        if self.verdict is None or self.target.room.budget is None:
            return tr("It is not known how much memory this machine has.")
        fit, size = tr(self.verdict.fit), bytes_text(abs(self.verdict.left))
        values = {
            "fit": f"{fit[0].upper()}{fit[1:]}",
            "budget": bytes_text(self.target.room.budget),
            "memory": tr(self.target.profile.memory_word),
            "profile": self.target.profile.name,
            "rest": tr("{size} to spare", size=size)
            if self.verdict.left >= 0
            else tr("{size} too much", size=size),
        }
        if self.verdict.tight:
            return tr(
                "{fit}, tightly: there is {budget} of {memory} for models ({profile}), {rest}.", **values
            )
        return tr("{fit}: there is {budget} of {memory} for models ({profile}), {rest}.", **values)

    def _largest(self) -> str | None:
        shape = self.target.subject.shape
        if self.largest is None or shape is None:
            return None
        if self.largest == 0:
            return tr("No context is short enough for it to fit.")
        if self.largest == shape.context_length:
            return tr(
                "The longest context that fits is {count:,} tokens, the model's maximum.", count=self.largest
            )
        return tr("The longest context that fits is {count:,} tokens.", count=self.largest)
