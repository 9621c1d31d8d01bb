"""Questions, forms and waits."""

from __future__ import annotations

from msgspec import Struct


class Answer(Struct, frozen=True):
    """One of a question: ``value`` is what the question returns. A dangerous answer is shown as one."""

    value: str
    label: str
    dangerous: bool = False
