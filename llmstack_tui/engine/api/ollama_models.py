"""Ollama's routes about models: list, running models, details, delete; and the version.

The answer of ``/api/show`` follows ``GetModelInfo`` and ``Model.String`` in Ollama's server.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

from msgspec.structs import asdict
from starlette.responses import Response
from starlette.routing import Route

from llmstack_tui import __version__
from llmstack_tui.base.durations import format_time
from llmstack_tui.engine.api.replies import GeneratorResponse, as_data, body, encode, progress_response, reply
from llmstack_tui.engine.errors import ApiError, refusal, text
from llmstack_tui.engine.listing import ListedFacts
from llmstack_tui.engine.service import Engine, Target, parsed_name
from llmstack_tui.gguf.header import ArrayInfo, Header
from llmstack_tui.library.errors import LibraryError
from llmstack_tui.library.library import NotInstalled, ReadOnlyModel
from llmstack_tui.library.manifest import ConfigLayer
from llmstack_tui.ollama import wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from starlette.requests import Request

    from llmstack_tui.base.sentences import Sentences
    from llmstack_tui.engine.runners.messages import RunnerConfig
    from llmstack_tui.engine.runners.runner import LastAnswer, Runner
    from llmstack_tui.engine.runners.slots import ResidentModel
    from llmstack_tui.library.installed import FaultyModel, InstalledModel

_COLUMN = 30
# From here on Go prints a float with an exponent.
_GO_EXPONENT = 1e21
# The Ollama whose recorded answers this server is held to. Clients ask for a newer one than some.
_PROTOCOL = "0.33.0"


def routes(engine: Engine) -> list[Route]:
    models = _ModelQueries(engine)
    return [
        Route("/api/version", _version, methods=["GET"]),
        Route("/api/status", _status, methods=["GET"]),
        Route("/api/me", _nobody, methods=["POST"]),
        Route("/api/tags", models.tags, methods=["GET"]),
        Route("/api/ps", models.ps, methods=["GET"]),
        Route("/api/show", models.show, methods=["POST"]),
        Route("/api/delete", models.delete, methods=["DELETE"]),
        Route("/api/push", models.push, methods=["POST"]),
    ]


class _ModelQueries:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def tags(self, _: Request) -> Response:
        found = await self._engine.contents()
        models = sorted(found.models, key=lambda model: model.modified_at, reverse=True)
        known = await self._engine.listed_facts(models)
        listed = [_listed(model, model.config, facts) for model, facts in known if not facts.fault]
        # Apart from the others: an editor that asks for the details of each would show none for one error.
        unusable = [
            _listed(model, ConfigLayer(), ListedFacts()) | _unusable(model.fault) for model in found.faulty
        ]
        unusable += [
            _listed(model, model.config, facts) | _unusable((facts.fault,))
            for model, facts in known
            if facts.fault
        ]
        return reply({"models": listed, **({"unusable": unusable} if unusable else {})})

    async def ps(self, _: Request) -> Response:
        running = sorted(self._engine.running(), key=lambda loaded: loaded.expires_at, reverse=True)
        return reply({"models": [_loaded(loaded) for loaded in running]})

    async def show(self, request: Request) -> Response:
        wanted = await body(request, wire.ShowRequest)
        target = await self._engine.find(wanted.model or wanted.name)
        verbose = bool(wanted.verbose)
        return reply(show(target, verbose=verbose))

    async def delete(self, request: Request) -> Response:
        wanted = await body(request, wire.DeleteRequest)
        named = wanted.model or wanted.name or ""
        name = parsed_name(named, f'name "{named}" is invalid')
        try:
            await asyncio.to_thread(self._engine.library.delete, name)
        except NotInstalled:
            raise ApiError(404, f"model '{named}' not found") from None
        except ReadOnlyModel as error:
            raise refusal(403, error) from None
        except LibraryError as error:
            raise refusal(500, error) from error
        return Response()

    async def push(self, request: Request) -> GeneratorResponse:
        wanted = await body(request, wire.PushRequest)
        if not (name := wanted.model or wanted.name):
            raise ApiError(400, "model is required")
        return progress_response(self._pushed(name), stream=wanted.stream is not False)

    async def _pushed(self, name: str) -> AsyncGenerator[bytes, None]:
        """The lines that Ollama has for a model that is not there; for one that is, why it stays here."""
        try:
            await self._engine.find(name)
        except ApiError as error:
            if error.status not in (400, 404):
                raise
            for status in ("retrieving manifest", "couldn't retrieve manifest"):
                yield encode({"status": status}) + b"\n"
            raise
        raise ApiError(501, "The built-in engine cannot push models: that needs Ollama.")


async def _version(_: Request) -> Response:
    # With a "v": some clients take any text that looks like a version for that of the protocol.
    return reply({"version": _PROTOCOL, "engine": "llmstack", "engine_version": f"v{__version__}"})


async def _status(_: Request) -> Response:
    # Ollama's words for a server on which its cloud is switched off for good.
    return reply({"cloud": {"disabled": True, "source": "config"}})


async def _nobody(_: Request) -> Response:
    raise ApiError(401, "unauthorized")  # What Ollama says of who has not signed in: nobody can here.


def _listed(
    model: InstalledModel | FaultyModel, config: ConfigLayer, facts: ListedFacts
) -> dict[str, object]:
    lengths = {"context_length": facts.context_length, "embedding_length": facts.embedding_length}
    listed: dict[str, object] = {
        "name": model.name.short,
        "model": model.name.short,
        "modified_at": format_time(model.modified_at),
        "size": model.size,
        "digest": model.digest,
        "details": _details(config) | {key: value for key, value in lengths.items() if value},
    }
    return listed if facts.capabilities is None else listed | {"capabilities": facts.capabilities}


def _unusable(why: Sentences) -> dict[str, object]:
    return {"unusable": text(*why), **as_data(why)}


def _loaded(loaded: ResidentModel[InstalledModel, RunnerConfig, Runner]) -> dict[str, object]:
    return {
        "name": loaded.model.name.short,
        "model": loaded.model.name.short,
        "size": loaded.memory_bytes,
        "digest": loaded.model.digest,
        "details": _details(loaded.model.config),
        "expires_at": format_time(loaded.expires_at),
        "size_vram": 0,
        "context_length": loaded.config.context_length,
        "requests": loaded.requests,
        "used_at": format_time(loaded.used_at),
        "pid": loaded.runner.pid,
        "answer": _answer(loaded.runner.answer),
    }


def _answer(last: LastAnswer | None) -> dict[str, object] | None:
    return None if last is None else {**asdict(last), "at": format_time(last.at)}


def show(target: Target, *, verbose: bool) -> dict[str, object]:
    """The answer of ``/api/show``. Arrays are null unless ``verbose``; very long arrays always are.

    ``template`` and the Modelfile have the model's own. ``prompt_template``, ours alone, says which answers:
    that of the "layer" (``TEMPLATE``) or of the "file", a "known" one and its name, or "none"; and in its
    ``notes`` which does not, or why the model cannot be run.
    """
    model, header, answers = target.model, target.header, target.template
    template = model.template or header.chat_template or ""
    texts: dict[str, object] = {
        "license": model.license,
        "modelfile": modelfile(model, template),
        "parameters": parameter_table(model.parameters),
        "template": template,
        "system": model.system,
        "details": _details(model.config) | {"parent_model": model.parent},
        "messages": [dict(message) for message in model.messages],
    }
    return {
        # Clients expect the parameters of every model; empty texts are left out.
        **{key: value for key, value in texts.items() if value or key == "parameters"},
        "model_info": model_info(header, verbose=verbose),
        "tensors": [
            {"name": tensor.name, "type": tensor.type.name, "shape": list(tensor.shape)}
            for tensor in header.tensors
        ],
        "capabilities": list(target.capabilities),
        "prompt_template": {"source": answers.source, "name": answers.name, "notes": text(*target.notes)},
        "modified_at": format_time(model.modified_at),
    }


def _details(config: ConfigLayer) -> dict[str, object]:
    """The ``details`` of a model, in ``/api/show`` and in lists of models."""
    families = list(config.model_families or ((config.model_family,) if config.model_family else ()))
    return {
        "parent_model": "",
        "format": config.model_format,
        "family": config.model_family,
        "families": families or None,
        "parameter_size": config.model_type,
        "quantization_level": config.file_type,
    }


def model_info(header: Header, *, verbose: bool) -> dict[str, object]:
    """The file's metadata by key, without name and template, which have fields of their own."""
    found: dict[str, object] = {"general.parameter_count": header.parameter_count}
    for key, value in header.metadata.items():
        if key in ("general.name", "tokenizer.chat_template"):
            continue
        if isinstance(value, ArrayInfo) or (isinstance(value, tuple) and not verbose):
            found[key] = None
        elif isinstance(value, tuple):
            found[key] = [_number(item) for item in value]
        else:
            found[key] = _number(value)
    return dict(sorted(found.items()))


def parameter_table(parameters: Mapping[str, object]) -> str:
    """A line for each parameter, with its name and value; texts are quoted."""
    return "\n".join(
        f"{name:{_COLUMN}} {_quoted(value) if isinstance(value, str) else _plain(value)}"
        for name, value in _each(parameters)
    )


def modelfile(model: InstalledModel, template: str) -> str:
    """The Modelfile from which ``ollama create`` would make the same model."""
    lines = [
        '# Modelfile generated by "ollama show"',
        "# To build a new Modelfile based on this, replace FROM with:",
        f"# FROM {model.name.short}",
        "",
        f"FROM {model.weights}",
        *(f"ADAPTER {adapter}" for adapter in model.adapters),
        *(f"FROM {projector}" for projector in model.projectors),
    ]
    if template:
        lines.append(f"TEMPLATE {_command_text(template)}")
    if model.system:
        lines.append(f"SYSTEM {_command_text(model.system)}")
    lines += [
        f"{command.upper()} {_command_text(value)}"
        for command in ("renderer", "parser", "requires")
        if (value := getattr(model.config, command))
    ]
    lines += [f"PARAMETER {name} {_command_text(_plain(value))}" for name, value in _each(model.parameters)]
    lines += [f"LICENSE {_command_text(each)}" for each in model.licenses]
    lines += [
        f"MESSAGE {each.get('role', '')} {_command_text(str(each.get('content', '')))}"
        for each in model.messages
    ]
    return "\n".join(lines) + "\n"


def _each(parameters: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The parameters, sorted by name. A parameter with several values is yielded once for each."""
    for name, value in sorted(parameters.items()):
        if isinstance(value, list | tuple):
            for item in value:
                yield name, item
        else:
            yield name, value


def _plain(value: object) -> str:
    """A value as Go prints it: whole floats without a decimal point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    whole = isinstance(value, float) and value.is_integer() and abs(value) < _GO_EXPONENT
    return f"{value:.0f}" if whole else str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _command_text(text: str) -> str:
    """A text quoted as in a Modelfile, so that a client's parser reads the same (``unquote`` in Ollama's).

    It reads no text in which a line ends in three quotes, and leaves out what Go does not print.
    """
    if "\n" not in text and "\r" not in text and text == text.strip() and not text.startswith('"'):
        return text
    return f'"""{text}"""' if '"' in text else f'"{text}"'


def _number(value: object) -> object:
    """A float with as few digits as its 32 bits need: 1e-05, not 9.999999747378752e-06."""
    if not isinstance(value, float):
        return value
    try:
        stored = struct.pack("<f", value)
        return next(
            short
            for digits in range(6, 10)
            if struct.pack("<f", short := float(f"{value:.{digits}g}")) == stored
        )
    except (OverflowError, StopIteration):
        return value
