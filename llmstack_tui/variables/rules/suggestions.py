"""Which values suit a machine, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.variables.types import Suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmstack_tui.hardware.profile import Profile

_GIB = 2**30
# What fits beside a model of the usual size for such a memory, with a cache of q8_0 below `_AMPLE`.
_CONTEXTS = ((40 * _GIB, 65_536), (20 * _GIB, 32_768), (12 * _GIB, 16_384), (4 * _GIB, 8192), (0, 4096))
# A processor reads a long prompt so slowly that nobody waits for it.
_MOST_ON_CPU = 8192
_AMPLE = 20 * _GIB
_SMALL = 12 * _GIB


def suggestions(profile: Profile | None, sizes: Sequence[int] = ()) -> Mapping[str, Suggestion]:
    """A value for each variable for which the machine matters, by its name.

    Args:
        sizes: bytes of the models that are installed.
    """
    if profile is None or profile.memory_budget is None:
        return {}
    budget, is_cpu = profile.memory_budget, profile.name == "cpu"
    tokens = next(tokens for least, tokens in _CONTEXTS if budget >= least)
    tokens = min(tokens, _MOST_ON_CPU) if is_cpu else tokens
    about: Mapping[str, int | str] = {"size": budget, "memory": profile.memory_word}
    why = "context_on_cpu" if is_cpu and tokens == _MOST_ON_CPU else "context"
    found = {"OLLAMA_CONTEXT_LENGTH": _suggestion(str(tokens), why, about)}
    if not is_cpu:
        found["OLLAMA_FLASH_ATTENTION"] = _suggestion("1", "flash", about)
    if not is_cpu and budget < _AMPLE:
        found["OLLAMA_KV_CACHE_TYPE"] = _suggestion("q8_0", "cache", about)
    if budget < _AMPLE:
        found["OLLAMA_NUM_PARALLEL"] = _suggestion("1", "parallel", about)
    smallest = sorted(sizes)[:2]
    if len(smallest) == 2 and sum(smallest) > budget:
        found["OLLAMA_MAX_LOADED_MODELS"] = _suggestion("1", "one_of_yours", about)
    elif budget < _SMALL:
        found["OLLAMA_MAX_LOADED_MODELS"] = _suggestion("1", "one", about)
    else:
        found["OLLAMA_MAX_LOADED_MODELS"] = _suggestion(str(profile.max_loaded), "several", about)
    return found


def _suggestion(value: str, why: str, about: Mapping[str, int | str]) -> Suggestion:
    return Suggestion(value, Sentence(f"variables.why_{why}", dict(about)))
