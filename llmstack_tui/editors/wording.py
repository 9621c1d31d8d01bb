"""The settings for editors and agents in words: what to do then, why not, and what a test has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Plural

if TYPE_CHECKING:
    from llmstack_tui.base.sentences import Catalogue

SENTENCES: Catalogue = {
    # What to do with the settings.
    "editors.then_continue": "In Continue, choose the model in the list below the chat.",
    "editors.then_cline": "Type this into Cline's settings, API Configuration: it keeps them to itself.",
    "editors.then_kilo": "In Kilo Code, choose the model of the provider llmstack in the list of models.",
    "editors.then_zed": (
        "Zed keeps keys outside its settings: start it with the variable, or type the same at the provider "
        "llmstack, in agent: open settings. Then choose the model in the agent panel."
    ),
    "editors.then_jetbrains": (
        "Type this into Settings, Tools, AI Assistant, Providers & API keys: the IDE keeps it to itself."
    ),
    "editors.then_aider": "Aider then asks this model everywhere, where no other settings are nearer.",
    "editors.then_opencode": "In OpenCode, /models has the model below llmstack.",
    "editors.then_claude": (
        "Claude Code then asks this model everywhere. For one terminal alone, set the same names there "
        "instead."
    ),
    "editors.then_codex": "Start it with codex --profile llmstack. Without that, Codex stays as it is.",
    "editors.then_curl": "Run it in a shell.",
    "editors.only_chat": "{model} has no tools: {client} can talk with it, but not act.",
    "editors.short_context": Plural(
        "count",
        "{model} has a context of {count:,} token. Agents begin with some 20,000: load it with more.",
        "{model} has a context of {count:,} tokens. Agents begin with some 20,000: load it with more.",
    ),
    # Why a client cannot use the model.
    "editors.unusable": "{model} cannot be used: {why}",
    "editors.through_ssh": (
        "{host} is reached through a tunnel of llmstack alone. For {client}, make one that stays, such as "
        "{command}, and add its address to the hosts."
    ),
    "editors.no_chat": "{model} does not chat: {client} has no use for it here.",
    "editors.not_known": "{client} needs {path}, and {host} has not answered: look again when it does.",
    "editors.no_path": "{client} needs {path}, which {host} is not known to have.",
    "editors.too_old": (
        "{client} needs {path}. Ollama has that from {since}, and {host} has {version}: update Ollama."
    ),
    # Why settings are not written.
    "editors.only_shown": "{client} has no file that llmstack could write: type or paste what is shown.",
    "editors.not_json": "Line {line} of {file} is not JSON: put that right, or paste the settings yourself.",
    "editors.not_toml": "{file} is not TOML: {why}. Put that right, or paste the settings yourself.",
    "editors.no_object": "{file} is JSON, but no settings: it does not begin with a {{.",
    "editors.unusual": (
        "{file} is written in a way that llmstack could not keep: paste the settings yourself."
    ),
    "editors.unusual_yaml": (
        "Line {line} of {file} is written in a way that llmstack could not keep: paste the settings yourself."
    ),
    # What a test has shown.
    "editors.first_token": "The first token came after {time_s:seconds}.",
    "editors.ended": "The answer ended as it should, after {time_s:seconds}.",
    "editors.empty": "The answer ended after {time_s:seconds}, and is empty: the model wrote nothing.",
    "editors.cut": "The answer was cut at {count} tokens, as the test asks, after {time_s:seconds}.",
    "editors.not_ended": "The answer broke off after {time_s:seconds}: it never said that it is done.",
    "editors.failed_midway": "The server failed in the middle of its answer: {said}",
    "editors.called": "The model called the tool: {tool} {arguments}",
    "editors.bad_arguments": "The model called the tool {tool}, but its arguments are no JSON: {arguments}",
    "editors.not_called": (
        "The model had a tool and did not call it; it wrote: {said:quoted} Try again; small models often do."
    ),
    "editors.silent": "The model had a tool and did not call it, and wrote nothing.",
    "editors.no_tools": "{model} has no tools, so none was sent: it can talk, but not act.",
    "editors.key_needed": "Without the key, {host} refuses ({status}).",
    "editors.key_not_needed": (
        "Without the key, {host} does not refuse (status {status}): whoever reaches it can use it."
    ),
    "editors.refused": "{host} does not answer this ({status}): {said}",
    "editors.refused_silently": "{host} does not answer this: its status is {status}.",
    "editors.no_answer": "No answer came from {host}: {why}.",
    "editors.broke_off": "The connection to {host} broke in the middle of the answer: {why}.",
}
