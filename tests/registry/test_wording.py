"""What is said of registries."""

from __future__ import annotations

import pytest

from llmstack_tui.base.sentences import said
from llmstack_tui.core.wording import words
from llmstack_tui.registry.errors import BadRegistryAnswer, NotAllowed, RegistryBusy, RegistryError

SPACE = "\N{NO-BREAK SPACE}"
BUSY = RegistryBusy("registry.busy", host="a.example", retry_after_s=600.0)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            RegistryError("registry.wants_token", host="b.example", why=said(BUSY)),
            f"b.example wants a token first: a.example has been asked too often: try again in 10{SPACE}min.",
        ),
        (
            NotAllowed("registry.private", host="a.example", model="x/y:z", status=403),
            "a.example does not show x/y:z (status 403): it is private, or not there.",
        ),
        (BadRegistryAnswer("registry.bad_address", host="a\n"), r"'a\n' is no address of a registry."),
    ],
)
def test_errors(error: RegistryError, text: str) -> None:
    assert words(error) == text
