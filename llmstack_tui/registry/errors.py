"""One error per kind of failure of a registry. ``str(error)`` is a sentence for the person at the screen."""

from __future__ import annotations


class RegistryError(Exception):
    """A registry did not answer a request as it should.

    Attributes:
        host: the registry, as written in a model's name.
        detail: the registry's or the system's own words, made safe to show, or an empty string.
        of_one_model: whether only this model is affected, not the whole registry.
    """

    of_one_model = False

    def __init__(self, message: str, *, host: str, detail: str = "") -> None:
        super().__init__(message)
        self.host = host
        self.detail = detail


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

    def __init__(self, message: str, *, host: str, retry_after_s: float) -> None:
        super().__init__(message, host=host)
        self.retry_after_s = retry_after_s


class RegistryFailed(RegistryError):
    """5xx, or another status that a registry should not give."""

    def __init__(self, message: str, *, host: str, status: int, detail: str = "") -> None:
        super().__init__(message, host=host, detail=detail)
        self.status = status


class RegistryUnreachable(RegistryError):
    """Nothing answers at the address, or not in time."""


class BadAnswer(RegistryError):
    """The answer is not a registry's: a web page, endless redirects, not HTTP."""
