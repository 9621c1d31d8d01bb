"""Model names: ``[scheme://][host[:port]/][namespace/]model[:tag]``.

The grammar, the defaults and the comparison are those of Ollama's ``types/model/name.go``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from llmstack_tui.base.address import is_loopback
from llmstack_tui.base.sentences import Failure, said

DEFAULT_SCHEME = "https"
DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

# The first character is a letter, a digit or "_"; the rest differs by part. ASCII only.
_PARTS = {
    "host": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}"),
    "namespace": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"),
    "model": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"),
    "tag": re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"),
}
_SCHEMES = ("http", "https")


class InvalidName(Failure, ValueError):
    """A text that is not a model name."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelName:
    """A fully qualified model name. Names are compared without regard to case.

    The scheme says how to reach the registry; it is not part of a model's identity, and not compared.
    """

    model: str
    tag: str = DEFAULT_TAG
    namespace: str = DEFAULT_NAMESPACE
    host: str = DEFAULT_HOST
    scheme: str = DEFAULT_SCHEME

    def __post_init__(self) -> None:
        for part, pattern in _PARTS.items():
            value: str = getattr(self, part)
            # Each part becomes the name of a file or folder, so it must not be "." or "..".
            if not pattern.fullmatch(value) or value.strip(".") == "":
                raise InvalidName(f"name.bad_{part}", hint="name.characters", text=value)
        if self.scheme not in _SCHEMES:
            raise InvalidName("name.bad_scheme", text=self.scheme)

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """The name that ``text`` stands for, with defaults for the parts that are missing.

        Raises:
            InvalidName: it is none.
        """
        rest, parts = text, dict[str, str]()
        if rest.rfind(":") > rest.rfind("/"):
            rest, _, parts["tag"] = rest.rpartition(":")
        rest, slash, parts["model"] = rest.rpartition("/")
        if slash:
            rest, slash, parts["namespace"] = rest.rpartition("/")
        if slash:
            scheme, found, host = rest.partition("://")
            parts |= {"scheme": scheme, "host": host} if found else {"host": rest}
        try:
            return cls(**parts)
        except InvalidName as error:
            kind = "name.invalid" if text == parts["model"] else "name.invalid_part"
            raise InvalidName(kind, hint="name.examples", text=text, why=said(error)) from None

    @property
    def short(self) -> str:
        """The name as a server lists it: without the default host and namespace, always with the tag."""
        if self.host.lower() != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"
        if self.namespace.lower() != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        """The name with every part but the scheme."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def path_parts(self) -> tuple[str, str, str, str]:
        """Host, namespace, model and tag: the manifest's path below ``manifests/``."""
        return self.host, self.namespace, self.model, self.tag

    @property
    def _key(self) -> tuple[str, ...]:
        return tuple(part.lower() for part in self.path_parts)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, ModelName) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.short


def is_plain_http(name: ModelName) -> bool:
    """Whether the model's registry is asked without TLS: if the name says http://, or it is on this machine.

    The latter because servers list names without their scheme.
    """
    with suppress(ValueError):
        return name.scheme == "http" or is_loopback(f"http://{name.host}")
    return False


@lru_cache(256)
def listed_name(text: str) -> str:
    """The model's name as a server lists it; a text that is not a name is returned as it is."""
    try:
        return ModelName.parse(text).short
    except InvalidName:
        return text


def model_key(text: str) -> str:
    """A key that is the same for every spelling of a model's name; an invalid name is its own key."""
    try:
        return ModelName.parse(text).full.lower()
    except InvalidName:
        return text


def same_model(one: str, other: str) -> bool:
    """Whether two texts name the same model; invalid names are compared as they are."""
    return model_key(one) == model_key(other)
