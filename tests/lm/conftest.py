"""Templates of real models, where TRL's wheel has them, and one process that renders for a whole module."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reviews.lm import targets
from reviews.lm.rendering import Renderer
from reviews.lm.targets import Target


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The folder of chat templates in TRL's wheel. Found without importing trl, which would want torch."""
    found = importlib.util.find_spec("trl")
    if found is None or not found.submodule_search_locations:
        pytest.skip("trl is not installed; `make install` brings it in as files, without torch")
    return Path(next(iter(found.submodule_search_locations))) / "chat_templates"


@pytest.fixture(scope="session")
def template(wheel: Path) -> Callable[[str], Target]:
    """A target of a real template by its name, with made-up special tokens as a tokenizer would have them."""

    def read(name: str) -> Target:
        bare = targets.from_template(wheel / f"{name}.jinja")
        return Target(name, bare.template, (("bos_token", "<s>"), ("eos_token", "</s>")))

    return read


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as started:
        yield started
