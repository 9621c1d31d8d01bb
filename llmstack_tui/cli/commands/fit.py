"""``llmstack fit``: what memory a model takes, and whether this machine has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.kinds import CACHE_TYPES
from llmstack_tui.base.names import InvalidName, same_model
from llmstack_tui.base.structs import replace
from llmstack_tui.base.text import clean
from llmstack_tui.base.units import bytes_text
from llmstack_tui.catalog.memory import subject_of
from llmstack_tui.catalog.service import RegistryError
from llmstack_tui.cli import output
from llmstack_tui.cli.options import count
from llmstack_tui.cli.stacks import locate, look, opened
from llmstack_tui.core.types import StoreError
from llmstack_tui.fit.memory import Estimate, Request, Subject, estimate, largest_context
from llmstack_tui.fit.metadata import of_header, of_metadata
from llmstack_tui.fit.room import repacked_on
from llmstack_tui.fit.verdict import Room, Verdict, verdict
from llmstack_tui.gguf.header import InvalidGGUF, read_header
from llmstack_tui.hosts.errors import HostError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from llmstack_tui.cli.options import Parser
    from llmstack_tui.core.open import Core
    from llmstack_tui.core.stack import Stack
    from llmstack_tui.core.types import Measured
    from llmstack_tui.hardware.profile import Profile
    from llmstack_tui.hosts.types import Model

_BASES = {
    "measured": "measured here before",
    "formula": "by the shape of the model",
    "file size": "by the size of the file alone",
}


def add_options(parser: Parser) -> None:
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


async def run(core: Core, options: Namespace) -> int:
    report = await _find(core, options)
    if options.json:
        output.write_document(report.document())
    else:
        report.write()
    return 0


async def _find(core: Core, options: Namespace) -> _FitReport:
    """Of a file if there is one of that name, else of a model of a server, of the catalog or a registry.

    Raises:
        Failed: it is none of these.
        HostError: it is none of these, and no server answers.
    """
    path = Path(options.name)
    if _is_file(path):
        async with opened(core, ()) as stack:
            return await _of_file(core, options, stack, path)
    if path.suffix.lower() == ".gguf":
        raise output.Failed(f"There is no file {options.name!r}: give the path of a GGUF file.")
    try:
        async with opened(core) as stack:
            return await _installed(core, options, stack)
    except (output.Failed, HostError):
        async with opened(core, ()) as stack:
            if (offered := await _offered(core, options, stack)) is not None:
                return offered
        raise


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # A name that no file can have.
        return False


async def _of_file(core: Core, options: Namespace, stack: Stack, path: Path) -> _FitReport:
    profile = await _profile(stack)
    try:
        subject = of_header(read_header(path), repacked_on(profile))
    except InvalidGGUF as error:
        raise output.Failed(str(error)) from None
    return await _report(core, options, stack, path.name, subject, file=path)


async def _installed(core: Core, options: Namespace, stack: Stack) -> _FitReport:
    await look(stack)
    status = locate(stack, options.name)
    if (model := status.model) is None:
        raise output.Failed(f"{status.name} is loaded and no longer installed: `llmstack ps` has it.")
    if model.is_cloud:
        raise output.Failed(f"{status.name} runs in the cloud: it takes no memory here.")
    await _profile(stack)
    return await _report(
        core,
        options,
        stack,
        status.name,
        await stack.fit.look_at(status.host, model),
        host=status.host,
        # Where it is loaded, its own memory counts as room for it.
        room=stack.fit.room(status.running if is_loopback(status.host) else None),
        loads=await _loads(stack, status.host, model),
    )


async def _loads(stack: Stack, host: str, model: Model) -> Sequence[Measured]:
    if stack.records.is_empty or not model.digest:
        return ()
    try:
        return await stack.records.measured(host, model.digest)
    except StoreError as error:
        output.say(str(error))
        return ()


async def _offered(core: Core, options: Namespace, stack: Stack) -> _FitReport | None:
    """A model that is not installed: its shape from the catalog, else the size that a registry tells."""
    await _profile(stack)
    for entry in (await stack.catalog.catalog()).entries:
        for file in entry.files:
            if same_model(options.name, name := entry.name_of(file)):
                return await _report(core, options, stack, name, subject_of(entry, file))
    try:
        offer = await stack.catalog.offer(options.name)
    except (InvalidName, RegistryError):
        return None
    return await _report(core, options, stack, offer.name, of_metadata({}, offer.download))


async def _profile(stack: Stack) -> Profile:
    """What this machine is, which is read now."""
    await stack.machine.read_once()
    assert stack.state.profile is not None  # noqa: S101  # It comes with the reading.
    return stack.state.profile


async def _report(
    core: Core,
    options: Namespace,
    stack: Stack,
    name: str,
    subject: Subject,
    *,
    file: Path | None = None,
    host: str | None = None,
    room: Room | None = None,
    loads: Sequence[Measured] = (),
) -> _FitReport:
    """What the engine would do here, where the options do not say otherwise."""
    usual = subject.request((await core.options(())).usual())
    request = replace(
        usual,
        context_length=options.ctx or usual.context_length,
        parallel=options.parallel or usual.parallel,
        cache_type=options.cache or usual.cache_type,
    )
    room = room or stack.fit.room()
    found = estimate(subject.weights, subject.shape, request, loads)
    largest = None
    if subject.weights is not None and subject.shape is not None and room.budget is not None:
        largest = largest_context(subject.weights, subject.shape, request, room.budget)
    assert stack.state.profile is not None  # noqa: S101  # The machine was read.
    return _FitReport(
        name=name,
        subject=subject,
        file=file,
        host=host,
        request=request,
        estimate=found,
        room=room,
        verdict=verdict(found, room),
        largest=largest,
        profile=stack.state.profile,
    )


class _FitReport(Struct, frozen=True, kw_only=True):
    """What is told of a model. None is unknown, or does not apply."""

    name: str
    subject: Subject
    file: Path | None
    host: str | None
    request: Request
    estimate: Estimate | None
    room: Room
    verdict: Verdict | None
    largest: int | None
    profile: Profile

    def document(self) -> dict[str, object]:
        found, verdict, shape = self.estimate, self.verdict, self.subject.shape
        parts = found.parts if found else None
        return {
            "name": self.name,
            "file": None if self.file is None else str(self.file),
            "host": self.host,
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
            output.write(f"{clean(self.name)}: what memory it takes cannot be told.")
            return
        slots = f", {self.request.parallel} requests at once" if self.request.parallel > 1 else ""
        output.write(
            f"{clean(self.name)} with {found.context_length:,} tokens of context, "
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
        shape = self.subject.shape
        if self.largest is None or shape is None:
            return None
        if self.largest == 0:
            return "No context is short enough for it to fit."
        whole = ", all that it was made for" if self.largest == shape.context_length else ""
        return f"The longest context that fits is {self.largest:,} tokens{whole}."
