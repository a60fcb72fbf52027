"""Rendering rows with a target's template and tokenizer: in a process apart, and never longer than a few seconds."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from reviews.lm.targets import Target, TargetError

Messages = list[dict[str, Any]]
SECONDS_A_ROW = 10.0
SECONDS_TO_START = 120.0  # importing transformers takes 2 s, and a minute on a machine with much else to do
LONGEST_ANSWER = 512 * 2**20
KEPT = (
    "PATH",
    "HOME",
    "TMP",
    "TEMP",
    "LANG",
    "LC_",
    "LD_LIBRARY",
    "DYLD_LIBRARY",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "OPENBLAS",
)


class NotRendered(Exception):
    """The template refuses these messages, as it would refuse them in the trainer. `str` says why."""


@dataclass(frozen=True)
class Rendered:
    """A prompt with the words that make the model answer, and the whole conversation, as the template writes them.

    spans: the parts of `whole` in {% generation %} blocks, as (start, end) in code points; empty without such blocks.
    tokens, prompt_tokens, shared_tokens: of the whole, of the prompt, and how many the two share; None where no
    tokenizer is known.
    """

    prompt: str
    whole: str
    spans: tuple[tuple[int, int], ...] = ()
    tokens: int | None = None
    prompt_tokens: int | None = None
    shared_tokens: int | None = None

    @property
    def shared(self) -> int:
        """How many code points prompt and whole share: where a trainer's loss on the completion begins."""
        if self.whole.startswith(self.prompt):
            return len(self.prompt)
        pairs = enumerate(zip(self.prompt, self.whole, strict=False))
        return next(
            (at for at, (one, other) in pairs if one != other), min(len(self.prompt), len(self.whole))
        )


class Renderer(AbstractContextManager["Renderer"]):
    """A process that renders, for as long as the block lasts. `aim` names the target; others may follow.

    A template is a program that a stranger wrote. transformers runs it in a sandbox, which does not stop a loop; so it
    runs in a process that is ended when it takes longer than `seconds`, and TargetError is raised.
    """

    def __init__(self, target: Target | None = None, *, seconds: float = SECONDS_A_ROW) -> None:
        self.seconds = seconds
        self.target: Target | None = None
        self.adds_bos: bool | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if target:
            try:
                self.aim(target)
            except TargetError:
                self.close()
                raise

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def aim(self, target: Target) -> None:
        """Render with this target from now on. Raises TargetError for a tokenizer that cannot be read."""
        self.target, self.adds_bos = target, target.adds_bos
        try:
            said = self._ask(
                {
                    "template": target.template,
                    "special": dict(target.special),
                    "tokenizer": target.tokenizer.decode(errors="replace") if target.tokenizer else None,
                },
                SECONDS_TO_START,
            )
        except NotRendered as problem:
            raise TargetError(f"tokenizer.json of {target.name} cannot be used: {problem}") from None
        if said["adds_bos"] is not None:
            self.adds_bos = said["adds_bos"]

    def conversation(self, prompt: Messages, completion: Messages, *, count: bool = True) -> Rendered:
        """Prompt and whole of a row of messages. Raises NotRendered, TargetError."""
        return self._rendered({"prompt": prompt, "completion": completion, "count": count})

    def prompt(self, prompt: Messages) -> str:
        """The prompt alone, up to where the model goes on. Raises NotRendered, TargetError."""
        return self._rendered({"prompt": prompt, "completion": None}).prompt

    def strings(self, prompt: str, completion: str) -> Rendered:
        """A row that is rendered already: only its tokens are counted, as for any text. Raises NotRendered, TargetError."""
        if self.target is None or self.target.tokenizer is None:
            return Rendered(prompt, prompt + completion)
        return self._rendered({"strings": [prompt, completion], "count": True})

    def _rendered(self, asked: dict[str, Any]) -> Rendered:
        said = self._ask(asked, self.seconds)
        return Rendered(
            said["prompt"],
            said["whole"],
            tuple((start, end) for start, end in said["spans"]),
            said.get("tokens"),
            said.get("prompt_tokens"),
            said.get("shared_tokens"),
        )

    def _ask(self, asked: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self.target is None:
            raise ValueError("aim at a target first")
        if self._process is None:
            self._process = _start()
            if "template" not in asked:  # ended by an earlier row: it must learn its target again
                self.aim(self.target)
        questions = cast(IO[bytes], self._process.stdin)
        with suppress(BrokenPipeError):  # it died before it read all: the answer that does not come says so
            questions.write(json.dumps(asked).encode() + b"\n")
            questions.flush()
        said: dict[str, Any] = json.loads(self._line(self._process, self.target.name, seconds))
        if "error" in said:
            raise NotRendered(said["error"])
        return said

    def _line(self, process: subprocess.Popen[bytes], name: str, seconds: float) -> bytes:
        """The next whole line of the process. Raises TargetError when it is late, too long, or will never come."""
        answers, until = cast(IO[bytes], process.stdout).fileno(), time.monotonic() + seconds
        pieces: list[bytes] = []
        size = 0
        while not pieces or not pieces[-1].endswith(
            b"\n"
        ):  # it answers one line to each: no second can follow
            ready, _, _ = select.select([answers], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.close()
                raise TargetError(
                    f"The template or tokenizer of {name} took more than {seconds:g} seconds for one row and was "
                    "stopped. A template that loops cannot be used."
                )
            pieces.append(os.read(answers, 2**20))
            size += len(pieces[-1])
            if not pieces[-1] or size > LONGEST_ANSWER:
                self.close()
                raise TargetError(
                    f"The template or tokenizer of {name} ended the process that ran it: it needs too much memory, "
                    "or makes more text than any trainer could take."
                )
        return b"".join(pieces)


def _start() -> subprocess.Popen[bytes]:
    # Of our environment only what Python and its libraries need to start: no secret of ours is there to be found.
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    # By its path and with -P: it imports nothing of ours, and nothing that lies beside it by the name of a library.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(Path(__file__).with_name("rendering_child.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**kept, "TRANSFORMERS_VERBOSITY": "error", "USE_TORCH": "0", "HF_HUB_OFFLINE": "1"},
    )
