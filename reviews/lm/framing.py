"""What a template writes around the texts of a completion, learnt by rendering texts that occur nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reviews.lm.rendering import Messages, NotRendered, Rendered, Renderer
from reviews.lm.targets import TargetError

REASONING, ANSWER = "Reasoning7f3Zq", "Answer9b1Zq"
OPEN, CLOSE = "<think>\n", "\n</think>\n\n"
CLOSERS = re.compile(
    r"</think(?:ing)?>|</seed:think>|\[/THINK\]|<channel\|>|<\|END_THINKING\|>|◁/think▷|<\|end_of_thought\|>"
)
OPENERS = re.compile(
    r"<think(?:ing)?>|<seed:think>|\[THINK\]|<\|channel>|<\|channel\|>analysis|<\|START_THINKING\|>|◁think▷"
    r"|<\|begin_of_thought\|>|\bto=self\b"
)
# Models with a place of their own for reasoning, beside those that write think tags: what opens and what closes it.
CHANNELS = {
    "<|channel>": ("<|channel>thought\n", "\n<channel|>"),
    "[THINK]": ("[THINK]", "[/THINK]"),
    "<|START_THINKING|>": ("<|START_THINKING|>", "<|END_THINKING|>"),
}


LONGEST_MARK = 60


@dataclass(frozen=True)
class Frame:
    """The constant parts of a completion: before the reasoning, between it and the answer, and after the answer."""

    before: str
    between: str
    after: str

    def around(self, reasoning: str, answer: str) -> str:
        return self.before + reasoning + self.between + answer + self.after


def separate(reasoning: str, answer: str) -> Messages:
    """The completion of an `sft` row: the reasoning in its own key."""
    return [{"role": "assistant", "content": answer, "reasoning_content": reasoning}]


def inline(reasoning: str, answer: str) -> Messages:
    """The completion of an `sft-inline` row: the reasoning between think tags before the answer."""
    return [{"role": "assistant", "content": f"{OPEN}{reasoning}{CLOSE}{answer}" if reasoning else answer}]


SHAPES = {"sft": separate, "sft-inline": inline}


def find(completion: str, reasoning: str, answer: str) -> Frame | None:
    """The frame of a completion in which each text stands once, the reasoning first; an empty text has no place."""
    for text in filter(None, (reasoning, answer)):
        if completion.count(text) != 1:
            return None
    if not reasoning and not answer:
        return Frame("", "", completion)
    if not reasoning or not answer:
        before, _, after = completion.partition(reasoning or answer)
        return Frame(before, "", after)
    before, _, rest = completion.partition(reasoning)
    if answer not in rest:
        return None
    between, _, after = rest.partition(answer)
    return Frame(before, between, after)


def probe(
    renderer: Renderer, prompt: Messages, format: str, *, reasoning: bool = True, answer: bool = True
) -> tuple[Rendered, Frame | None]:
    """How the template frames a row of this format after this prompt. No frame: it loses or repeats one of the texts.

    Raises NotRendered, TargetError.
    """
    texts = (REASONING if reasoning else "", ANSWER if answer else "")
    rendered = renderer.conversation(prompt, SHAPES[format](*texts), count=False)
    return rendered, find(rendered.whole[rendered.shared :], *texts)


def misplaced(renderer: Renderer, prompt: Messages, frame: Frame) -> bool:
    """Whether a frame found for inline reasoning is not where this template has reasoning: tags become plain text.

    True where the same template frames a separate reasoning otherwise (white space apart), or names a channel of its
    own and no think tags. Raises TargetError.
    """
    own = _attempt(renderer, prompt, "sft")[1]
    if own is not None:
        return _squashed(own.before) != _squashed(frame.before)
    template = renderer.target.template if renderer.target else ""
    return "<think>" not in template and any(channel in template for channel in CHANNELS)


def opened(prompt: str) -> bool:
    """Whether a prompt leaves a block for reasoning open at its end."""
    return _ends_in(OPENERS, prompt)


def closed(prompt: str) -> bool:
    """Whether a prompt closes the block for reasoning at its end, before anything is written."""
    return _ends_in(CLOSERS, prompt)


@dataclass(frozen=True)
class Wrapper:
    """How a target's rows are written as two strings, when the texts are put in by us and not by its template.

    frame: what stands around the texts; the answer's end is the model's end of turn.
    tail: the end of the template's generation prompt that a whole conversation with reasoning does not have; it is
    left out before reasoning.
    bos: what the tokenizer puts before every string anyway; it is left out too, or it would stand there twice.
    source: where the frame comes from: the template's own way with reasoning, with inline tags, or neither.
    """

    frame: Frame
    tail: str
    bos: str
    source: str

    def prompt(self, renderer: Renderer, messages: Messages, reasoning: str) -> str:
        """The first string of a row with this reasoning. Raises NotRendered, TargetError."""
        asked = renderer.prompt(messages).removeprefix(self.bos)
        return asked.removesuffix(self.tail) if reasoning else asked

    def completion(self, reasoning: str, answer: str) -> str:
        """The second string: both texts as they are. Without reasoning no block is opened for it."""
        return self.frame.around(reasoning, answer) if reasoning else answer + self.frame.after


def wrapper(renderer: Renderer) -> Wrapper:
    """Learn how a target's model writes reasoning and answer, from its template. Raises TargetError.

    Its own way with `reasoning_content` if that keeps it; else inline tags if they survive; else think tags after the
    generation prompt, for templates that drop every reasoning although their model writes one.
    """
    target = renderer.target
    if target is None:
        raise ValueError("aim at a target first")
    if "strftime_now" in target.template:
        raise TargetError(
            f"The template of {target.name} writes today's date into its prompts, so that the same rows would be other "
            "bytes tomorrow. Export sft or sft-inline, or name a template without strftime_now."
        )
    asked: Messages = [{"role": "user", "content": "Question5d2Zq"}]
    try:
        bare, answered = probe(renderer, asked, "sft", reasoning=False)
    except NotRendered as problem:
        raise TargetError(
            f"The template of {target.name} renders not even a plain question: {problem}"
        ) from None
    source = "own"
    made, frame = _attempt(renderer, asked, "sft")
    if frame is None or CLOSERS.search(frame.before):
        source = "inline"
        made, frame = _attempt(renderer, asked, "sft-inline")
        if frame and (CLOSERS.search(frame.before) or misplaced(renderer, asked, frame)):
            frame = None
    if frame is None:
        source, made = "tags", Rendered(bare.prompt, bare.prompt)
        channels = (ends for channel, ends in CHANNELS.items() if channel in target.template)
        opening, closing = next(channels, (OPEN, CLOSE))
        after = answered.after if answered else target.eos
        frame = Frame("" if opened(bare.prompt) else opening, closing, after)
    after = frame.after
    if target.eos and target.eos in after:
        after = after[: after.index(target.eos) + len(target.eos)]
    return Wrapper(
        Frame(frame.before, frame.between, after.rstrip()),
        made.prompt[made.shared :],
        target.bos if renderer.adds_bos and made.prompt.startswith(target.bos) else "",
        source,
    )


def _attempt(renderer: Renderer, prompt: Messages, format: str) -> tuple[Rendered, Frame | None]:
    """As `probe`, but a template that refuses this format has just no frame for it. Raises TargetError."""
    try:
        return probe(renderer, prompt, format)
    except NotRendered:
        return Rendered("", ""), None


def _ends_in(marks: re.Pattern[str], prompt: str) -> bool:
    end = prompt[-LONGEST_MARK:].rstrip()
    return any(match.end() == len(end) for match in marks.finditer(end))


def _squashed(text: str) -> str:
    return "".join(text.split())
