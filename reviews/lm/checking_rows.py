"""All rows of a data set by one target: how many of each verdict, which fail, what to try, and how long they are."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reviews.lm import special_tokens
from reviews.lm.framing import SHAPES, Frame
from reviews.lm.rendering import Renderer
from reviews.lm.targets import Target, TargetError
from reviews.lm.verdicts import RENDERED, Judge, Judged, Row, Verdict

FAILURES_SHOWN = 20
ROWS_TO_TRY_A_REMEDY_ON = 3
TRAINERS_DEFAULT = 1024  # max_length of TRL's SFTConfig, which cuts without a word


@dataclass(frozen=True)
class Failure:
    """A row that is not exact. place: its number in the data set, from 0."""

    place: int
    judged: Judged


@dataclass(frozen=True)
class Lengths:
    """Tokens of the rows, by the target's tokenizer. cut_by_default: rows beyond TRL's default of 1,024."""

    p50: int
    p95: int
    p99: int
    longest: int
    total: int
    under_loss: int
    cut_by_default: int

    def as_object(self) -> dict[str, int]:
        quantiles = {"p50": self.p50, "p95": self.p95, "p99": self.p99, "max": self.longest}
        return quantiles | {
            "total": self.total,
            "under_loss": self.under_loss,
            "cut_by_default": self.cut_by_default,
        }


@dataclass(frozen=True)
class Remedy:
    """What to do about rows that are not exact. try_: `sft`, `sft-inline`, `rendered`, `max-length`,
    `training-template`, or `none`."""

    try_: str
    sentence: str


@dataclass
class Summary:
    """What a target makes of all rows in one format.

    frames: the constants around the texts, by what the rows have, such as `reasoning and answer`.
    special: how many rows hold each of the target's special tokens in their own texts.
    too_long: rows longer than max_length; None where either is unknown.
    """

    format: str
    rows: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    frames: dict[str, Frame] = field(default_factory=dict)
    lengths: Lengths | None = None
    max_length: int | None = None
    too_long: int | None = None
    special: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    remedy: Remedy | None = None

    @property
    def exact(self) -> bool:
        return self.verdicts[Verdict.EXACT] == self.rows

    def as_object(self) -> dict[str, Any]:
        """For a manifest: plain JSON."""
        return {
            "format": self.format,
            "rows": self.rows,
            "exact": self.verdicts[Verdict.EXACT],
            "verdicts": {
                str(verdict): self.verdicts[verdict] for verdict in Verdict if self.verdicts[verdict]
            },
            "failures": [
                {
                    "row": failure.place,
                    "trace_digest": failure.judged.key,
                    "verdict": str(failure.judged.verdict),
                    "piece": failure.judged.piece,
                    "differ": failure.judged.differ,
                    "why": failure.judged.why,
                }
                for failure in self.failures
            ],
            "frames": {
                rows: {"before": frame.before, "between": frame.between, "after": frame.after}
                for rows, frame in self.frames.items()
            },
            "tokens": self.lengths.as_object() if self.lengths else None,
            "max_length": self.max_length,
            "too_long": self.too_long,
            "special_tokens": self.special,
            "warnings": self.warnings,
            "remedy": {"try": self.remedy.try_, "why": self.remedy.sentence} if self.remedy else None,
        }


def check(
    target: Target,
    format: str,
    rows: Iterable[Row],
    *,
    max_length: int | None = None,
    after: Callable[[int], None] | None = None,
    renderer: Renderer | None = None,
) -> Summary:
    """Judge every row of a format by a target, in one pass; four bytes a row are kept, for the quantiles.

    after: called with 1 after each row. renderer: one that runs already; else one is started for the pass.
    Raises TargetError where the target cannot be used: a loop, too much memory, today's date in `rendered`.
    """
    if renderer is None:
        with Renderer(target) as started:
            return check(target, format, rows, max_length=max_length, after=after, renderer=started)
    if renderer.target != target:
        renderer.aim(target)
    judge = Judge(renderer, format, max_length=max_length)
    summary = Summary(format, max_length=max_length)
    looked_for = special_tokens.of(target)
    special: Counter[str] = Counter()
    failed: list[Row] = []
    lengths, under_loss = array("I"), 0
    for place, row in enumerate(rows):
        judged = judge.row(row)
        summary.verdicts[judged.verdict] += 1
        if judged.verdict != Verdict.EXACT and len(summary.failures) < FAILURES_SHOWN:
            summary.failures.append(Failure(place, judged))
            failed.append(row)
        special.update(special_tokens.inside(looked_for, [row.reasoning, row.answer, *_texts(row)]))
        if judged.tokens is not None:
            lengths.append(judged.tokens)
            under_loss += judged.completion_tokens or 0
        summary.rows = place + 1
        if after:
            after(1)
    summary.special = dict(special.most_common(FAILURES_SHOWN))
    summary.frames = {_named(*has): kind.frame for has, kind in judge.kinds.items() if kind.frame}
    if lengths:
        summary.lengths = _lengths(lengths, under_loss)
        summary.too_long = sum(length > max_length for length in lengths) if max_length else None
    summary.warnings = list(_warnings(summary, target, renderer))
    if not summary.exact:
        failures = [failure.judged for failure in summary.failures[:ROWS_TO_TRY_A_REMEDY_ON]]
        summary.remedy = remedy(renderer, summary, failures, failed[:ROWS_TO_TRY_A_REMEDY_ON])
    return summary


def remedy(renderer: Renderer, summary: Summary, failures: list[Judged], failed: list[Row]) -> Remedy:
    """What to try for rows that failed: another format that was tried on the first of them, or another template.

    Never the text: a reviewed text is not edited to survive a template.
    """
    if all(verdict in (Verdict.EXACT, Verdict.TRUNCATED) for verdict in summary.verdicts):
        longest = summary.lengths.longest if summary.lengths else None
        return Remedy("max-length", f"Train with a max_length of at least {longest}: only the end is cut.")
    for format in (*SHAPES, RENDERED):
        if format == summary.format:
            continue
        try:
            judge = Judge(renderer, format)
            exact = all(judge.row(row).verdict == Verdict.EXACT for row in failed)
        except TargetError:
            continue
        if exact:
            return Remedy(
                format, f"Export the format {format}: by it the first rows that fail here are exact."
            )
    worst = {failure.verdict for failure in failures}
    if Verdict.NOT_RENDERED in worst:
        return Remedy("none", "The template refuses these prompts. Leave them out, or name another target.")
    return Remedy(
        "training-template",
        "No format that Winnow writes keeps these rows whole under this template. Train with a template that does, "
        "such as a *_training.jinja that the trainer's library ships, and name that as the target.",
    )


def _texts(row: Row) -> list[str]:
    return [message["content"] for message in row.prompt if isinstance(message.get("content"), str)]


def _named(reasoning: bool, answer: bool) -> str:
    texts = [name for name, there in (("reasoning", reasoning), ("answer", answer)) if there]
    return " and ".join(texts) or "neither"


def _lengths(lengths: array[int], under_loss: int) -> Lengths:
    """Quantiles that are lengths of real rows: the smallest that at least so many of them do not exceed."""
    values = np.frombuffer(lengths, dtype=np.uintc)
    p50, p95, p99 = (int(np.quantile(values, q, method="inverted_cdf")) for q in (0.5, 0.95, 0.99))
    return Lengths(
        p50,
        p95,
        p99,
        longest=int(values.max()),
        total=int(values.sum(dtype=np.int64)),
        under_loss=under_loss,
        cut_by_default=int((values > TRAINERS_DEFAULT).sum()),
    )


def _warnings(summary: Summary, target: Target, renderer: Renderer) -> Iterable[str]:
    """Facts that block nothing and that a trainer should know."""
    if summary.special:
        rows = max(summary.special.values())
        yield (
            f"At least {rows} rows hold a special token of the target in their own text "
            f"({', '.join(summary.special)}); in training it acts as the token, and may end the turn early."
        )
    ends = [frame.after.strip() for frame in summary.frames.values()]
    if summary.format != RENDERED and ends and not all(ends):
        yield "The template writes no end of turn after the answer, so that the model is not taught to stop there."
    if (
        summary.format == RENDERED
        and renderer.adds_bos is None
        and target.bos
        and target.bos in target.template
    ):
        yield (
            f"Whether the tokenizer puts {target.bos} before every string is not known without its files; if it does, "
            "it would stand there twice."
        )
    if summary.lengths and summary.lengths.cut_by_default and summary.max_length is None:
        yield (
            f"{summary.lengths.cut_by_default} of {summary.rows} rows are longer than 1,024 tokens, where TRL cuts "
            "unless it is told otherwise; train.py tells it."
        )
