"""Whether a model is up to date: rules over what is known of a copy and what its registry said. Pure.

Equal is what has the same digest, or one of those that its content has where it was written anew
(`registry.manifest`), or the same layers and config. Only what is none of these may be stale, and not even
that where the copy was changed here: on disk its last byte tells; else, as Ollama reckons, it was written
after the registry got its version. A copied folder has new times too, so this never makes it up to date.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # see datetime
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations of what is kept as JSON
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.library.manifest import Manifest, MediaType, bare_digest, reencoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmstack_tui.base.names import ModelName
    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.hosts.types import Model
    from llmstack_tui.library.manifest import Layer


class UpdateState(StrEnum):
    """LOCAL is in no registry, or made on its machine; UNKNOWN has a reason."""

    CURRENT = "current"
    STALE = "stale"
    LOCAL = "local"
    CLOUD = "cloud"
    UNKNOWN = "unknown"


class Change(StrEnum):
    """What of a model is another. CONFIG only where nothing else is."""

    WEIGHTS = "weights"
    PROJECTOR = "projector"
    ADAPTER = "adapter"
    TEMPLATE = "template"
    SYSTEM = "system"
    PARAMETERS = "parameters"
    MESSAGES = "messages"
    LICENSE = "license"
    OTHER = "other"
    CONFIG = "config"


class LeftAlone(StrEnum):
    """A model whose updates the user does not want: this one, or any."""

    VERSION = "version"
    FOR_GOOD = "for good"


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
    """An installed model, as far as it is known.

    Attributes:
        digest: hexadecimal, of its manifest as the host lists it; empty if the host does not say.
        modified_at: when its manifest was written.
        manifest: as it is on disk, where that may be read.
        made_here: the manifest on disk was written by ``create`` on that machine, and not by a pull.
        shown: where the disk may not be read, digests (``sha256:…``) by the part that they are of, from what
            the server shows: the weights, and each text of which there can be one.
        there: the digests of blobs that its host has already; None where that is not known.
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
        """What the list of a host tells."""
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
        digest: of its version; None when it was never told.
        manifest: of that version, where it was needed.
        missing: it has no such model.
        was_there: it had one when it was asked before: it may come back.
        checked_at: when it said so; None when it never did.
        problem: why the last question, after ``checked_at``, was not answered: a sentence.
    """

    digest: str | None = None
    manifest: Manifest | None = None
    pushed_at: datetime | None = None
    etag: str | None = None
    missing: bool = False
    was_there: bool = False
    checked_at: datetime | None = None
    problem: str = ""


class Question(Struct, frozen=True):
    """A name to ask for.

    Attributes:
        key: the name as it is the same for all ways to write it.
        digests: of its copies: where all are the registry's, its manifest is not needed.
        before: the last answer.
    """

    key: str
    name: ModelName
    digests: frozenset[str]
    before: RegistryAnswer | None = None


class Update(Struct, frozen=True, kw_only=True):
    """The verdict on one model.

    Attributes:
        changed: what is another in the registry's version, the weightiest first.
        download: bytes that an update fetches; None when that is not known.
        at_most: ``download`` is an upper bound: nobody knows which layers the host has.
        changed_here: it differs from the registry's version because, or perhaps because, it was changed on
            its machine: to be updated only after a question.
        digest: of the registry's version.
        reason: why it is unknown or local.
        problem: why the last check failed, when the verdict is older: words of an error.
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
    problem: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether there is an update that the user did not say to leave."""
        return self.state is UpdateState.STALE and self.left_alone is None

    @property
    def is_for_all(self) -> bool:
        """Whether it is part of "update all": nothing that somebody made here is lost by it."""
        return self.is_wanted and not self.changed_here


def judge(copy: Copy, answer: RegistryAnswer | None, left_alone: str | None = None) -> Update:
    """The verdict.

    Args:
        answer: None if the registry was never asked.
        left_alone: the digest of the version that is not wanted, "" for all of them, None for none.
    """
    if copy.is_cloud:
        return Update(state=UpdateState.CLOUD, reason=(Sentence("version.cloud"),))
    if answer is None or (answer.digest is None and not answer.missing):
        if copy.made_here:
            return Update(state=UpdateState.LOCAL, reason=(Sentence("version.made_here"),))
        problem = answer.problem if answer else ""
        reason = quoted(problem) if problem else Sentence("version.not_checked")
        return Update(state=UpdateState.UNKNOWN, reason=(reason,), problem=problem)
    return _judged(copy, answer, _left(left_alone, answer))


def is_equal(copy: Copy, answer: RegistryAnswer) -> bool:
    """Whether the copy is the registry's version, however it is written."""
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
    # The weights alone are no proof, but all that there is; a later push says more.
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
            problem=answer.problem,
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
    if came_after(copy, answer) and not copy.made_here:
        return (Sentence("version.came_after"),)
    if answer.manifest is None or answer.manifest.digest != answer.digest:
        return (Sentence("version.not_compared"),)
    return ()


def came_after(copy: Copy, answer: RegistryAnswer) -> bool:
    """Whether the copy was written after the registry said this, and so may be newer than what it said."""
    if copy.modified_at is None or answer.checked_at is None:
        return False
    return answer.checked_at < copy.modified_at


def changes(copy: Copy, theirs: Manifest) -> tuple[Change, ...]:
    """What is another in the registry's version."""
    found = _of_layers(copy.manifest, theirs) if copy.manifest is not None else _of_shown(copy, theirs)
    if not found:
        unseen = Change.PARAMETERS if copy.manifest is None else Change.CONFIG
        return (unseen,)
    return tuple(change for change in Change if change in found)


def missing_bytes(copy: Copy, theirs: Manifest) -> int:
    """Bytes of the layers that are not there; what nobody knows to be there counts."""
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
    """Only parts that the server shows and of which the registry has exactly one can be compared."""
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
    """Whether the registry got its version after the copy was written. It tells whole seconds."""
    if copy.modified_at is None or answer.pushed_at is None:
        return if_unknown
    return int(answer.pushed_at.timestamp()) >= int(copy.modified_at.timestamp())


def _left(left_alone: str | None, answer: RegistryAnswer) -> LeftAlone | None:
    if left_alone == "":
        return LeftAlone.FOR_GOOD
    return LeftAlone.VERSION if left_alone is not None and left_alone == answer.digest else None


def _digests(layers: Iterable[Layer]) -> frozenset[str]:
    return frozenset(bare_digest(layer.digest) for layer in layers)
