"""The talk that is open, and the answer that comes. It goes on while another screen is shown."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.text import brief
from llmstack_tui.chat.attachments import NotAttached, attached
from llmstack_tui.chat.rules.context import ContextFit, size_of, without
from llmstack_tui.chat.rules.tree import leaf_below, path, shown, siblings
from llmstack_tui.chat.types import TurnState
from llmstack_tui.core.wording import words
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.providers.types import ChatRequest, Role
from llmstack_tui.tui.chat.text import AnswerPhase, AnswerProgress
from llmstack_tui.tui.shell import AnswerChoice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstack_tui.chat.types import AttachedFile, Session, Talk, Turn
    from llmstack_tui.guard.types import Confirm
    from llmstack_tui.lifecycle.states import ModelStatus
    from llmstack_tui.providers.types import Piece, Prefill
    from llmstack_tui.tui.chat.parameters import Manner
    from llmstack_tui.tui.shell import Shell
    from llmstack_tui.tui.stack import DashboardChats, DashboardStack
    from llmstack_tui.tui.view import Key

_LAST = "chat.last_model"
# It embeds, or only completes a text that is begun.
_TALKS = "completion"


class LiveAnswer:
    """An answer that is being written: what has come of it until now."""

    def __init__(self, turn: Turn, *, loads: bool) -> None:
        self.turn = turn
        self.text = ""
        self.reasoning = ""
        self._loads = loads
        self._tokens = 0
        self._prefill: Prefill | None = None
        self._began_s = time.monotonic()
        self._read_s = self._began_s
        self._first_s: float | None = None

    def take(self, piece: Piece) -> None:
        now_s = time.monotonic()
        if piece.prefill is not None:
            if self._prefill is None:
                self._read_s = now_s
            self._prefill = piece.prefill
        if piece.text or piece.reasoning:
            self._first_s = self._first_s or now_s
            self._tokens += 1
        self.text += piece.text
        self.reasoning += piece.reasoning

    def loaded(self) -> None:
        """Take note that the model is in memory."""
        if self._loads:
            self._loads = False
            self._read_s = time.monotonic()

    @property
    def progress(self) -> AnswerProgress:
        now_s = time.monotonic()
        if self.text:
            phase = AnswerPhase.WRITES
        elif self.reasoning:
            phase = AnswerPhase.THINKS
        else:
            phase = AnswerPhase.LOADS if self._loads and self._prefill is None else AnswerPhase.READS
        began_s = self._read_s if phase is AnswerPhase.READS else self._began_s
        return AnswerProgress(
            phase=phase,
            since_s=now_s - began_s,
            prefill=self._prefill,
            read_s=now_s - self._read_s,
            first_s=None if self._first_s is None else self._first_s - self._began_s,
            tokens=self._tokens,
        )


class OpenTalk:
    """Keeps the talk that is open, and has models answer in it.

    Attributes:
        live: the answer under way.
        version: rises with each change that the screen has to draw.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._id = ""
        self._opening = asyncio.Lock()
        self._task: asyncio.Task[object] | None = None
        self.live: LiveAnswer | None = None
        self.version = 0

    # What there is

    @property
    def stack(self) -> DashboardStack | None:
        return self._shell.stack

    @property
    def talk(self) -> Talk | None:
        """None until one is opened."""
        chats = self._chats
        return chats.talk(self._id) if chats is not None and self._id else None

    @property
    def session(self) -> Session | None:
        return None if self.talk is None else self.talk.session

    @property
    def key(self) -> Key | None:
        """The model that answers."""
        session = self.session
        return (session.host, session.model) if session is not None and session.model else None

    @property
    def model(self) -> ModelStatus | None:
        """As its server lists it; None if it does not."""
        return None if self.key is None else self._shell.view.model(self.key)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Those that are shown, the system's and the tools' left out."""
        return () if self.talk is None else shown(self.talk)

    def versions(self, turn: Turn) -> tuple[int, int]:
        """Which one it is of how many that follow the same turn."""
        same = [each.id for each in siblings(self.talk.turns, turn)] if self.talk else [turn.id]
        return same.index(turn.id) + 1, len(same)

    @property
    def _chats(self) -> DashboardChats | None:
        return None if self.stack is None else self.stack.chats

    # Which talk

    async def ensure(self) -> Talk | None:
        """The open talk; a new one where there is none. None without a server."""
        async with self._opening:
            if self.talk is None and (chats := self._chats) is not None:
                url, name = await self._usual() or ("", "")
                self._adopt(await chats.new(host=url, model=name))
        return self.talk

    async def use(self, key: Key) -> None:
        """Talk to this model: in the open talk if it is empty or has this model, else in a new one."""
        if await self.ensure() is None or (chats := self._chats) is None or self.key == key:
            return
        if self.turns:
            self._adopt(await chats.new(host=key[0], model=key[1]))
        else:
            await self.switch(key)

    async def switch(self, key: Key) -> None:
        """Have this model answer from now on."""
        if (chats := self._chats) is not None and self.talk is not None and self.stack is not None:
            await chats.change(self._id, host=key[0], model=key[1])
            self.stack.records.remember(_LAST, list(key))
            self._changed()

    async def begin(self, *, anew: bool = False) -> None:
        """A new talk as this one, with nothing asked yet; ``anew``: even if nothing was asked in this one."""
        session, chats = self.session, self._chats
        if session is None or chats is None or not (self.turns or anew):
            return
        self._adopt(
            await chats.new(
                host=session.host, model=session.model, system=session.system, parameters=session.parameters
            )
        )

    async def open(self, session: str) -> None:
        """Show another talk."""
        if (chats := self._chats) is not None:
            self._adopt(await chats.open(session))

    def _adopt(self, talk: Talk) -> None:
        self._id = talk.session.id
        self._changed()

    async def _usual(self) -> Key | None:
        """The model to begin with: the last one, else one in memory, else the first one."""
        if self.stack is None:
            return None
        last = tuple(await self.stack.records.recall(_LAST, [], list[str]))
        models = [each for each in self._shell.view.models() if each.model is not None]
        usable = [each for each in models if each.model is None or each.model.unusable is None]
        keys = [(each.host, each.name) for each in usable]
        loaded = [(each.host, each.name) for each in usable if each.state is ModelState.ACTIVE]
        if last in keys:
            return last[0], last[1]
        return next(iter([*loaded, *keys]), None)

    # What is typed

    def draft(self, text: str) -> None:
        talk, chats = self.talk, self._chats
        if talk is not None and chats is not None and talk.draft != text:
            chats.draft(self._id, text)

    async def ask(
        self, text: str, *, instead_of: Turn | None = None, files: Sequence[AttachedFile] = ()
    ) -> bool:
        """Ask, and have the answer begun.

        Args:
            instead_of: the question that is asked otherwise; both are kept.

        Returns:
            False if that is not possible now; a toast has said why.
        """
        talk, chats = self.talk, self._chats
        if not self._may_ask() or talk is None or chats is None:
            return False
        try:
            named = await asyncio.to_thread(attached, text, Path.cwd())
        except NotAttached as error:
            self._shell.warn(words(error), title=tr("Not sent"))
            return False
        files = (*files, *named)
        if any(each.attachment.is_image for each in files) and not await self._sees():
            return False
        parent = talk.session.leaf if instead_of is None else instead_of.parent
        turn = await chats.ask(self._id, text, parent=parent, files=files)
        self._answer(turn)
        return True

    async def _sees(self) -> bool:
        """Whether the model takes images; a toast says that it does not."""
        able = await self.stack.actions.capabilities(*self.key) if self.stack and self.key else None
        if able is None or "vision" in able or self.key is None:
            return True
        key = self._shell.view.keys["chat.model"]
        said = tr(
            "{model} sees no images. {key} chooses another model.", model=brief(self.key[1], 80), key=key
        )
        self._shell.warn(said, title=tr("Not sent"))
        return False

    async def answer_so(self, manner: Manner) -> None:
        """Have the model answer in this manner from now on."""
        if (chats := self._chats) is not None and self.talk is not None:
            await chats.change(self._id, system=manner.system, parameters=manner.parameters)
            self._changed()

    def ask_again(self) -> None:
        """Another answer to the last question."""
        question = next((each for each in reversed(self.turns) if each.message.role is Role.USER), None)
        if question is None:
            self._shell.tell(tr("Nothing was asked yet."))
        elif self._may_ask():
            self._answer(question)

    async def turn_to(self, turn: int) -> None:
        """Show the branch through this turn."""
        if (chats := self._chats) is not None and self.talk is not None:
            await chats.change(self._id, leaf=leaf_below(self.talk.turns, turn))
            self._changed()

    def branch(self, by: int) -> int | None:
        """The version before or after that of the newest turn that has several; None if there is none."""
        for turn in reversed(self.turns):
            same = siblings(self.talk.turns, turn) if self.talk else ()
            if len(same) > 1:
                at = [each.id for each in same].index(turn.id) + by
                return same[at].id if 0 <= at < len(same) else None
        return None

    def stop(self) -> bool:
        """Stop the answer under way; False if there is none."""
        if self._task is None:
            return False
        self._task.cancel()
        return True

    # The answer

    def _may_ask(self) -> bool:
        """Whether a question can be sent now; a toast says why not."""
        if self.live is not None:
            said = tr("One answer at a time: {key} stops this one.", key=self._shell.view.keys["chat.leave"])
        elif self.key is None:
            said = tr("Choose a model first: {key} lists them.", key=self._shell.view.keys["chat.model"])
        elif self.model is None:
            name, key = brief(self.key[1], 80), self._shell.view.keys["chat.model"]
            said = tr("{model} is not there any more. {key} chooses another model.", model=name, key=key)
        else:
            return True
        self._shell.tell(said)
        return False

    def _answer(self, question: Turn) -> None:
        if self.key is not None and self.stack is not None:
            work = partial(self._run, self.stack, self.key, question)
            self._shell.act("guard.with_question", self.key, tr("The answer"), work)

    async def _run(self, stack: DashboardStack, key: Key, question: Turn, *, confirm: Confirm) -> None:
        chats, model, session = stack.chats, self.model, self.session
        if self.live is not None or session is None:
            return
        able = await stack.actions.capabilities(*key)
        if able is not None and _TALKS not in able:
            self._shell.warn(
                tr(
                    "{model} does not answer questions: it is made for something else.",
                    model=brief(key[1], 80),
                ),
                title=tr("Choose another model"),
            )
            return
        turns = path(chats.talk(session.id).turns, question.id)
        sent = await self._fitting(session, turns)
        if sent is None:
            return
        turn = await chats.begin(session.id, parent=question.id, model=key[1])
        is_here = model is not None and model.state in {ModelState.ACTIVE, ModelState.CLOUD}
        self.live, self._task = LiveAnswer(turn, loads=not is_here), asyncio.current_task()
        state, problem = TurnState.WHOLE, ""
        try:
            self._changed()
            messages = await chats.messages(sent, session.system)
            request = ChatRequest(model=key[1], messages=messages, parameters=session.parameters)
            is_declined = True
            async with aclosing(stack.providers.chat(key[0], request, confirm=confirm)) as stream:
                async for piece in stream:
                    is_declined = False
                    self.live.take(piece)
                    chats.append(turn.id, piece)
            if is_declined:
                state, problem = TurnState.STOPPED, tr("The model was not loaded.")
        except asyncio.CancelledError:
            state = TurnState.STOPPED
        except Exception as error:  # noqa: BLE001  # whatever it is, what has come is kept, with the reason
            state, problem = TurnState.BROKEN_OFF, words(error)
        finally:
            self.live, self._task = None, None
            await asyncio.shield(chats.end(turn.id, state, problem))
            self._changed()

    async def _fitting(self, session: Session, turns: Sequence[Turn]) -> Sequence[Turn] | None:
        """The turns to send. Asks first what to do if they do not all fit; None: send nothing."""
        running = self.model.running if self.model is not None else None
        length = session.parameters.context_length or (running.context_length if running else None)
        size = size_of(turns, session.system, context_length=length)
        if size.fit is not ContextFit.NO:
            return turns
        said = tr(
            "About {tokens:,} tokens would be sent, and {room:,} have room beside the answer.",
            tokens=size.tokens,
            room=size.room or 0,
        )
        answers = [AnswerChoice("", tr("Send nothing"))]
        if size.left_out:
            count = len(size.left_out)
            lost = tr_n(
                "The oldest turn would be left out.", "The oldest {count} turns would be left out.", count
            )
            said = f"{said}\n{lost}"
            answers.append(AnswerChoice("trim", tr("Leave them out")))
        said += f"\n\n{tr('A longer context is a parameter of the talk: num_ctx.')}"
        answers.append(AnswerChoice("all", tr("Send all the same")))
        answer = await self._shell.ask(tr("The talk is too long"), said, answers, escape="")
        if not answer:
            return None
        return without(turns, size.left_out) if answer == "trim" else turns

    def follow(self) -> None:
        """Take note of a new state of the servers."""
        if self.live is not None and self.model is not None and self.model.state is ModelState.ACTIVE:
            self.live.loaded()

    def _changed(self) -> None:
        self.version += 1
        self._shell.draw()
