"""What tests of more than one part share: the models, made once per run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import models

if TYPE_CHECKING:
    from pathlib import Path


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
