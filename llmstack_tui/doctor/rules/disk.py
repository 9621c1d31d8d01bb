"""The disk: its space, models that are damaged, files that no model uses, and the state file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.doctor.rules.settings import ollama_process
from llmstack_tui.doctor.types import Finding, FindingState, Fix, FixKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.doctor.facts import DiskFacts, OllamaFacts, StateFacts
    from llmstack_tui.library.use import FolderUse

_GB = 10**9
# Less than a model of 8B takes, and less than the state needs in a bad case.
LITTLE, TOO_LITTLE = 10 * _GB, _GB // 10
# How Go reads a boolean that is false; Ollama takes everything else for true.
_FALSE = ("", "0", "f", "F", "false", "FALSE", "False")


def space(id_: str, disk: DiskFacts) -> Iterator[Finding]:
    if not disk.spaces:
        yield Finding(id=id_, state=FindingState.DOES_NOT_APPLY, says=Sentence("doctor.no_folder"))
        return
    least = min(each.free for _, each in disk.spaces)
    state = FindingState.WARNING if least < LITTLE else FindingState.FINE
    seen = tuple(
        Sentence("doctor.space", {"path": str(path), "free": each.free, "total": each.total})
        for path, each in disk.spaces
    )
    yield Finding(
        id=id_,
        state=FindingState.BROKEN if least < TOO_LITTLE else state,
        says=Sentence("doctor.free", {"free": least}),
        evidence=seen,
        advice=() if state is FindingState.FINE else (Sentence("doctor.free_some"),),
        opens=() if state is FindingState.FINE else ("disk",),
    )


def models(id_: str, disk: DiskFacts) -> Iterator[Finding]:
    """Whether the files of all models are there, as far as that shows without reading them."""
    seen = [*disk.problems]
    about: dict[str, str | int]
    for folder in disk.folders:
        seen += [Sentence("doctor.no_manifest", {"path": str(path)}) for path in folder.unreadable]
        for model in folder.models:
            if count := model.missing + model.changed:
                about = {"model": model.name, "folder": str(folder.path), "count": count}
                seen.append(Sentence("doctor.damaged_model", about))
    if seen:
        yield Finding(
            id=id_,
            state=FindingState.WARNING,
            says=Sentence("doctor.models_damaged"),
            evidence=tuple(seen),
            advice=(Sentence("doctor.verify_models"),),
            opens=("disk",),
        )
    else:
        says = Sentence("doctor.models_whole", {"count": sum(len(each.models) for each in disk.folders)})
        yield Finding(id=id_, state=FindingState.FINE, says=says)


def leftovers(id_: str, disk: DiskFacts) -> Iterator[Finding]:
    """Files that no model uses: whole ones, and downloads that were not finished."""
    found = [each for each in disk.folders if each.leftovers]
    if not found:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.no_leftovers"))
        return
    seen = tuple(Sentence("doctor.leftovers_in", {"folder": str(each.path), **_sum(each)}) for each in found)
    removable = [each for folder in found for each in folder.removable]
    fix = None
    if removable:
        does = {"count": len(removable), "size": sum(each.size for each in removable)}
        fix = Fix(FixKind.CLEAN_DISK, Sentence("doctor.clean", does))
    says = Sentence("doctor.leftovers", {"size": sum(_size(each) for each in found)})
    advice = () if fix else (Sentence("doctor.leftovers_stay"),)
    yield Finding(
        id=id_,
        state=FindingState.ADVICE,
        says=says,
        evidence=seen,
        advice=advice,
        fix=fix,
        opens=() if fix else ("disk",),
    )


def _sum(folder: FolderUse) -> dict[str, int]:
    return {"count": len(folder.leftovers), "size": _size(folder)}


def _size(folder: FolderUse) -> int:
    return sum(each.size for each in folder.leftovers)


def noprune(id_: str, disk: DiskFacts, ollama: OllamaFacts) -> Iterator[Finding]:
    """Whether Ollama was told to keep what no model uses, and there is some."""
    process = ollama_process(ollama)
    running = (process.variables if process else None) or ollama.unit or ollama.exported
    if running.get("OLLAMA_NOPRUNE", "").strip("\"' ") in _FALSE:
        yield Finding(id=id_, state=FindingState.FINE, says=Sentence("doctor.prunes"))
        return
    orphans = [folder for folder in disk.folders if not folder.own and folder.leftovers]
    size = sum(map(_size, orphans))
    yield Finding(
        id=id_,
        state=FindingState.ADVICE if orphans else FindingState.FINE,
        says=Sentence("doctor.noprune", {"size": size}),
        advice=(Sentence("doctor.prune"),) if orphans else (),
        opens=("variables", "OLLAMA_NOPRUNE") if orphans else (),
    )


def state(id_: str, state: StateFacts) -> Iterator[Finding]:
    """Whether the state file is sound; a damaged one is set aside by whoever opens it next."""
    if not state.problem:
        says = Sentence("doctor.state_sound", {"file": state.file})
        yield Finding(id=id_, state=FindingState.FINE, says=says)
        return
    fix = None
    if state.is_damaged:
        undo = Sentence("doctor.old_state", {"file": state.file})
        fix = Fix(FixKind.RENEW_STATE, Sentence("doctor.renew_state", {"file": state.file}), undo)
    says = Sentence("doctor.state_unusable", {"file": state.file})
    advice = () if fix else (Sentence("doctor.place_of_state"),)
    yield Finding(
        id=id_, state=FindingState.BROKEN, says=says, evidence=state.problem, advice=advice, fix=fix
    )
