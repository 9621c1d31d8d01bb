"""One error per kind of failure of a registry. ``str`` of each is a sentence for the person at the screen."""

from __future__ import annotations


class RegistryError(Exception):
    """A registry did not answer a request as it should.

    Attributes:
        host: the registry, as it stands in a model's name.
        detail: the words of the registry or of the system, made safe to show, or an empty string.
        of_one_model: whether the cause is the one model, not the registry.
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
    """401, 403: a private model. Some registries say it of models that are not there, too."""

    of_one_model = True


class BadManifest(RegistryError):
    """The answer is not a manifest that a model can be made from."""

    of_one_model = True


class RegistryBusy(RegistryError):
    """429, or 503 with a time: asked too often.

    Attributes:
        retry_after_s: seconds after which it may be asked again.
    """

    def __init__(self, message: str, *, host: str, retry_after_s: float) -> None:
        super().__init__(message, host=host)
        self.retry_after_s = retry_after_s


class RegistryFailed(RegistryError):
    """5xx, and other statuses that no registry should give."""

    def __init__(self, message: str, *, host: str, status: int, detail: str = "") -> None:
        super().__init__(message, host=host, detail=detail)
        self.status = status


class RegistryUnreachable(RegistryError):
    """Nothing answers there, or not in time."""


class BadAnswer(RegistryError):
    """The answer is not that of a registry: a web page, a redirect in a circle, not HTTP."""
