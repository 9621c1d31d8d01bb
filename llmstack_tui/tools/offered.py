"""What llmstack offers to a model of another program: commands that answer with a JSON document."""

from __future__ import annotations

from typing import NamedTuple


class OfferedTool(NamedTuple):
    """A tool: the command that it runs, and what a model is told of it, in English."""

    name: str
    command: str
    purpose: str
    takes_name: bool = False
    changes: bool = False


OFFERED = (
    OfferedTool("status", "status", "Which servers of models answer, and how much memory is in use."),
    OfferedTool("list_models", "ls", "The language models: size, state, updates, whether they fit."),
    OfferedTool("loaded_models", "ps", "The models that are loaded, with their memory and context length."),
    OfferedTool("fit", "fit", "How much memory a model takes, and whether it fits.", takes_name=True),
    OfferedTool("load_model", "start", "Load a model into memory.", takes_name=True, changes=True),
    OfferedTool(
        "stop_model", "stop", "Unload a model, after its running requests.", takes_name=True, changes=True
    ),
)
