"""The verdict on a model, for each form that a copy of it may have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from llmstack_tui.base.sentences import Sentence, quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.updates.rules import Change, LeftAlone, RegistryAnswer, UpdateState, judge
from tests.updates.samples import (
    CHECKED_AT,
    PULLED_AT,
    PUSHED_AFTER,
    answer,
    copy,
    digest,
    on_disk,
    rewritten,
    sent,
)

OLD = {"model": "weights 1", "template": "T", "params": "{}", "license": "MIT"}
SAME = sent(**OLD)
STALE, CURRENT, LOCAL, UNKNOWN = (
    UpdateState.STALE,
    UpdateState.CURRENT,
    UpdateState.LOCAL,
    UpdateState.UNKNOWN,
)


def digest_of(content: bytes) -> str:
    return answer(content).digest or ""


# --- up to date ---


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SAME, id="the bytes that the registry sent: since 0.19"),
        pytest.param(rewritten(SAME), id="written anew by a pull before 0.19"),
        pytest.param(rewritten(SAME, end=b"\n"), id="made here from the same layers"),
    ],
)
@pytest.mark.parametrize("pushed_at", [PUSHED_AFTER, None])
def test_each_form_of_the_same_version_is_known_by_its_digest_alone(form: bytes, pushed_at: Any) -> None:
    assert judge(copy(digest_of(form)), answer(SAME, pushed_at=pushed_at)).state is CURRENT


@pytest.mark.parametrize(
    "form",
    [
        rewritten(SAME, end=b"\n", source="base:latest"),
        rewritten(SAME, source="base:latest"),
        SAME.replace(b" ", b""),
    ],
)
def test_a_form_that_cannot_be_foreseen_is_known_by_its_layers(form: bytes) -> None:
    assert judge(on_disk(form), answer(SAME, pushed_at=PUSHED_AFTER)).state is CURRENT


def test_a_registry_that_sends_the_name_that_a_layer_is_from() -> None:
    theirs = rewritten(SAME, source="base:latest")
    for form in (SAME, rewritten(SAME), theirs, theirs + b"\n"):
        assert judge(on_disk(form), answer(theirs, pushed_at=PUSHED_AFTER)).state is CURRENT
    for form in (rewritten(SAME), rewritten(SAME, end=b"\n"), theirs, theirs + b"\n"):
        assert judge(copy(digest_of(form)), answer(theirs, pushed_at=PUSHED_AFTER)).state is CURRENT


def test_equal_digests_need_no_manifest() -> None:
    told = RegistryAnswer(digest=digest_of(SAME), checked_at=CHECKED_AT)
    update = judge(copy(digest_of(SAME)), told)
    assert (update.state, update.checked_at, update.download) == (CURRENT, CHECKED_AT, None)


def test_the_same_weights_are_all_that_a_distant_host_shows() -> None:
    theirs = copy("f" * 64, shown={Change.WEIGHTS: digest("weights 1").removeprefix("sha256:")})
    assert judge(theirs, answer(SAME)).state is CURRENT
    assert judge(theirs, answer(SAME, pushed_at=None)).state is CURRENT


# --- stale ---


@pytest.mark.parametrize(
    ("new", "changed", "download"),
    [
        ({"model": "weights 2"}, [Change.WEIGHTS], 4_000_000_480),
        ({"params": "{1}"}, [Change.PARAMETERS], 77 + 480),
        ({"template": "T2"}, [Change.TEMPLATE], 300 + 480),
        ({"license": "GPL"}, [Change.LICENSE], 11_000 + 480),
        ({"system": "Be kind."}, [Change.SYSTEM], 40 + 480),
        ({"projector": "eyes"}, [Change.PROJECTOR], 500 + 480),
        ({"odd": "?"}, [Change.OTHER], 500 + 480),
        ({"license": "GPL", "model": "w"}, [Change.WEIGHTS, Change.LICENSE], 4_000_011_480),
        ({"config": "another"}, [Change.CONFIG], 480),
    ],
)
def test_what_changed_and_what_it_costs(new: dict[str, str], changed: list[Change], download: int) -> None:
    update = judge(on_disk(SAME), answer(sent(**{**OLD, **new}), pushed_at=PUSHED_AFTER))
    assert (update.state, list(update.changed), update.download) == (STALE, changed, download)
    assert update.at_most, "another model may have some of it"
    assert update.is_wanted


def test_a_part_that_is_gone_is_a_change() -> None:
    gone = {kind: text for kind, text in OLD.items() if kind != "template"}
    assert judge(on_disk(SAME), answer(sent(**gone), pushed_at=PUSHED_AFTER)).changed == (Change.TEMPLATE,)


def test_layers_that_other_models_brought_are_not_fetched() -> None:
    there = frozenset({digest("weights 2").removeprefix("sha256:")})
    update = judge(on_disk(SAME, there=there), answer(sent(**{**OLD, "model": "weights 2"})))
    # Nothing else is there: somebody removed it.
    assert (update.download, update.at_most) == (480 + 300 + 77 + 11_000, False)


def test_what_nothing_is_known_of_is_an_upper_bound() -> None:
    update = judge(copy("f" * 64), answer(SAME, pushed_at=PUSHED_AFTER))
    assert (update.state, update.download, update.at_most) == (STALE, 4_000_000_480 + 300 + 77 + 11_000, True)


def test_a_distant_host_that_has_the_weights() -> None:
    shown = {Change.WEIGHTS: digest("weights 1").removeprefix("sha256:"), Change.TEMPLATE: digest("T1")}
    update = judge(copy("f" * 64, shown=shown), answer(SAME, pushed_at=PUSHED_AFTER))
    assert (update.state, update.changed) == (STALE, (Change.TEMPLATE,))
    assert (update.download, update.at_most) == (480 + 300 + 77 + 11_000, True)
    shown[Change.TEMPLATE] = digest("T")
    assert judge(copy("f" * 64, shown=shown), answer(SAME, pushed_at=PUSHED_AFTER)).changed == (
        Change.PARAMETERS,
    )


def test_a_copied_folder_has_fresh_times_and_is_stale_all_the_same_when_it_may_be_read() -> None:
    pulled = on_disk(rewritten(sent(**{**OLD, "model": "weights 0"})))
    assert judge(pulled, answer(SAME)).state is STALE


@pytest.mark.parametrize(("seconds", "state"), [(-1, UNKNOWN), (0, STALE), (1, STALE)])
def test_a_push_in_the_second_of_the_pull_counts_as_later(seconds: int, state: UpdateState) -> None:
    pushed_at = PULLED_AT.replace(microsecond=0) + timedelta(seconds=seconds)
    assert judge(copy("f" * 64), answer(SAME, pushed_at=pushed_at)).state is state


# --- changed or made here ---


def test_what_is_younger_than_the_push_may_have_been_changed_here() -> None:
    update = judge(copy("f" * 64), answer(SAME))
    assert (update.state, update.changed_here, update.is_wanted) == (UNKNOWN, True, False)
    assert update.reason == (Sentence("version.maybe_changed_here"),)
    assert update.download is not None


@pytest.mark.parametrize("pushed_at", [PUSHED_AFTER, None])
def test_what_was_changed_here_under_a_registry_name_is_never_stale(pushed_at: Any) -> None:
    form = rewritten(sent(**{**OLD, "system": "mine"}), end=b"\n")
    update = judge(on_disk(form, made_here=True), answer(SAME, pushed_at=pushed_at))
    assert (update.state, update.changed_here) == (LOCAL, True)


def test_made_here_and_not_asked() -> None:
    made = on_disk(rewritten(SAME, end=b"\n"), made_here=True)
    assert judge(made, None).state is LOCAL
    assert judge(made, RegistryAnswer(problems=(quoted("It failed."),))).state is LOCAL


def test_not_in_the_registry() -> None:
    update = judge(copy("f" * 64), RegistryAnswer(missing=True, checked_at=CHECKED_AT))
    assert (update.state, update.checked_at) == (LOCAL, CHECKED_AT)


def test_what_runs_elsewhere() -> None:
    assert judge(copy("", is_cloud=True), answer(SAME)).state is UpdateState.CLOUD


# --- unknown ---


@pytest.mark.parametrize(
    ("known", "told", "reason"),
    [
        (copy("f" * 64), None, Sentence("version.not_checked")),
        (copy("f" * 64), RegistryAnswer(problems=(quoted("hf.co failed."),)), quoted("hf.co failed.")),
        (copy(""), answer(SAME), Sentence("version.no_digest")),
        (
            copy("f" * 64),
            RegistryAnswer(digest="a" * 64, checked_at=CHECKED_AT),
            Sentence("version.not_compared"),
        ),
        (copy("f" * 64), replace(answer(SAME), digest="a" * 64), Sentence("version.not_compared")),
    ],
)
def test_what_is_not_known_has_a_reason(known: Any, told: Any, reason: Sentence) -> None:
    update = judge(known, told)
    assert update.state is UNKNOWN
    assert update.reason == (reason,)


def test_an_old_answer_stands_with_the_reason_why_there_is_no_new_one() -> None:
    update = judge(copy(digest_of(SAME)), answer(SAME, problems=(quoted("registry.ollama.ai failed."),)))
    assert (update.state, update.checked_at) == (CURRENT, CHECKED_AT)
    assert update.problems == (quoted("registry.ollama.ai failed."),)


def test_an_update_that_is_not_wanted() -> None:
    old, new = on_disk(sent(**{**OLD, "model": "weights 0"})), answer(SAME)
    assert judge(old, new, new.digest).left_alone is LeftAlone.VERSION
    assert judge(old, new, "").left_alone is LeftAlone.FOR_GOOD
    assert judge(old, new, "e" * 64).left_alone is None, "another version"
    assert not judge(old, new, "").is_wanted
    assert judge(old, new, "").state is STALE


def test_a_copy_that_came_after_the_answer_is_neither_old_nor_changed() -> None:
    later = CHECKED_AT + timedelta(seconds=1)
    newer = sent(**{**OLD, "model": "weights 2"})
    for one in (on_disk(newer, modified_at=later), copy(digest_of(newer), modified_at=later)):
        update = judge(one, answer(SAME))
        assert (update.state, update.changed_here, update.is_wanted) == (UNKNOWN, False, False)
    assert judge(on_disk(SAME, modified_at=later), answer(SAME)).state is CURRENT
    made = on_disk(rewritten(newer, end=b"\n"), modified_at=later, made_here=True)
    assert judge(made, answer(SAME)).state is LOCAL
