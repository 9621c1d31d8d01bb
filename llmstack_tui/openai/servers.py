"""What each program does in its own way: how it lists, loads and unloads models, and tells its version.

The sources of the forms are named in `wire`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from llmstack_tui.base.kinds import Capability, ServerKind
from llmstack_tui.base.names import model_key
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import HostError, NotFound, Refused, ServerError
from llmstack_tui.openai import answers, wire
from llmstack_tui.openai.client import OpenAIHost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import timedelta

    from llmstack_tui.base.secret import Secret
    from llmstack_tui.hosts.transport import Timeouts
    from llmstack_tui.hosts.types import Model, RunningModel

_LOADS = Capability.LOAD | Capability.UNLOAD
_FIRST_LOOK_S, _LOOKS_GROW, _LAST_LOOK_S = 0.1, 1.3, 2.0


class _Llama(OpenAIHost):
    """llama.cpp's server, of one model or of several."""

    async def _version(self) -> str:
        return await self._ask("/props", wire.PropsResponse, lambda props: answers.version(props.build_info))


class SingleLlama(_Llama):
    """llama.cpp's server with the one model that it was started with, which is loaded unless it sleeps.

    Its ``/slots`` and ``/metrics`` tell whether it works, but each look at them keeps it awake
    (``time_last_task`` in its ``server-queue.cpp``): they are not asked.
    """

    kind = ServerKind.LLAMA_SERVER

    async def running(self) -> tuple[RunningModel, ...]:
        is_asleep, context_length = await self._ask("/props", wire.PropsResponse, _sleep_and_context)
        models = () if is_asleep else self._installed or await self.installed()
        return tuple(answers.running(each.name, context_length) for each in models)

    async def _template(self, name: str) -> str:
        return await self._ask("/props", wire.PropsResponse, lambda props: props.chat_template or "")


class RoutedLlama(_Llama):
    """llama.cpp's server in router mode: a process for each model, which it starts and ends."""

    kind = ServerKind.LLAMA_ROUTER
    can = OpenAIHost.can | _LOADS

    async def running(self) -> tuple[RunningModel, ...]:
        """With their requests, unless they are to sleep: a look at its slots wakes a model."""
        entries = await self._listed("/models")
        models = answers.routed(entries)
        asked = [each.name for each in models if not answers.may_sleep(entries[each.name])]
        slots = dict(zip(asked, await asyncio.gather(*map(self._told_slots, asked)), strict=True))
        return tuple(
            replace(each, requests=sum(bool(slot.is_processing) for slot in found))
            if (found := slots.get(each.name))
            else each
            for each in models
        )

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        """A context length is that of the router's settings: it cannot be asked for."""
        match answers.state(await self._entry(name)):
            case "sleeping":
                await self._slots(name)
            case "unloaded":
                await self._post("/models/load", name)
        await _until(self._is_ready, name, limit_s=self._timeouts.load_s, url=self.url)

    async def unload(self, name: str) -> None:
        """The router ends a process after ten seconds, whatever it does: one that answers is left alone."""
        match answers.state(await self._entry(name)):
            case "unloaded":
                return
            case "loaded":
                _check_idle(await self._told_slots(name), name, self.url)
        await self._post("/models/unload", name)

    async def _post(self, path: str, name: str) -> None:
        request = wire.RoutedModel(model=name)
        await self._http.done("POST", path, request, limit_s=self._timeouts.call_s, missing=name)

    async def _is_ready(self, name: str) -> bool:
        entry = await self._entry(name)
        if entry.status is not None and entry.status.failed:
            raise ServerError("openai.not_loaded", model=name, host=self.url, code=entry.status.exit_code)
        return answers.state(entry) == "loaded"

    async def _entry(self, name: str) -> wire.ListedEntry:
        return self._entry_of(name, await self._listed("/models"))

    async def _told_slots(self, name: str) -> list[wire.WireSlot]:
        return await _told(self._slots(name))

    async def _slots(self, name: str) -> list[wire.WireSlot]:
        """The places of a loaded model; a sleeping one is woken."""
        query = urlencode({"model": name, "autoload": "false"})
        limit_s = self._timeouts.load_s
        return await self._ask(f"/slots?{query}", list[wire.WireSlot], list, limit_s=limit_s)


class LlamaSwap(OpenAIHost):
    """llama-swap: a proxy that starts and ends a server for each model. One model may make others leave."""

    kind = ServerKind.LLAMA_SWAP
    can = OpenAIHost.can | _LOADS

    async def _version(self) -> str:
        try:
            return await self._ask(
                "/api/version", wire.SwapVersion, lambda answer: answers.version(answer.version)
            )
        except NotFound:
            return ""  # It has none before its version 175.

    async def running(self) -> tuple[RunningModel, ...]:
        return await self._ask("/running", wire.RunningResponse, answers.swapped)

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        """Any request to a model's own server starts it; what that server answers does not matter."""
        with suppress(NotFound, Refused):  # By that server, or because there is no such model.
            await self._http.text("GET", self._upstream(name), limit_s=self._timeouts.load_s)
        ready = await self._ask("/running", wire.RunningResponse, _ready)
        if model_key(name) not in {model_key(each.name) for each in ready}:
            raise ServerError("openai.not_begun", model=name, host=self.url)

    async def unload(self, name: str) -> None:
        """The process is ended at once: a model whose server says that it answers is left alone."""
        if model_key(name) not in {model_key(each.name) for each in await self.running()}:
            return
        _check_idle(
            await _told(self._ask(self._upstream(name, "slots"), list[wire.WireSlot], list)), name, self.url
        )
        path, limit_s = f"/api/models/unload/{quote(name)}", self._timeouts.call_s
        await self._http.text("POST", path, limit_s=limit_s, missing=name)

    def _upstream(self, name: str, path: str = "health") -> str:
        return f"/upstream/{quote(name)}/{path}"


class LMStudio(OpenAIHost):
    """LM Studio since 0.4. Whether a model answers is told by nothing, so an unload may cut a request."""

    kind = ServerKind.LM_STUDIO
    can = OpenAIHost.can | _LOADS
    _path = "/api/v1/models"

    async def _models(self) -> tuple[Model, ...]:
        return tuple(answers.studio_model(name, each) for name, each in (await self._studio()).items())

    async def running(self) -> tuple[RunningModel, ...]:
        return answers.studio_running(await self._studio())

    async def load(
        self, name: str, *, keep_alive: timedelta | None = None, context_length: int | None = None
    ) -> None:
        """A second load would make a second instance: a loaded model stays as it is."""
        if (await self._entry(name)).loaded_instances:
            return
        request = wire.StudioLoad(model=name, context_length=context_length)
        limit_s = self._timeouts.load_s
        await self._http.done("POST", f"{self._path}/load", request, limit_s=limit_s, missing=name)

    async def unload(self, name: str) -> None:
        """All instances of the model."""
        for instance in (await self._entry(name)).loaded_instances or ():
            request = wire.StudioUnload(instance_id=instance.id)
            limit_s = self._timeouts.call_s
            await self._http.done("POST", f"{self._path}/unload", request, limit_s=limit_s, missing=name)

    def _ttl(self, keep_alive: timedelta | None) -> int | None:
        """Seconds that a model stays after its last request, if a chat makes LM Studio load it."""
        seconds = None if keep_alive is None else round(keep_alive.total_seconds())
        return seconds if seconds is not None and seconds > 0 else None

    async def _studio(self) -> Mapping[str, wire.WireStudioModel]:
        return await self._ask(
            self._path, wire.StudioResponse, lambda answer: self._named(answer.models, lambda each: each.key)
        )

    async def _entry(self, name: str) -> wire.WireStudioModel:
        return self._entry_of(name, await self._studio())


class OldLMStudio(OpenAIHost):
    """LM Studio before 0.4, which loads a model only for a request, and unloads none when asked."""

    kind = ServerKind.LM_STUDIO

    async def _models(self) -> tuple[Model, ...]:
        return tuple(answers.old_studio_model(name, each) for name, each in (await self._studio()).items())

    async def running(self) -> tuple[RunningModel, ...]:
        return answers.old_studio_running(await self._studio())

    async def _studio(self) -> Mapping[str, wire.WireOldStudioModel]:
        return await self._ask(
            "/api/v0/models",
            wire.OldStudioResponse,
            lambda answer: self._named(answer.data, lambda each: each.id),
        )


class VLLM(OpenAIHost):
    """vLLM, which has loaded what it lists: one model and its adapters."""

    kind = ServerKind.VLLM

    async def _version(self) -> str:
        return await self._ask("/version", wire.VersionAnswer, lambda answer: answers.version(answer.version))


class TGI(OpenAIHost):
    """Hugging Face's text-generation-inference, which has loaded its one model."""

    kind = ServerKind.TGI
    can = OpenAIHost.can & ~Capability.EMBED

    async def _version(self) -> str:
        return await self._ask("/info", wire.InfoResponse, lambda info: answers.version(info.version))

    async def _models(self) -> tuple[Model, ...]:
        return await self._ask("/info", wire.InfoResponse, answers.informed)


class RayServe(OpenAIHost):
    """Ray Serve's OpenAI ingress, which starts replicas of the models that it lists by itself."""

    kind = ServerKind.RAY_SERVE


CLASSES: Mapping[ServerKind, type[OpenAIHost]] = {
    each.kind: each
    for each in (OpenAIHost, SingleLlama, RoutedLlama, LlamaSwap, LMStudio, VLLM, TGI, RayServe)
}
"""The client of each program."""


async def recognized(url: str, *, key: Secret | None = None, timeouts: Timeouts | None = None) -> OpenAIHost:
    """The client for the server at ``url``, by what it answers.

    Its list of models tells the program. Where that is empty, or LM Studio's, whose list has only what is
    loaded if the user wants it so, LM Studio's own routes are asked, the newest first.

    Raises:
        HostError: nothing there lists models as OpenAI's protocol has it.
    """
    asked = OpenAIHost(url, key=key, timeouts=timeouts)
    try:
        kind, models = await asked.recognize(), await asked.installed()
    finally:
        await asked.aclose()
    found = CLASSES[kind](url, key=key, timeouts=timeouts)
    if models and kind is not ServerKind.LM_STUDIO:
        return found
    for each in (LMStudio, OldLMStudio):
        studio = each(url, key=key, timeouts=timeouts)
        try:
            await studio.installed()
        except HostError:
            await studio.aclose()
        else:
            await found.aclose()
            return studio
    return found


async def _until(is_so: Callable[[str], Awaitable[bool]], name: str, *, limit_s: float, url: str) -> None:
    pause_s = _FIRST_LOOK_S
    try:
        async with asyncio.timeout(limit_s):
            while not await is_so(name):
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * _LOOKS_GROW, _LAST_LOOK_S)
    except TimeoutError:
        raise ServerError("openai.loads_too_long", model=name, host=url, limit_s=limit_s) from None


async def _told(asked: Awaitable[list[wire.WireSlot]]) -> list[wire.WireSlot]:
    """The places of a model; none where its server is another one than llama-server, or does not tell."""
    try:
        return await asked
    except HostError:
        return []


def _check_idle(slots: list[wire.WireSlot], name: str, url: str) -> None:
    if any(slot.is_processing for slot in slots):
        raise Refused("openai.answers", model=name, host=url)


def _sleep_and_context(props: wire.PropsResponse) -> tuple[bool, int | None]:
    settings = props.default_generation_settings
    return bool(props.is_sleeping), settings.n_ctx if settings else None


def _ready(answer: wire.RunningResponse) -> tuple[RunningModel, ...]:
    return answers.swapped(answer, answers.READY)
