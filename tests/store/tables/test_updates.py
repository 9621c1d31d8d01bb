"""What registries said, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # read by msgspec
from typing import TYPE_CHECKING

from llmstack_tui.store.store import Store
from tests.store.samples import HOST, NOW, OTHER_HOST, later

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Answer:
    digest: str
    checked_at: datetime


@dataclass(frozen=True)
class OtherAnswer:
    digest: int


async def test_the_last_answer_of_each_name_is_kept(path: Path) -> None:
    async with await Store.open(path) as store:
        store.updates.save("tiny", Answer("old", NOW), NOW)
        store.updates.save("tiny", Answer("new", later()), later())
        store.updates.save("big", Answer("x", NOW), NOW)
    async with await Store.open(path) as store:
        assert await store.updates.load(Answer) == {"tiny": Answer("new", later()), "big": Answer("x", NOW)}


async def test_an_answer_of_another_shape_is_none(store: Store) -> None:
    store.updates.save("tiny", Answer("x", NOW), NOW)
    store.updates.save("big", OtherAnswer(7), NOW)
    assert await store.updates.load(OtherAnswer) == {"big": OtherAnswer(7)}


async def test_what_is_left_alone_belongs_to_a_host(store: Store) -> None:
    store.updates.leave_alone(HOST, "tiny", "a")
    store.updates.leave_alone(HOST, "tiny", "")
    store.updates.leave_alone(OTHER_HOST, "tiny", "b")
    store.updates.leave_alone(OTHER_HOST, "big", "c")
    store.updates.offer_again(OTHER_HOST, "big")
    assert await store.updates.left_alone() == {(HOST, "tiny"): "", (OTHER_HOST, "tiny"): "b"}
