"""The screen of the chat: the talk, what is going on, and the field for the next question."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widgets import Static, TextArea

from llmstack_tui.base.languages import tr, tr_n
from llmstack_tui.base.text import brief
from llmstack_tui.chat.attachments import NotAttached, made
from llmstack_tui.chat.types import TurnState
from llmstack_tui.core.wording import words
from llmstack_tui.lifecycle.states import ModelState
from llmstack_tui.providers.types import Role
from llmstack_tui.tui.chat import KEYS
from llmstack_tui.tui.chat.actions import ChatController
from llmstack_tui.tui.chat.composer import Composer
from llmstack_tui.tui.chat.parameters import Manner, MannerScreen
from llmstack_tui.tui.chat.parts import code_blocks
from llmstack_tui.tui.chat.picking import ModelScreen
from llmstack_tui.tui.chat.talks import TalksScreen
from llmstack_tui.tui.chat.text import context_text, progress_text
from llmstack_tui.tui.chat.transcript import Transcript
from llmstack_tui.tui.draw.text import content_of
from llmstack_tui.tui.screen import TabScreen
from llmstack_tui.tui.shell import start
from llmstack_tui.tui.widgets.pane import Pane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from llmstack_tui.chat.types import AttachedFile, Turn
    from llmstack_tui.tui.chat.conversation import OpenTalk
    from llmstack_tui.tui.stack import DashboardStack
    from llmstack_tui.tui.view import View

_GATHER_S = 0.1
# A long list takes Textual longer to draw than it takes a fast model to write: keys come between.
_REST, _MOST_REST_S = 3, 0.6
"""What has come is drawn so often: for each token by itself, it would take ten times as long."""


class ChatScreen(TabScreen):
    """Draws the conversation of the controller, and hands on what is typed."""

    DEFAULT_CSS = """
    ChatScreen #empty { height: 1fr; padding: 1 2; }
    ChatScreen #status { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    AUTO_FOCUS = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    def __init__(self) -> None:
        super().__init__("chat")
        self.pane = Pane(tr("Chat"), id="chat-pane")
        self.transcript = Transcript()
        self.composer = Composer()
        self._empty = Static("", id="empty", markup=False)
        self._status = Static("", id="status", markup=False)
        self._dirty = asyncio.Event()
        self._drawn = -1
        self._shown_id = ""
        self._edited: Turn | None = None
        self._copied = 0
        self._pasted_files: list[AttachedFile] = []

    def compose_body(self) -> ComposeResult:
        with Horizontal(), self.pane, Vertical():
            yield self._empty
            yield self.transcript
            yield self._status
            yield self.composer

    @property
    def conversation(self) -> OpenTalk:
        return self.shell.controller(ChatController).conversation

    def on_mount(self) -> None:
        self.composer.placeholder = tr("Ask something")
        start(self, tr("The chat"), self._draw_on, group="chat")

    def focus_list(self) -> None:
        self.composer.focus()

    # What is drawn

    def show(self, view: View) -> None:
        self.conversation.follow()
        self._dirty.set()

    async def _draw_on(self) -> None:
        """Draw the talk whenever it has changed, and while an answer comes as often as can be read."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            talk = await self.conversation.ensure()
            if talk is not None and talk.session.id != self._shown_id:
                self._shown_id, self._edited = talk.session.id, None
                self.composer.put(talk.draft)
            began_s = time.monotonic()
            await self._draw()
            if self.conversation.live is not None:
                self._dirty.set()
            rest_s = _REST * (time.monotonic() - began_s)
            await asyncio.sleep(min(max(_GATHER_S, rest_s), _MOST_REST_S))

    async def _draw(self) -> None:
        conversation = self.conversation
        turns, live = conversation.turns, conversation.live
        self._show_title()
        self._show_status()
        self._empty.display, self.transcript.display = not turns, bool(turns)
        if turns:
            drawn = conversation.version
            if drawn != self._drawn or live is not None:
                await self.transcript.show(turns, [conversation.versions(each) for each in turns], live)
                self._drawn = drawn
        else:
            self._drawn = -1
            await self.transcript.show((), (), None)
            self._empty.update(content_of(*self._first_words()))

    def _show_title(self) -> None:
        conversation = self.conversation
        session, model = conversation.session, conversation.model
        title = (session.title if session else "") or tr("New talk")
        name = ""
        if conversation.key is not None:
            state = tr(model.state) if model is not None else tr("not there")
            name = f"{brief(conversation.key[1], 60)} ({state})"
        self.pane.show_title("  ".join(filter(None, [brief(title, 60), name])))

    def _show_status(self) -> None:
        conversation, view = self.conversation, self.shell.view
        if (live := conversation.live) is not None:
            said = progress_text(live.progress, view.keys["chat.leave"], self.shell.marks)
        else:
            answers = [each for each in conversation.turns if each.message.role is Role.ASSISTANT]
            running = conversation.model.running if conversation.model is not None else None
            usage = answers[-1].usage if answers else None
            length = running.context_length if running is not None else None
            hint = tr(
                "{send} sends, {line} begins a new line.",
                send=view.keys["chat.send"],
                line=view.keys["chat.new_line"],
            )
            if self._pasted_files:
                count = len(self._pasted_files)
                hint = tr_n(
                    "A long text goes with the question.", "{count} long texts go with the question.", count
                )
            if self._edited is not None:
                hint = tr(
                    "The question is sent again, beside the first one; {key} leaves it as it is.",
                    key=view.keys["chat.leave"],
                )
            said = content_of(
                (context_text(usage, length), ""), "   " if usage or length else "", (hint, "$text-muted")
            )
        self._status.update(said, layout=False)

    def _first_words(self) -> list[tuple[str, str] | str]:
        """What somebody needs to know who has not asked anything yet."""
        conversation, view = self.conversation, self.shell.view
        keys = view.keys
        if self.shell.stack is None:
            return [(tr("There is no server yet."), "bold")]
        if not any(each.model for each in view.models()):
            said = tr(
                "Press {catalog} for models worth having, or {models} and then {add} to add one by its name.",
                catalog=keys["app.catalog"],
                models=keys["app.models"],
                add=keys["models.import"],
            )
            leave = tr("{key} leaves the field below, so that these keys work.", key=keys["chat.leave"])
            return [(tr("No model is installed yet."), "bold"), f"\n\n{said}\n{leave}"]
        if conversation.key is None:
            return [(tr("Choose a model: {key} lists them.", key=keys["chat.model"]), "bold")]
        model = conversation.model
        lines = [tr("Type a question below. {key} sends it.", key=keys["chat.send"])]
        if model is not None and model.state is ModelState.INACTIVE:
            lines.append(
                tr("{model} is not in memory: the first question loads it.", model=brief(model.name, 80))
            )
        lines.append(tr("{key} has all keys of this screen.", key=tr("f1")))
        return [
            (tr("Talk to {model}", model=brief(conversation.key[1], 80)), "bold"),
            "\n\n" + "\n".join(lines),
        ]

    # What is typed

    @on(TextArea.Changed, "#composer")
    def _typed(self) -> None:
        if self._edited is None and self._shown_id:
            self.conversation.draft(self.composer.text)

    @on(Composer.Sent)
    def _sent(self, message: Composer.Sent) -> None:
        if message.text.strip():
            start(self, tr("The question"), partial(self._ask, message.text), group="ask", exclusive=True)

    async def _ask(self, text: str) -> None:
        files = tuple(self._pasted_files)
        if await self.conversation.ask(text, instead_of=self._edited, files=files):
            self._edited = None
            del self._pasted_files[: len(files)]
            self.composer.put("")
            self.transcript.anchor()

    @on(Composer.Pasted)
    def _pasted(self, message: Composer.Pasted) -> None:
        """Have a long text go with the question, as a file."""
        try:
            self._pasted_files.append(
                made(f"{tr('pasted')}-{len(self._pasted_files) + 1}.txt", message.text.encode())
            )
        except NotAttached as error:
            self.shell.warn(words(error), title=tr("Too long"))
        self._dirty.set()

    @on(Composer.WantsEarlier)
    def action_edit(self) -> None:
        questions = [each for each in self.conversation.turns if each.message.role is Role.USER]
        if questions and self.conversation.live is None:
            self._edited = questions[-1]
            self.composer.put(questions[-1].message.text)
            self.composer.focus()
            self._dirty.set()

    # Keys

    async def action_leave(self) -> None:
        if self.conversation.stop():
            return
        if self._edited is not None:
            self._edited = None
            talk = self.conversation.talk
            self.composer.put(talk.draft if talk else "")
            self._dirty.set()
        elif self.composer.has_focus and not self.is_too_small:
            self.transcript.focus() if self.transcript.display else self.set_focus(None)
        else:
            await self.shell.open("models")

    def action_again(self) -> None:
        self.conversation.ask_again()

    def action_new(self) -> None:
        start(self, tr("A new talk"), self._begin, group="talks")

    async def _begin(self) -> None:
        await self.conversation.begin()
        self.composer.focus()

    def action_choose_model(self) -> None:
        start(self, tr("The model"), self._choose_model, group="talks")

    async def _choose_model(self) -> None:
        shell = self.shell
        dialog = ModelScreen(shell.view, self.conversation.key, shell.marks, shell.host_names)
        if (key := await shell.show(dialog)) is not None:
            await self.conversation.switch(key)
            self.composer.focus()

    def action_manner(self) -> None:
        start(self, tr("The system prompt"), self._ask_manner, group="talks")

    async def _ask_manner(self) -> None:
        if (session := self.conversation.session) is not None:
            present = Manner(session.system, session.parameters)
            if (manner := await self.shell.show(MannerScreen(present))) is not None:
                await self.conversation.answer_so(manner)
                self.composer.focus()

    def action_talks(self) -> None:
        if (stack := self.shell.stack) is not None:
            start(self, tr("The talks"), partial(self._choose_talk, stack), group="talks")

    async def _choose_talk(self, stack: DashboardStack) -> None:
        dialog = TalksScreen(stack.chats, self._shown_id)
        chosen = await self.shell.show(dialog)
        if chosen is not None and chosen not in dialog.deleted:
            await self.conversation.open(chosen)
            self.composer.focus()
        elif self._shown_id in dialog.deleted:
            await self.conversation.begin(anew=True)

    def action_branch(self, by: int) -> None:
        turn = self.conversation.branch(by)
        if turn is None:
            self.shell.tell(tr("There is no other version there."))
        else:
            start(self, tr("The talk"), partial(self.conversation.turn_to, turn), group="talks")

    def action_copy_code(self) -> None:
        turns = [each for each in self.conversation.turns if each.message.role is Role.ASSISTANT]
        blocks = [block for each in turns for block in code_blocks(each.message.text)]
        if not blocks:
            self.shell.tell(tr("There is no block of code in this talk."))
            return
        self._copied = self._copied % len(blocks) + 1
        at = len(blocks) - self._copied
        self.shell.copy(blocks[at], lines=True)
        lines = blocks[at].count("\n") + 1
        said = tr_n("One line of code is copied", "{count} lines of code are copied", lines)
        self.shell.tell(f"{said} ({tr('block {number} of {of}', number=at + 1, of=len(blocks))}).")

    def action_copy_answer(self) -> None:
        answers = [each for each in self.conversation.turns if each.message.role is Role.ASSISTANT]
        if not answers:
            self.shell.tell(tr("There is no answer yet."))
            return
        live = self.conversation.live
        text = live.text if live is not None and live.turn.id == answers[-1].id else answers[-1].message.text
        self.shell.copy(text, lines=True)
        self.shell.tell(tr("The answer is copied."))

    def action_copy_all(self) -> None:
        turns = [each for each in self.conversation.turns if each.state is not TurnState.STREAMING]
        names = {Role.USER: tr("You")}
        said = [f"**{names.get(each.message.role, each.model)}**\n\n{each.message.text}" for each in turns]
        if not said:
            self.shell.tell(tr("There is nothing to copy yet."))
            return
        self.shell.copy("\n\n".join(said), lines=True)
        self.shell.tell(tr("The talk is copied."))

    def action_fold(self) -> None:
        self.transcript.fold()
