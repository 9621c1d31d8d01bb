"""Scripts that complete commands, options and names of models, made from the parser of the command line."""

from __future__ import annotations

from argparse import SUPPRESS, _SubParsersAction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterator, Sequence

_OF_MODELS = frozenset({"name", "names"})
# These name what is not there yet.
_NEW_NAMES = frozenset({"pull", "import"})
# The second column of `llmstack ls`, without its head; nothing if it fails. Only plain names: a shell
# evaluates the words it completes, and a server may list a name such as $(reboot).
_MODELS = "llmstack ls 2>/dev/null | awk 'NR > 1 && $2 ~ /^[A-Za-z0-9._:\\/-]+$/ { print $2 }'"


class CallForm(NamedTuple):
    """What may follow the words of a command.

    Attributes:
        path: the command's words, such as ("guard", "run"); none for the program itself.
        options: each with its help.
        words: subcommands and fixed values, each with its help.
        names_model: the name of a model may follow.
    """

    path: tuple[str, ...]
    options: Sequence[tuple[str, str]]
    words: Sequence[tuple[str, str]]
    names_model: bool


def forms(parser: ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[CallForm]:
    """The forms of a parser, whose commands have all their options, and of its commands."""
    options: list[tuple[str, str]] = []
    words: list[tuple[str, str]] = []
    below: list[tuple[str, ArgumentParser]] = []
    names_model = False
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to list them
        if action.option_strings:
            options += [(name, _help(action)) for name in action.option_strings if name.startswith("--")]
        elif isinstance(action, _SubParsersAction):
            words += [(each.dest, _help(each)) for each in action._get_subactions()]  # noqa: SLF001  # likewise
            below += action.choices.items()
        elif action.choices is not None:
            words += [(str(each), "") for each in action.choices]
        elif action.dest in _OF_MODELS:
            names_model = path[-1] not in _NEW_NAMES
    yield CallForm(path, options, words, names_model)
    for name, each in below:
        yield from forms(each, (*path, name))


def _help(action: Action) -> str:
    return "" if action.help in (None, SUPPRESS) else str(action.help).replace("%%", "%")


def script(shell: str, found: Sequence[CallForm]) -> str:
    """The script for "bash", "zsh" or "fish"."""
    if shell == "fish":
        return _fish(found)
    return (_ZSH if shell == "zsh" else "") + _bash(found)


_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def _bash(found: Sequence[CallForm]) -> str:
    paths = "|".join(f'"{" ".join(form.path[:-1])} {form.path[-1]}"' for form in found if form.path)
    cases = "\n".join(
        f'    "{" ".join(form.path)}") words="{" ".join(word for word, _ in (*form.words, *form.options))}"'
        + (f"; models=$({_MODELS})" if form.names_model else "")
        + " ;;"
        for form in found
    )
    return f"""\
_llmstack() {{
  local typed="${{COMP_LINE:0:$COMP_POINT}}" command="" words="" models="" word cut
  local current="${{typed##* }}"
  # Words as they were typed: in COMP_WORDS, a name is cut at its colon.
  local rest="${{typed%"$current"}}"
  while [[ "$rest" == *" "* ]]; do
    word="${{rest%% *}}" rest="${{rest#* }}"
    case "$command $word" in
      {paths}) command="${{command:+$command }}$word" ;;
    esac
  done
  case "$command" in
{cases}
  esac
  case "$current" in -*) models="" ;; *) [[ -z "$models" ]] || words="$models $words" ;; esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
    cut="${{current%"${{current##*:}}"}}"
    COMPREPLY=("${{COMPREPLY[@]#"$cut"}}")
  fi
}}
complete -o default -F _llmstack llmstack
"""


def _fish(found: Sequence[CallForm]) -> str:
    lines = ["complete -c llmstack -e"]
    first = " ".join(form.path[0] for form in found if len(form.path) == 1)
    for form in found:
        if not form.path:
            when = f"not __fish_seen_subcommand_from {first}"
        else:
            when = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in form.path)
        start = f"complete -c llmstack -n {_quoted(when)}"
        lines += [f"{start} -f -a {word} -d {_quoted(text)}" for word, text in form.words]
        lines += [f"{start} -l {name[2:]} -d {_quoted(text)}" for name, text in form.options]
        if form.names_model:
            lines.append(f"{start} -f -a {_quoted(f'({_MODELS})')}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
