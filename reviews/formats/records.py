"""What every reader of outside formats yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled trace as a file has it. `None` in the first four: the file does not say."""

    line: int
    prompt_id: str | None
    model: str | None
    sample_index: int | None
    prompt: str | list[dict[str, Any]]
    reasoning: str
    answer: str | None
    sampling: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    raw: str | None = None
    split_rule: str = ""

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The prompt as chat messages: a text means one message of the user."""
        return [{"role": "user", "content": self.prompt}] if isinstance(self.prompt, str) else self.prompt


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that cannot go in: where it stands, which field, why, and its first 2,000 characters."""

    file: str
    line: int
    field: str
    reason: str
    text: bytes

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}"
        return f"{where}, {self.field}: {self.reason}" if self.field else f"{where}: {self.reason}"


class Refusal(Exception):
    """Raised inside a reader for one line; the reader turns it into a RefusedLine."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason
