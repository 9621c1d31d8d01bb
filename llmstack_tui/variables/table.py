"""The variables that Ollama reads at its start.

Names and defaults are those of the line ``msg="server config"`` in the logs of 0.24 and 0.33, and of ``ollama
serve --help`` there; each was tried with right and wrong values on both.
"""

from __future__ import annotations

from llmstack_tui.base.languages import later
from llmstack_tui.variables.types import OllamaVariable, VariableKind

VARIABLES = (
    OllamaVariable(
        name="OLLAMA_HOST",
        kind=VariableKind.ADDRESS,
        default="127.0.0.1:11434",
        purpose=later("The address at which it listens; 0.0.0.0 lets other machines in, without any key."),
    ),
    OllamaVariable(
        name="OLLAMA_CONTEXT_LENGTH",
        kind=VariableKind.COUNT,
        auto=later("4k, 32k or 256k, by the memory of the cards"),
        since="0.5.13",
        purpose=later("The tokens of context with which models are loaded that say nothing else."),
    ),
    OllamaVariable(
        name="OLLAMA_KEEP_ALIVE",
        kind=VariableKind.DURATION,
        default="5m",
        purpose=later("How long a model stays in memory after its last request; -1 is for ever."),
    ),
    OllamaVariable(
        name="OLLAMA_MAX_LOADED_MODELS",
        kind=VariableKind.COUNT,
        auto=later("3 for each card, or 3"),
        purpose=later("How many models may be in memory at once."),
    ),
    OllamaVariable(
        name="OLLAMA_NUM_PARALLEL",
        kind=VariableKind.COUNT,
        default="1",
        purpose=later("How many requests one model answers at once; each takes memory for its own context."),
    ),
    OllamaVariable(
        name="OLLAMA_FLASH_ATTENTION",
        kind=VariableKind.FLAG,
        auto=later("by the model"),
        purpose=later("Flash attention: less memory for a long context. The cache types need it."),
    ),
    OllamaVariable(
        name="OLLAMA_KV_CACHE_TYPE",
        kind=VariableKind.CHOICE,
        auto="f16",
        choices=("f16", "q8_0", "q4_0"),
        since="0.5.0",
        purpose=later("The type of the memory for the context: q8_0 takes half of f16, q4_0 a quarter."),
    ),
    OllamaVariable(
        name="OLLAMA_MODELS",
        kind=VariableKind.FOLDER,
        auto="~/.ollama/models",
        purpose=later("The folder of the models; its user must be able to write there."),
    ),
    OllamaVariable(
        name="OLLAMA_ORIGINS",
        kind=VariableKind.ORIGINS,
        auto=later("this machine's pages"),
        purpose=later("The web pages that may use it, separated by commas, beside those of this machine."),
    ),
    OllamaVariable(
        name="OLLAMA_GPU_OVERHEAD",
        kind=VariableKind.BYTES,
        default="0",
        purpose=later("Bytes of each card that are left to other programs."),
    ),
    OllamaVariable(
        name="OLLAMA_LOAD_TIMEOUT",
        kind=VariableKind.DURATION,
        default="5m",
        purpose=later("How long a load may stand still before it is given up; 0 is for ever."),
    ),
    OllamaVariable(
        name="OLLAMA_MAX_QUEUE",
        kind=VariableKind.COUNT,
        default="512",
        least=1,
        purpose=later("How many requests may wait; further ones are refused."),
    ),
    OllamaVariable(
        name="OLLAMA_SCHED_SPREAD",
        kind=VariableKind.FLAG,
        default="false",
        purpose=later("Whether a model is spread over all cards, even if one has room for it."),
    ),
    OllamaVariable(
        name="OLLAMA_NOPRUNE",
        kind=VariableKind.FLAG,
        default="false",
        purpose=later("Whether files that no model uses stay when it starts."),
    ),
    OllamaVariable(
        name="OLLAMA_NO_CLOUD",
        kind=VariableKind.FLAG,
        default="false",
        since="0.24",
        purpose=later("Whether models in the cloud are switched off."),
    ),
    OllamaVariable(
        name="OLLAMA_DEBUG",
        kind=VariableKind.LEVEL,
        default="INFO",
        purpose=later("How much it writes into its log: 0 is usual, 1 for a search of errors, 2 is most."),
    ),
    OllamaVariable(
        name="OLLAMA_LLM_LIBRARY",
        kind=VariableKind.TEXT,
        auto=later("by the cards"),
        purpose=later("The library that computes, instead of the one that is found."),
    ),
    OllamaVariable(
        name="OLLAMA_IGPU_ENABLE",
        kind=VariableKind.FLAG,
        auto=later("by the machine"),
        since="0.33",
        purpose=later("Whether graphics that share the main memory are used."),
    ),
)
BY_NAME = {each.name: each for each in VARIABLES}


def variable(name: str) -> OllamaVariable:
    """The variable of this name; one that is not in the table is any text."""
    return BY_NAME.get(name) or OllamaVariable(name=name, kind=VariableKind.TEXT, purpose="")
