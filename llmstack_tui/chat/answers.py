"""Answers that are being written, here and by other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.process_records import identity_of
from llmstack_tui.base.structs import replace
from llmstack_tui.providers.types import ChatMessage, Role

if TYPE_CHECKING:
    from llmstack_tui.chat.types import Turn, TurnState
    from llmstack_tui.providers.types import Piece


class GrowingTurn:
    """An answer that is being written."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self._pieces: list[Piece] = []
        self._written = 0

    def take(self, piece: Piece) -> None:
        self._pieces.append(piece)

    def unwritten(self) -> tuple[str, str]:
        """Text and reasoning that the store has not got."""
        new = self._pieces[self._written :]
        self._written = len(self._pieces)
        return "".join(each.text for each in new), "".join(each.reasoning for each in new)

    def ended(self, state: TurnState, problem: str) -> Turn:
        pieces = self._pieces
        message = ChatMessage(
            role=Role.ASSISTANT,
            text="".join(each.text for each in pieces),
            reasoning="".join(each.reasoning for each in pieces),
            signature="".join(each.signature for each in pieces),
            tool_calls=tuple(call for each in pieces for call in each.tool_calls),
        )
        ending = next((each.ending for each in reversed(pieces) if each.ending is not None), None)
        turn = replace(self.turn, message=message, state=state, problem=problem)
        if ending is None:
            return turn
        return replace(
            turn,
            usage=ending.usage,
            reason=ending.reason,
            model=ending.model or turn.model,
            provider=ending.provider or turn.provider,
        )


def gone_of(writers: set[str]) -> set[str]:
    """Those of these processes that run no more. Blocking."""
    gone = set[str]()
    for writer in writers:
        pid, _, identity = writer.partition(" ")
        if not (pid.isdecimal() and identity and identity_of(int(pid)) == identity):
            gone.add(writer)
    return gone
