"""Whether a model is up to date, from what is known of the copy and what its registry said. Pure.

A copy equals the registry's version if its manifest has the same digest, a digest of the same content in
another encoding (`library.manifest.reencoded`), or the same layers and config. Any other copy is stale,
unless it was changed on its machine. The manifest on disk tells whether it was (by its last byte). Without
access to the disk a copy counts as perhaps changed if it was written after the registry got its version, as
in Ollama. Copying a folder also changes its times, so a later time never makes a copy up to date.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # see datetime
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from llmstack_tui.base.languages import later
from llmstack_tui.base.sentences import Sentence, Sentences
from llmstack_tui.library.manifest import Manifest, MediaType, bare_digest, reencoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.library.manifest import Layer


class UpdateState(StrEnum):
    """LOCAL: not in the registry, or made on its machine. UNKNOWN: `Update.reason` says why."""

    CURRENT = "current"
    STALE = "stale"
    LOCAL = "local"
    CLOUD = "cloud"
    UNKNOWN = "unknown"


class Change(StrEnum):
    """The parts of a model that differ. CONFIG: only if no other part does."""

    WEIGHTS = later("weights")
    PROJECTOR = later("projector")
    ADAPTER = later("adapter")
    TEMPLATE = later("template")
    SYSTEM = later("system")
    PARAMETERS = later("parameters")
    MESSAGES = later("messages")
    LICENSE = later("license")
    OTHER = later("other")
    CONFIG = later("config")


class LeftAlone(StrEnum):
    """Which updates of a model the user does not want: this version, or any."""

    VERSION = later("version")
    FOR_GOOD = later("for good")


_KINDS: Mapping[str, Change] = {
    MediaType.MODEL: Change.WEIGHTS,
    MediaType.PROJECTOR: Change.PROJECTOR,
    MediaType.ADAPTER: Change.ADAPTER,
    MediaType.TEMPLATE: Change.TEMPLATE,
    MediaType.PROMPT: Change.TEMPLATE,
    MediaType.SYSTEM: Change.SYSTEM,
    MediaType.PARAMETERS: Change.PARAMETERS,
    MediaType.MESSAGES: Change.MESSAGES,
    MediaType.LICENSE: Change.LICENSE,
}
_NOTHING: frozenset[str] = frozenset()


class Copy(Struct, frozen=True, kw_only=True):
    """What is known of an installed model.

    Attributes:
        digest: of its manifest, hexadecimal, as listed by the host; empty if the host does not tell.
        modified_at: when its manifest was written.
        manifest: from the disk, if that can be read.
        made_here: the manifest on disk was written by ``create`` on that machine, not by a pull.
        shown: if the disk cannot be read, digests (``sha256:…``) by part, from what the server shows: of the
            weights, and of each text that occurs at most once.
        there: the digests of the blobs that its host has already; None if not known.
    """

    host: str
    name: str
    digest: str
    modified_at: datetime | None = None
    is_cloud: bool = False
    manifest: Manifest | None = None
    made_here: bool = False
    shown: Mapping[Change, str] | None = None
    there: frozenset[str] | None = None

    @classmethod
    def of(cls, host: str, model: Model) -> Self:
        """From a host's list."""
        return cls(
            host=host,
            name=model.name,
            digest=model.digest,
            modified_at=model.modified_at,
            is_cloud=model.is_cloud,
        )


class RegistryAnswer(Struct, frozen=True, kw_only=True):
    """What a registry said of one name.

    Attributes:
        digest: of its version; None if it never told.
        manifest: of that version, if it was needed.
        missing: it has no such model.
        was_there: it had the model when it was asked before, so the model may come back.
        checked_at: when it last answered; None if it never did.
        problems: why a later question failed; else empty.
    """

    digest: str | None = None
    manifest: Manifest | None = None
    pushed_at: datetime | None = None
    etag: str | None = None
    missing: bool = False
    was_there: bool = False
    checked_at: datetime | None = None
    problems: Sentences = ()


class Question(Struct, frozen=True):
    """A name to ask for.

    Attributes:
        key: the same for all spellings of the name (`model_key`).
        digests: of its copies. If all equal the registry's, its manifest is not needed.
        before: the last answer.
    """

    key: str
    name: ModelName
    digests: frozenset[str]
    before: RegistryAnswer | None = None


class Update(Struct, frozen=True, kw_only=True):
    """The verdict on one model.

    Attributes:
        changed: the parts that differ in the registry's version, the most important first.
        download: bytes that an update fetches; None if not known.
        at_most: ``download`` is an upper bound, as it is not known which layers the host has.
        changed_here: it was, or may have been, changed on its machine: update it only after asking the user.
        digest: of the registry's version.
        reason: why it is unknown or local.
        problems: why the last check failed, if the verdict is from an older one.
    """

    state: UpdateState
    changed: tuple[Change, ...] = ()
    download: int | None = None
    at_most: bool = False
    checked_at: datetime | None = None
    changed_here: bool = False
    left_alone: LeftAlone | None = None
    digest: str | None = None
    pushed_at: datetime | None = None
    reason: Sentences = ()
    problems: Sentences = ()

    @property
    def is_wanted(self) -> bool:
        """Whether there is an update that the user did not turn down."""
        return self.state is UpdateState.STALE and self.left_alone is None

    @property
    def is_for_all(self) -> bool:
        """Whether it is part of "update all": nothing that was changed on the machine would be lost."""
        return self.is_wanted and not self.changed_here


def judge(copy: Copy, answer: RegistryAnswer | None, left_alone: str | None = None) -> Update:
    """Judge one copy.

    Args:
        answer: None if the registry was never asked.
        left_alone: the digest of the version that the user does not want, "" for all of them, None for none.
    """
    if copy.is_cloud:
        return Update(state=UpdateState.CLOUD, reason=(Sentence("version.cloud"),))
    if answer is None or (answer.digest is None and not answer.missing):
        if copy.made_here:
            return Update(state=UpdateState.LOCAL, reason=(Sentence("version.made_here"),))
        problems = answer.problems if answer else ()
        reason = problems or (Sentence("version.not_checked"),)
        return Update(state=UpdateState.UNKNOWN, reason=reason, problems=problems)
    return _judged(copy, answer, _left(left_alone, answer))


def is_equal(copy: Copy, answer: RegistryAnswer) -> bool:
    """Whether the copy is the registry's version, in any encoding."""
    if not copy.digest or answer.digest is None:
        return False
    if copy.digest == answer.digest:
        return True
    theirs = answer.manifest
    if theirs is None or theirs.digest != answer.digest:
        return False
    if copy.digest in reencoded(theirs):
        return True
    if copy.manifest is not None:
        return _digests(copy.manifest.blobs) == _digests(theirs.blobs)
    # Equal weights are no proof, but nothing more is known; a push after the copy was written outweighs them.
    return _same_weights(copy, theirs) and not _is_pushed_later(copy, answer)


def _judged(copy: Copy, answer: RegistryAnswer, left_alone: LeftAlone | None) -> Update:
    def verdict(
        state: UpdateState,
        reason: Sentences = (),
        *,
        changed: tuple[Change, ...] = (),
        download: int | None = None,
        changed_here: bool = False,
    ) -> Update:
        return Update(
            state=state,
            reason=reason,
            changed=changed,
            download=download,
            at_most=download is not None and copy.there is None,
            changed_here=changed_here,
            left_alone=left_alone,
            checked_at=answer.checked_at,
            digest=answer.digest,
            pushed_at=answer.pushed_at,
            problems=answer.problems,
        )

    if answer.missing:
        missing = "version.not_in_registry_any_more" if answer.was_there else "version.not_in_registry"
        return verdict(UpdateState.LOCAL, (Sentence(missing),))
    if is_equal(copy, answer):
        return verdict(UpdateState.CURRENT)
    theirs, unknown = answer.manifest, _why_unknown(copy, answer)
    if theirs is None or unknown:
        return verdict(UpdateState.UNKNOWN, unknown)
    changed, download = changes(copy, theirs), missing_bytes(copy, theirs)
    if copy.made_here:
        reason = Sentence("version.changed_here")
        state = UpdateState.LOCAL
    elif copy.manifest is None and not _is_pushed_later(copy, answer, if_unknown=True):
        reason = Sentence("version.maybe_changed_here")
        state = UpdateState.UNKNOWN
    else:
        return verdict(UpdateState.STALE, changed=changed, download=download)
    return verdict(state, (reason,), changed=changed, download=download, changed_here=True)


def _why_unknown(copy: Copy, answer: RegistryAnswer) -> Sentences:
    """Why the two cannot be compared; empty if they can."""
    if not copy.digest:
        return (Sentence("version.no_digest"),)
    if is_newer_than(copy, answer) and not copy.made_here:
        return (Sentence("version.came_after"),)
    if answer.manifest is None or answer.manifest.digest != answer.digest:
        return (Sentence("version.not_compared"),)
    return ()


def is_newer_than(copy: Copy, answer: RegistryAnswer) -> bool:
    """Whether the copy was written after the registry answered, and so may be newer than the answer."""
    if copy.modified_at is None or answer.checked_at is None:
        return False
    return answer.checked_at < copy.modified_at


def changes(copy: Copy, theirs: Manifest) -> tuple[Change, ...]:
    """The parts that differ in the registry's version."""
    found = _of_layers(copy.manifest, theirs) if copy.manifest is not None else _of_shown(copy, theirs)
    if not found:
        unseen = Change.PARAMETERS if copy.manifest is None else Change.CONFIG
        return (unseen,)
    return tuple(change for change in Change if change in found)


def missing_bytes(copy: Copy, theirs: Manifest) -> int:
    """Bytes of the layers that the host is not known to have."""
    have = set(copy.there or _NOTHING)
    have |= set(map(bare_digest, (copy.shown or {}).values()))
    if copy.manifest is not None and copy.there is None:
        have |= _digests(copy.manifest.blobs)
    sizes = {bare_digest(layer.digest): layer.size for layer in theirs.blobs}
    return sum(size for digest, size in sizes.items() if digest not in have)


def _of_layers(ours: Manifest, theirs: Manifest) -> set[Change]:
    one, other = _by_kind(ours.layers), _by_kind(theirs.layers)
    return {kind for kind in one.keys() | other.keys() if one.get(kind) != other.get(kind)}


def _of_shown(copy: Copy, theirs: Manifest) -> set[Change]:
    """The parts that differ, among those that the server shows and the registry has exactly once."""
    layers = _by_kind(theirs.layers)
    return {
        kind
        for kind, digest in (copy.shown or {}).items()
        if len(layers.get(kind, _NOTHING)) == 1 and bare_digest(digest) not in layers[kind]
    }


def _by_kind(layers: Iterable[Layer]) -> dict[Change, frozenset[str]]:
    found: dict[Change, frozenset[str]] = {}
    for layer in layers:
        kind = _KINDS.get(layer.media_type, Change.OTHER)
        found[kind] = found.get(kind, _NOTHING) | {bare_digest(layer.digest)}
    return found


def _same_weights(copy: Copy, theirs: Manifest) -> bool:
    weights = (copy.shown or {}).get(Change.WEIGHTS)
    return weights is not None and _by_kind(theirs.layers).get(Change.WEIGHTS) == frozenset(
        {bare_digest(weights)}
    )


def _is_pushed_later(copy: Copy, answer: RegistryAnswer, *, if_unknown: bool = False) -> bool:
    """Whether the version was pushed after the copy was written. Registries tell whole seconds."""
    if copy.modified_at is None or answer.pushed_at is None:
        return if_unknown
    return int(answer.pushed_at.timestamp()) >= int(copy.modified_at.timestamp())


def _left(left_alone: str | None, answer: RegistryAnswer) -> LeftAlone | None:
    if left_alone == "":
        return LeftAlone.FOR_GOOD
    return LeftAlone.VERSION if left_alone is not None and left_alone == answer.digest else None


def _digests(layers: Iterable[Layer]) -> frozenset[str]:
    return frozenset(bare_digest(layer.digest) for layer in layers)
