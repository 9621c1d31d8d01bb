"""A provider whose answers a test writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.providers.prices import NOTHING
from llmstack_tui.providers.types import Ability, Ending, EndReason, Health, ModelFacts, Piece, Vectors
from llmstack_tui.providers.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmstack_tui.providers.prices import Cost
    from llmstack_tui.providers.types import ChatRequest, EmbedRequest, TextRequest

Step = Piece | Exception
USED = Usage(prompt_tokens=1, answer_tokens=1)


def done(name: str) -> Piece:
    return Piece(ending=Ending(reason=EndReason.STOP, usage=USED, provider=name))


class ScriptedProvider:
    """Each request is answered by the next script; the last one serves for all that follow.

    Attributes:
        models_asked: the model of each request.
        open: answers that are not closed.
    """

    def __init__(self, name: str, *scripts: list[Step], abilities: Ability = Ability.CHAT) -> None:
        self.name = name
        self.abilities = abilities
        self.models_asked: list[str] = []
        self.open = 0
        self.is_closed = False
        self._scripts = list(scripts) or [[Piece(text=f"I am {name}."), done(name)]]

    async def chat(self, request: ChatRequest | TextRequest) -> AsyncGenerator[Piece, None]:
        self.models_asked.append(request.model)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.open += 1
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.open -= 1

    generate = chat

    async def embed(self, request: EmbedRequest) -> Vectors:
        self.models_asked.append(request.model)
        if isinstance(step := self._scripts.pop(0)[0], Exception):
            raise step
        return Vectors(vectors=((1.0,),) * len(request.texts), usage=USED)

    async def models(self) -> tuple[ModelFacts, ...]:
        return (ModelFacts(name=f"{self.name}-1"),)

    async def model(self, name: str) -> ModelFacts:
        return ModelFacts(name=name)

    async def is_available(self) -> bool:
        return True

    async def health(self) -> Health:
        return Health(is_healthy=True, latency_s=0.0)

    def cost(self, model: str, usage: Usage) -> Cost | None:
        return NOTHING

    async def aclose(self) -> None:
        self.is_closed = True
