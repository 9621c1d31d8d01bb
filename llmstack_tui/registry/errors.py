"""One error per kind of failure of a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Failure

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Param


class RegistryError(Failure):
    """A registry did not answer a request as it should.

    Attributes:
        host: the registry, as written in a model's name; its sentence may name it.
        of_one_model: whether only this model is affected, not the whole registry.
    """

    of_one_model = False

    def __init__(self, kind: str, /, *, host: str, **params: Param) -> None:
        super().__init__(kind, hint="", host=host, **params)
        self.host = host


class NotInRegistry(RegistryError):
    """404: there is no such model or tag."""

    of_one_model = True


class NotAllowed(RegistryError):
    """401, 403: the model is private. Some registries answer so for a missing model, too."""

    of_one_model = True


class BadManifest(RegistryError):
    """The answer is not a usable manifest."""

    of_one_model = True


class RegistryBusy(RegistryError):
    """429, or 503 with a Retry-After: the registry was asked too often.

    Attributes:
        retry_after_s: seconds after which it may be asked again.
    """

    def __init__(self, kind: str, /, *, host: str, retry_after_s: float) -> None:
        super().__init__(kind, host=host, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class RegistryFailed(RegistryError):
    """5xx, or another status that a registry should not give."""

    def __init__(self, kind: str, /, *, host: str, status: int, **params: Param) -> None:
        super().__init__(kind, host=host, status=status, **params)
        self.status = status


class RegistryUnreachable(RegistryError):
    """Nothing answers at the address, or not in time."""


class BadRegistryAnswer(RegistryError):
    """The answer is not a registry's: a web page, endless redirects, not HTTP."""
