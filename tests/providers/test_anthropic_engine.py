"""Anthropic's protocol, spoken by the built-in engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base.structs import replace
from llmstack_tui.providers import errors
from llmstack_tui.providers.streams import joined
from llmstack_tui.providers.types import EndReason, Parameters, Tool
from tests.engine.api.agents import PARAMETERS
from tests.engine.conftest import engine  # noqa: F401  # a fixture
from tests.providers.clouds import asking, heard, provider
from tests.support.calling import ARGUMENTS
from tests.support.gguf import models

if TYPE_CHECKING:
    from tests.support.engine import Serving


async def test_the_engine_answers_as_anthropic(engine: Serving) -> None:  # noqa: F811
    found = provider("anthropic", engine.url)
    calm = Parameters(temperature=0.0)
    answer = joined(await heard(found, replace(asking(model="tiny"), parameters=calm)))
    assert answer.text == models.ANSWER
    assert answer.ending.reason is EndReason.STOP
    assert answer.ending.usage.answer_tokens == 9

    short = replace(asking(model="endless"), parameters=Parameters(max_tokens=3))
    assert joined(await heard(found, short)).ending.reason is EndReason.LENGTH

    tool = Tool(name="add", purpose="Adds.", schema=PARAMETERS)
    called = joined(await heard(found, replace(asking(model="caller"), tools=(tool,), parameters=calm)))
    assert [call.arguments for call in called.tool_calls] == [ARGUMENTS]
    assert called.ending.reason is EndReason.TOOLS

    with pytest.raises(errors.UnknownModel) as caught:
        await heard(found, asking(model="nobody"))
    assert str(caught.value) == "anthropic has no model nobody."
    await found.aclose()
