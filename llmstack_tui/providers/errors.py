"""One error per kind of failure, the same for every provider. Their sentences stand in ``wording``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Param


class ProviderError(Failure):
    """A request to a provider failed. Its ``str`` is what a person reads.

    Attributes:
        provider: its name.
        status: of the HTTP answer, where there was one.
        retry_after_s: seconds after which the provider wants to be asked again, where it said so.
    """

    may_retry = False
    """Whether the same request may succeed a little later."""

    def __init__(
        self,
        kind: str,
        /,
        *,
        provider: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        hint: str = "",
        **params: Param,
    ) -> None:
        super().__init__(kind, hint=hint, provider=provider, **params)
        self.provider = provider
        self.status = status
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        from llmstack_tui.base.wording import Wording  # noqa: PLC0415  # for who shows an error
        from llmstack_tui.hosts.wording import SENTENCES as HOSTS  # noqa: PLC0415
        from llmstack_tui.ollama.wording import SENTENCES as OLLAMA  # noqa: PLC0415
        from llmstack_tui.openai.wording import SENTENCES as OPENAI  # noqa: PLC0415
        from llmstack_tui.providers.wording import SENTENCES  # noqa: PLC0415

        catalogue = {**HOSTS, **OLLAMA, **OPENAI, **SENTENCES}
        return Wording(catalogue.get).words(self)


class CannotDo(ProviderError):
    """The provider or the model cannot do what was asked. Nothing was sent."""


class NotReachable(ProviderError):
    """Nothing answers at the address, or not in time."""

    may_retry = True


class NoAccess(ProviderError):
    """There is no key, or it is wrong, expired, or has no right to this (401, 403)."""


class NoQuota(ProviderError):
    """The account has nothing left to spend (402, or 429 that says so)."""


class TooMany(ProviderError):
    """Too many requests for now (429)."""

    may_retry = True


class UnknownModel(ProviderError):
    """The provider does not have this model."""


class WrongRequest(ProviderError):
    """The provider refuses the request as it is (another 4xx)."""


class Blocked(ProviderError):
    """The provider's safety rules refuse the question or the answer."""


class Overloaded(ProviderError):
    """The provider failed or has no room (5xx)."""

    may_retry = True


class BadAnswer(ProviderError):
    """The answer was not what the protocol says: not JSON, cut in the middle, of an unknown shape."""


class WrongSetup(ProviderError):
    """A variable, a setting or a file about providers makes no sense."""


class NoProvider(ProviderError):
    """No provider can be asked: none is set up, or all of them failed."""
