"""What tests of more than one part share: models that are made once per run, and a registry."""

from __future__ import annotations

import compileall
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import llmstack_tui
from tests.support.gguf import models
from tests.support.registry import Registry, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        # Before any of the many processes that import it, some of which may write no bytecode.
        compileall.compile_dir(Path(llmstack_tui.__file__).parent, quiet=1)
    # An example may take as long as it does: what else the machine has to do is no property of ours.
    hypothesis.settings.register_profile("llmstack", deadline=None)
    hypothesis.settings.load_profile("llmstack")
    # A shell starts what runs in its background without Ctrl-C, and every program of the tests would inherit
    # that: those that are sent one would not end.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first: begun last, one file would keep two processes waiting."""
    slow = {item.path for item in items if any(item.iter_markers("slow")) or any(item.iter_markers("e2e"))}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers every chat with ``models.ANSWER``."""
    return models.scripted(tmp_path_factory.mktemp("models") / "tiny-scripted.F16.gguf")


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that writes noise."""
    return models.random_weights(tmp_path_factory.mktemp("models") / "tiny-random.F16.gguf")


@pytest.fixture(scope="session")
def endless_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that goes on until it is stopped."""
    return models.endless(tmp_path_factory.mktemp("models") / "tiny-endless.F16.gguf")


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry over real HTTP, with nothing in it."""
    with serving() as found:
        yield found
