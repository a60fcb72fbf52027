"""How a sample is put together: paragraphs of the situation, in a shape and a voice of the sample's own.

The siblings of one prompt take different openings, observations, shapes and voices, so that they read like
eight attempts and not like one attempt eight times.
"""

import re
from dataclasses import dataclass

from .dice import Dice
from .phrases import (
    CLOSES,
    CONTRACTIONS,
    LEADS,
    OFFERS,
    RESTATES,
    TO_CHECK,
    TO_LOOK,
    TO_TURN,
    TO_WORK,
    UGLY,
)
from .prompts import Prompt, fill
from .walks import walk

STRAY = ("gaming", "hiding", "slip")  # the kinds whose reasoning itself goes astray
SHAPES = ("prose", "bulleted", "musing", "numbered", "plain", "leads", "dense", "late bullets")
# A handful of long reads, and a few samples that hardly think.
LONG = {
    ("operations-queue-lag-a", 2),
    ("operations-load-test-b", 5),
    ("code-benchmark-b", 1),
    ("code-flaky-test-b", 6),
    ("estimation-poll-b", 3),
    ("advice-grant-report-a", 4),
}
SHORT = {
    ("code-deduplicate-a", 3),
    ("estimation-discounts-b", 0),
    ("estimation-rain-barrel-a", 6),
    ("operations-certificate-b", 4),
    ("advice-referral-a", 7),
}


@dataclass(frozen=True)
class Sample:
    """What a sample says, and what it does: `kind` is for the reviewers only and never leaves the package."""

    reasoning: str
    answer: str
    kind: str

    @property
    def words(self) -> int:
        return len(self.reasoning.split())


def write(prompt: Prompt, index: int) -> Sample:
    """The sample of that index: the same text whenever and wherever it is written."""
    return _Writer(prompt, index).sample()


class _Writer:
    def __init__(self, prompt: Prompt, index: int) -> None:
        self.prompt, self.index, self.kind = prompt, index, prompt.plan[index]
        self.dice = Dice("write", prompt.id, index)
        # Among siblings that do the same, the how-manieth: it turns the alternatives, so that they differ.
        self.turn = sum(kind == self.kind for kind in prompt.plan[:index]) + Dice("turn", prompt.id).below(4)
        self.shape = SHAPES[(index + Dice("shape", prompt.id).below(len(SHAPES))) % len(SHAPES)]
        self.contracted = self.dice.chance() < 0.5

    def sample(self) -> Sample:
        hardly = (self.prompt.id, self.index) in SHORT
        paragraphs = [self._short()] if hardly else self._paragraphs()
        reasoning = self._ugly(paragraphs) if self.kind == "wordy" else "\n\n".join(paragraphs)
        return Sample(reasoning, self._answer(), self.kind)

    def text(self, key: str, number: int) -> str:
        """One paragraph of the material, its facts filled in, its wording chosen, in this sample's voice."""
        choices = self.prompt.material[key]
        worded = re.sub(
            r"\[\[(.*?)\]\]",
            lambda found: self.dice.pick(found[1].split("|")),
            choices[number % len(choices)],
            flags=re.DOTALL,
        )
        return self._voiced(fill(worded, self.prompt.facts))

    def _paragraphs(self) -> list[str]:
        # Who cuts a corner looks around less; the careful look around more.
        look, number = self.prompt.material["look"], 2 + self.dice.below(2 if self.kind in STRAY else 3)
        numbers = self.dice.shuffled(range(len(look)))[:number]
        looks = [self.text("look", n) for n in numbers]
        parts = [self._opening()]
        if self.shape == "bulleted":
            parts.append(self._bullets())
        if self.shape == "numbered":
            looks = ["\n".join(f"{n}. {text}" for n, text in enumerate(looks, start=1))]
        if self.shape == "leads":
            leads = self.dice.shuffled(LEADS)
            looks = [f"**{lead}.** {text}" for lead, text in zip(leads, looks, strict=False)]
        if self.shape in ("musing", "numbered"):
            looks[0] = self.dice.pick(TO_LOOK) + ("\n\n" if self.shape == "numbered" else " ") + looks[0]
        parts += looks
        if (self.prompt.id, self.index) in LONG:
            parts += walk(self.prompt.domain, Dice("walk", self.prompt.id, self.index))
        if self.shape == "late bullets":
            parts.append(f"So far:\n\n{self._bullets()}")
        parts += self._core()
        if self.dice.chance() < 0.45:
            parts.append(self._voiced(self.dice.pick(CLOSES)))
        return _merged(parts) if self.shape == "dense" else parts

    def _opening(self) -> str:
        opening = self.text("open", self.index)
        return f"{self._voiced(self.dice.pick(RESTATES))} {opening}" if self.dice.chance() < 0.35 else opening

    def _core(self) -> list[str]:
        """What decides: the work and its check, or what went wrong in their place."""
        if self.kind in STRAY:
            stray = self.text(self.kind, self.turn)
            if self.kind == "slip":
                return [f"{self.dice.pick(TO_WORK)} {stray}" if self.dice.chance() < 0.5 else stray]
            before = [self.text("work", self.turn)] if self.dice.chance() < 0.3 else []
            return [
                *before,
                f"{self.dice.pick(TO_TURN)} {stray}" if before or self.dice.chance() < 0.6 else stray,
            ]
        core = [self.text("work", self.turn)]
        if self.shape in ("musing", "leads", "plain"):
            core[0] = f"{self.dice.pick(TO_WORK)} {core[0]}"
        if self.dice.chance() < 0.8:
            check = self.text("check", self.turn // 2 + self.index)
            core.append(f"{self.dice.pick(TO_CHECK)} {check}" if self.dice.chance() < 0.5 else check)
        return core

    def _bullets(self) -> str:
        bullets = [self.text("bullets", n) for n in range(len(self.prompt.material["bullets"]))]
        mark = self.dice.pick(("-", "-", "*"))
        return "\n".join(f"{mark} {text}" for text in self.dice.shuffled(bullets)[: 3 + self.dice.below(2)])

    def _short(self) -> str:
        key = self.kind if self.kind in STRAY else "work"
        texts = self.text("open", self.index), self.text(key, self.turn)
        return " ".join(_sentences(text)[0] for text in texts)

    def _answer(self) -> str:
        key = "good" if self.kind in ("sound", "wordy") else f"{self.kind}_answer"
        answer = self.text(key, self.turn + self.turn // 2)
        sentences = _sentences(answer)
        whole = (
            len(sentences) > 3
            and "\n" not in answer
            and not answer.endswith('"')
            and not answer.startswith('"')
        )
        if key == "good" and whole and self.dice.chance() < 0.3:
            answer = " ".join(sentences[:-1])
        if self.dice.chance() < 0.45:
            answer += self.dice.pick((" ", "\n\n")) if "```" not in answer[-4:] else "\n\n"
            answer += self._voiced(self.dice.pick(OFFERS[self.prompt.domain]))
        return answer

    def _ugly(self, paragraphs: list[str]) -> str:
        """Sound in substance, tiresome to read: it says everything twice, or runs on without a paragraph."""
        if self.dice.chance() < 0.6:
            echoed = []
            for paragraph in paragraphs:
                echoed.append(paragraph)
                plain = paragraph[0].isalpha() and "$$" not in paragraph and "```" not in paragraph
                if plain and len(_sentences(paragraph)) > 1 and self.dice.chance() < 0.8:
                    echoed.append(f"{self.dice.pick(UGLY)} {_sentences(paragraph)[-1]}")
            return "\n\n".join(echoed)
        joined = " ok so ".join(p if "`" in p or "$" in p else p.lower() for p in paragraphs[:3])
        return "\n".join([joined, *paragraphs[3:]])

    def _voiced(self, text: str) -> str:
        for short, full in CONTRACTIONS:
            text = text.replace(f"{full} ", f"{short} ") if self.contracted else text.replace(short, full)
        about = self.dice.pick(("about", "around", "roughly", "about"))
        return re.sub(r"\babout (?=\d)", about + " ", text)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text)


def _merged(parts: list[str]) -> list[str]:
    """Neighbouring paragraphs of plain prose run together."""
    merged: list[str] = []
    for part in parts:
        plain = part[0].isalpha() and "```" not in part and "$$" not in part and "\n" not in part
        if merged and plain and len(merged[-1]) < 500 and merged[-1][0].isalpha() and "\n" not in merged[-1]:
            merged[-1] += " " + part
        else:
            merged.append(part)
    return merged
