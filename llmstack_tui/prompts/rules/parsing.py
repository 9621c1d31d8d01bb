"""From the text of a file to a prompt. A file is YAML between two lines ``---``, and the template below.

Every scalar is read as the text that stands there, and then as the type of its field: so ``no`` is no boolean
and a date no object, and nothing of a tag is made. An alias is refused, as a few of them can stand for
gigabytes (the "billion laughs").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llmstack_tui.base.sentences import Sentence
from llmstack_tui.base.text import excerpt
from llmstack_tui.prompts.rendering import variables_of
from llmstack_tui.prompts.rules.values import allowed, read_value
from llmstack_tui.prompts.types import (
    Example,
    Faulty,
    InvalidPrompt,
    Prompt,
    PromptOrigin,
    PromptVariable,
    VariableType,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from yaml import Node

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.prompts.types import PromptValue

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""A prompt's name, which is that of its file without ``.md``."""

PARAMETERS: Mapping[str, VariableType] = {
    "temperature": VariableType.NUMBER,
    "top_p": VariableType.NUMBER,
    "top_k": VariableType.INTEGER,
    "min_p": VariableType.NUMBER,
    "seed": VariableType.INTEGER,
    "num_predict": VariableType.INTEGER,
    "repeat_penalty": VariableType.NUMBER,
    "stop": VariableType.LIST,
}
"""Those of Ollama's options that choose the next token or end an answer; none that loads a model anew."""

_FIELDS = ("name", "title", "purpose", "language", "variables", "system", "examples", "parameters")
_OF_VARIABLE = ("type", "purpose", "default", "required", "choices")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_HEAD = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$\n?", re.MULTILINE | re.DOTALL)


def parse(text: str, file: Path, origin: PromptOrigin = PromptOrigin.USER) -> Prompt | Faulty:
    """The prompt of a file, or what is wrong with it."""
    name = file.stem
    try:
        if not NAME.fullmatch(name):
            raise InvalidPrompt("prompts.wrong_name", file=str(file))
        return _parse(text.removeprefix("\ufeff").replace("\r\n", "\n"), name, file, origin)
    except InvalidPrompt as error:
        return Faulty(name, origin, file, error.sentence)


def _parse(text: str, name: str, file: Path, origin: PromptOrigin) -> Prompt:
    found = _HEAD.match(text)
    if found is None:
        raise InvalidPrompt("prompts.no_head", file=str(file))
    reader = _HeadReader(file)
    fields = reader.table(reader.root(found[1]), "---", _FIELDS)
    for needed in ("title", "purpose"):
        if needed not in fields:
            raise InvalidPrompt("prompts.no_field", file=str(file), field=needed)
    texts = {field: reader.text(fields[field], field) for field in _FIELDS[:4] if field in fields}
    if texts.get("name", name) != name:
        raise reader.wrong(fields["name"], "name", "prompts.allowed_stem", stem=name)
    if "language" in texts and not _LANGUAGE.fullmatch(texts["language"]):
        raise reader.wrong(fields["language"], "language", "prompts.allowed_language")
    template = text[found.end() :].strip("\n").rstrip()
    if not template:
        raise InvalidPrompt("prompts.empty", file=str(file))
    first = 1 + text.count("\n", 0, text.index(template, found.end()))
    variables = tuple(reader.variables(fields["variables"])) if "variables" in fields else ()
    known = {each.name for each in variables}
    reader.check_template(template, first, known)
    system = ""
    if "system" in fields:
        node = fields["system"]
        system = reader.text(node, "system").strip()
        is_block = getattr(node, "style", None) in ("|", ">")
        reader.check_template(system, reader.line(node) + is_block, known)
    return Prompt(
        name=name,
        title=excerpt(texts["title"]),
        purpose=excerpt(texts["purpose"]),
        template=template,
        variables=variables,
        system=system,
        examples=tuple(reader.examples(fields["examples"])) if "examples" in fields else (),
        parameters=reader.parameters(fields["parameters"]) if "parameters" in fields else {},
        language=texts.get("language", ""),
        origin=origin,
        file=file,
    )


class _HeadReader:
    """Reads the nodes of a file's YAML, and says in which line what is wrong.

    Every method raises `InvalidPrompt`.
    """

    def __init__(self, file: Path) -> None:
        self._file = str(file)
        self._seen = set[int]()

    def line(self, node: Node) -> int:
        """The line of the file, whose first is above the YAML."""
        return int(node.start_mark.line) + 2

    def wrong(self, node: Node, field: str, kind: str, **params: str) -> InvalidPrompt:
        return self._wrong(node, field, (Sentence(kind, params),))

    def _wrong(self, node: Node, field: str, what: Sentences) -> InvalidPrompt:
        return InvalidPrompt(
            "prompts.wrong_field", file=self._file, line=self.line(node), field=field, allowed=what
        )

    def root(self, head: str) -> Node:
        import yaml  # noqa: PLC0415  # 35 ms, for who reads prompts

        try:
            node = yaml.compose(head, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2 if error.problem_mark else 2
            why = excerpt(error.problem or "?")
            raise InvalidPrompt("prompts.not_yaml", file=self._file, line=line, why=why) from None
        except yaml.reader.ReaderError as error:
            line = head.count("\n", 0, int(error.position)) + 2
            why = excerpt(str(error.reason))
            raise InvalidPrompt("prompts.not_yaml", file=self._file, line=line, why=why) from None
        except RecursionError:
            raise InvalidPrompt("prompts.too_deep", file=self._file) from None
        if node is None:
            raise InvalidPrompt("prompts.no_field", file=self._file, field="title")
        return node

    def _once(self, node: Node) -> None:
        """An alias is the node of its anchor once more."""
        if id(node) in self._seen:
            raise InvalidPrompt("prompts.alias", file=self._file, line=self.line(node))
        self._seen.add(id(node))

    def table(self, node: Node, field: str, known: Iterable[str] = ()) -> dict[str, Node]:
        """The fields of a table, of which only ``known`` may be there, if any are given."""
        from yaml import MappingNode  # noqa: PLC0415

        self._once(node)
        if not isinstance(node, MappingNode):
            raise self.wrong(node, field, "prompts.allowed_table")
        fields: dict[str, Node] = {}
        for key, value in node.value:
            name = self.text(key, field)
            if known and name not in known:
                raise InvalidPrompt(
                    "prompts.unknown_field",
                    file=self._file,
                    line=self.line(key),
                    field=excerpt(name, 60),
                    known=tuple(known),
                )
            if name in fields:
                raise InvalidPrompt(
                    "prompts.twice", file=self._file, line=self.line(key), field=excerpt(name, 60)
                )
            fields[name] = value
        return fields

    def text(self, node: Node, field: str) -> str:
        from yaml import ScalarNode  # noqa: PLC0415

        self._once(node)
        if not isinstance(node, ScalarNode):
            raise self._wrong(node, field, allowed(VariableType.TEXT))
        return str(node.value)

    def _list(self, node: Node, field: str) -> list[Node]:
        from yaml import SequenceNode  # noqa: PLC0415

        self._once(node)
        if not isinstance(node, SequenceNode):
            raise self._wrong(node, field, allowed(VariableType.LIST))
        return list(node.value)

    def _value(self, node: Node, field: str, type_: VariableType) -> PromptValue:
        if type_ is VariableType.LIST:
            return tuple(self.text(each, field) for each in self._list(node, field))
        value = read_value(self.text(node, field), type_)
        if value is None:
            raise self._wrong(node, field, allowed(type_))
        return value

    def variables(self, node: Node) -> Iterable[PromptVariable]:
        for name, inner in self.table(node, "variables").items():
            field = f"variables.{excerpt(name, 60)}"
            if not _VARIABLE.fullmatch(name):
                raise self.wrong(inner, field, "prompts.allowed_variable")
            yield self._variable(name, field, self.table(inner, field, _OF_VARIABLE))

    def _variable(self, name: str, field: str, fields: dict[str, Node]) -> PromptVariable:
        type_ = VariableType.TEXT
        if "type" in fields:
            word = self.text(fields["type"], f"{field}.type")
            if word not in set(VariableType):
                types = ", ".join(VariableType)
                raise self.wrong(fields["type"], f"{field}.type", "prompts.allowed_one_of", choices=types)
            type_ = VariableType(word)
        choices: tuple[PromptValue, ...] = ()
        if "choices" in fields:
            inner = self._list(fields["choices"], f"{field}.choices")
            choices = tuple(self._value(each, f"{field}.choices", type_) for each in inner)
        default: PromptValue | None = None
        if "default" in fields:
            default = self._value(fields["default"], f"{field}.default", type_)
            if choices and default not in choices:
                words = ", ".join(map(str, choices))
                raise self.wrong(
                    fields["default"], f"{field}.default", "prompts.allowed_one_of", choices=words
                )
        is_required = default is None
        if "required" in fields:
            is_required = bool(self._value(fields["required"], f"{field}.required", VariableType.BOOLEAN))
        return PromptVariable(
            name=name,
            type=type_,
            purpose=excerpt(self.text(fields["purpose"], f"{field}.purpose")) if "purpose" in fields else "",
            default=default,
            is_required=is_required,
            choices=choices,
        )

    def examples(self, node: Node) -> Iterable[Example]:
        for number, each in enumerate(self._list(node, "examples"), start=1):
            field = f"examples.{number}"
            inner = self.table(each, field, ("user", "assistant"))
            if len(inner) < 2:
                raise self.wrong(each, field, "prompts.allowed_example")
            user, assistant = (self.text(inner[name], field).strip() for name in ("user", "assistant"))
            yield Example(user, assistant)

    def parameters(self, node: Node) -> dict[str, PromptValue]:
        found = self.table(node, "parameters", PARAMETERS)
        return {
            name: self._value(each, f"parameters.{name}", PARAMETERS[name]) for name, each in found.items()
        }

    def check_template(self, template: str, first_line: int, known: set[str]) -> None:
        used = variables_of(template, file=self._file, first_line=first_line)
        if unknown := tuple(sorted(used - known)):
            raise InvalidPrompt("prompts.undeclared", file=self._file, count=len(unknown), names=unknown)
