"""What a request cost, and whether its prompt was cut: one frozen value, and rules on it."""

from __future__ import annotations

from msgspec import Struct


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens and seconds of one request; None is not known, never 0.

    Attributes:
        sent_tokens: of the prompt, as we counted or estimated them before it was sent.
        prompt_tokens: of the prompt, as the server counted it; without what was cut.
        evaluated_tokens: those of the prompt that were read now, not taken from a cache.
        answer_tokens: of the answer, with its reasoning.
        reasoning_tokens: those of the answer that were reasoning.
        load_s, prompt_s, answer_s: by the server's clock: loading, reading the prompt, writing the answer.
        first_s, total_s: by our clock: from the request to the first token, and to the end.
        context_length: tokens of prompt and answer together that the model was loaded with.
    """

    sent_tokens: int | None = None
    prompt_tokens: int | None = None
    evaluated_tokens: int | None = None
    answer_tokens: int | None = None
    reasoning_tokens: int | None = None
    load_s: float | None = None
    prompt_s: float | None = None
    answer_s: float | None = None
    first_s: float | None = None
    total_s: float | None = None
    context_length: int | None = None

    @property
    def prompt_speed(self) -> float | None:
        """Evaluated tokens per second: what a cache had is no speed."""
        return _speed(self.evaluated_tokens, self.prompt_s)

    @property
    def answer_speed(self) -> float | None:
        """Tokens of the answer per second: as the server timed it, else as it was seen here."""
        if self.answer_s is None and self.first_s is not None and self.total_s is not None:
            return _speed(self.answer_tokens, self.total_s - self.first_s)
        return _speed(self.answer_tokens, self.answer_s)

    @property
    def context_used(self) -> int | None:
        """Tokens of the context that prompt and answer fill."""
        if self.prompt_tokens is None:
            return None
        return self.prompt_tokens + (self.answer_tokens or 0)

    @property
    def cut_tokens(self) -> int:
        """How many tokens of the prompt the server left out, as far as known."""
        if self.sent_tokens is None or self.prompt_tokens is None:
            return 0
        return max(self.sent_tokens - self.prompt_tokens, 0)


def _speed(tokens: int | None, seconds: float | None) -> float | None:
    return tokens / seconds if tokens and seconds else None
