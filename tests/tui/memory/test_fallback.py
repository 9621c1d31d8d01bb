"""What is said of models that fell back to the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmstack_tui.base.structs import replace
from llmstack_tui.core.state import HostState
from tests.support import seeded
from tests.support.waiting import wait_until
from tests.tui.driving import dashboard

if TYPE_CHECKING:
    from llmstack_tui.core.state import StackState

CODER = "qwen2.5-coder:7b"


def loaded(state: StackState, *, on_card: float) -> StackState:
    """The same with that share of the first model on the card."""
    of = state.hosts[0].snapshot
    coder, tiny = of.running
    coder = replace(coder, size_vram=int((coder.size or 0) * on_card))
    of = replace(of, running=(coder, tiny))
    return replace(state, hosts=(HostState(of, seeded.models_of(of)),))


async def test_each_fall_is_told_once() -> None:
    whole = seeded.on_card(seeded.typical())
    async with dashboard(whole) as desk:
        await desk.until_shown(CODER)
        assert not desk.toasts
        desk.stack.put(loaded(whole, on_card=0.6))
        await desk.until_shown("!5.1 GB", "40 % on the CPU")
        (toast,) = desk.toasts
        assert (toast.title, toast.severity) == ("On the CPU", "warning")
        assert desk.events[0].startswith(f"{CODER} is 40 % on the CPU: slow.")
        desk.stack.put(loaded(whole, on_card=0.5))
        await desk.until_shown("50 % on the CPU")
        assert len(desk.toasts) == 1, "it is the same load"
        desk.stack.put(whole)
        await wait_until(lambda: "!5.1 GB" not in desk.text, what="it is in order again")
        desk.stack.put(loaded(whole, on_card=0.5))
        await wait_until(lambda: len(desk.toasts) == 2, what="it fell again")


async def test_several_are_told_together_and_names_are_no_markup() -> None:
    of = seeded.on_card(seeded.typical()).hosts[0].snapshot
    coder, tiny = of.running
    fallen = (replace(coder, name="[/red]x", size_vram=1), replace(tiny, size_vram=1))
    whole = seeded.on_card(seeded.typical())
    async with dashboard(whole) as desk:
        await desk.until_shown(CODER)
        desk.stack.put(replace(seeded.state(replace(of, running=fallen)), machine=whole.machine))
        await wait_until(lambda: bool(desk.toasts), what="it is told")
        (toast,) = desk.toasts
        assert toast.message.startswith(
            "2 models are not wholly on the card, which is slow: [/red]x, smollm2:135m."
        )


async def test_what_was_so_at_the_start_is_a_line_and_no_toast() -> None:
    async with dashboard(loaded(seeded.on_card(seeded.typical()), on_card=0.6)) as desk:
        await desk.until_said(f"{CODER} is 40 % on the CPU")
        assert not desk.toasts
