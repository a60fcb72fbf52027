"""Targeting: whose template and tokenizer a data set is for, and what they make of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Conflict, WinnowError
from reviews.formats import rendered, sft, sft_inline
from reviews.lm import checking_rows, framing, targets
from reviews.lm.rendering import NotRendered, Renderer
from reviews.lm.verdicts import Row
from reviews.models import Attribution, Checkpoint, Dataset, Event, Project, Role, Round, Target, Trace, User

RowOf = Callable[[Trace], dict[str, Any]]
ROWS_AT_ONCE = 200


class TargetRefused(WinnowError):
    """A target that cannot be used; `str` says which file of it is wrong and why."""

    code, field = "target-refused", "target"


def register_path(
    project: Project, path: Path, *, by: User | None, checkpoint: Checkpoint | None = None
) -> Target:
    """Store the target in a tokenizer's folder or a template file. Raises TargetRefused."""
    permitting.require(by, project.pk, Role.LEAD, Role.TRAINER, doing=_("Naming a target"))
    try:
        found = targets.from_path(path)
    except targets.TargetError as problem:
        raise TargetRefused(str(problem)) from None
    return _store(project, found, by, checkpoint)


def register(
    project: Project,
    name: str,
    files: dict[str, bytes],
    *,
    by: User | None,
    checkpoint: Checkpoint | None = None,
) -> Target:
    """Store a target from a tokenizer's files by their usual names (`targets.FILES`); others are passed over.

    A target that the project has, the same in every byte, is found again under its first name.
    checkpoint: whose own it is. Raises TargetRefused.
    """
    permitting.require(by, project.pk, Role.LEAD, Role.TRAINER, doing=_("Naming a target"))
    try:
        found = targets.from_files(name, files)
    except targets.TargetError as problem:
        raise TargetRefused(str(problem)) from None
    return _store(project, found, by, checkpoint)


def _store(project: Project, found: targets.Target, by: User | None, checkpoint: Checkpoint | None) -> Target:
    try:
        with Renderer(
            found
        ) as renderer:  # slow, so before the transaction: nothing that loops is ever stored
            framing.probe(renderer, [{"role": "user", "content": "?"}], sft.NAME)
    except targets.TargetError as problem:
        raise TargetRefused(str(problem)) from None
    except NotRendered as problem:
        raise TargetRefused(
            _("The template of %(name)s renders not even a plain question: %(why)s")
            % {"name": found.name, "why": problem}
        ) from None
    with transaction.atomic():
        target, made = Target.objects.get_or_create(
            project=project,
            digest=found.digest,
            defaults={
                "name": found.name[:200],
                "template": found.template.encode(),
                "special": found.special_bytes(),
                "tokenizer": found.tokenizer,
                "checkpoint": checkpoint,
                "by": by,
            },
        )
        if made:
            Event.objects.log(
                project.pk, "target.registered", by, target, name=target.name, digest=found.digest.hex()
            )
    return target


def own_of(round: Round) -> Target | None:
    """The target that a round's data sets have when none is named: that of the one checkpoint that sampled it.

    None where several checkpoints did, or its checkpoint has no target. The newest attribution of a sampler counts,
    and the newest target of a checkpoint.
    """
    newest = Attribution.objects.filter(sampler=OuterRef("pk")).order_by("-pk").values("checkpoint")[:1]
    checkpoints = set(round.samplers.annotate(was=Subquery(newest)).values_list("was", flat=True))
    if len(checkpoints) != 1 or None in checkpoints:
        return None
    return Target.objects.filter(checkpoint__in=checkpoints).order_by("-pk").first()


def of(dataset: Dataset) -> targets.Target | None:
    """The target that a data set names. Raises TargetRefused where what is stored of it cannot be used."""
    stored = dataset.target
    if stored is None:
        return None
    tokenizer = None if stored.tokenizer is None else bytes(stored.tokenizer)
    try:
        return targets.from_parts(stored.name, bytes(stored.template), bytes(stored.special), tokenizer)
    except targets.TargetError as problem:
        raise TargetRefused(str(problem)) from None


@contextmanager
def rows_as(format: str, target: targets.Target | None) -> Iterator[RowOf]:
    """What makes the row of a trace in a format, for as long as the block lasts.

    Raises Conflict for `rendered` without a target, TargetRefused where its template cannot be used.
    """
    if format != rendered.NAME:
        row = {sft.NAME: sft.row, sft_inline.NAME: sft_inline.row}[format]
        yield lambda trace: _as_messages(trace, row)
        return
    if target is None:
        raise Conflict(
            _(
                "The format rendered writes each row as one model's template does, so it needs a target: name a "
                "tokenizer's folder or a template file, or leave the format out."
            )
        )
    try:
        with Renderer(target) as renderer:
            wrapper = framing.wrapper(renderer)
            yield lambda trace: _rendered(trace, renderer, wrapper)
    except targets.TargetError as problem:
        raise TargetRefused(str(problem)) from None


def _as_messages(trace: Trace, row: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    prompt = trace.round_prompt.prompt
    answer = trace.answer.as_text if trace.answer else None
    return row(prompt.as_messages, trace.reasoning.as_text, answer, bytes(trace.digest), bytes(prompt.digest))


def _rendered(trace: Trace, renderer: Renderer, wrapper: framing.Wrapper) -> dict[str, Any]:
    prompt, reasoning = trace.round_prompt.prompt, trace.reasoning.as_text
    try:
        asked = wrapper.prompt(renderer, _messages(trace), reasoning)
    except NotRendered as problem:
        raise TargetRefused(
            _("The target's template cannot render the prompt of trace %(trace)s: %(why)s")
            % {"trace": trace, "why": problem}
        ) from None
    completion = wrapper.completion(reasoning, trace.answer.as_text if trace.answer else "")
    return rendered.row(asked, completion, bytes(trace.digest), bytes(prompt.digest))


def _messages(trace: Trace) -> list[dict[str, str]]:
    """A prompt's messages as every format has them."""
    messages = trace.round_prompt.prompt.as_messages
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def checked(
    dataset: Dataset, progress: Callable[[int, int | None], None] | None = None
) -> dict[str, Any] | None:
    """What the data set's target makes of its rows, in each of its formats: the manifest's `template`. None: no target.

    progress: called with rows done and rows in all. Raises TargetRefused where the target cannot be used.
    """
    target = of(dataset)
    if target is None:
        return None
    names = dataset.formats.split(",")
    done, total = 0, (dataset.rows or 0) * len(names)

    def note(rows: int) -> None:
        nonlocal done
        done += rows
        if progress and (done % ROWS_AT_ONCE == 0 or done == total):
            progress(done, total)

    try:
        with Renderer(target) as renderer:
            found = [
                checking_rows.check(
                    target, name, _rows(dataset), max_length=dataset.max_length, after=note, renderer=renderer
                )
                for name in names
            ]
    except targets.TargetError as problem:
        raise TargetRefused(str(problem)) from None
    return {
        "target": target.name,
        "digest": target.digest.hex(),
        "tokenizer": target.tokenizer is not None,
        "max_length": dataset.max_length,
        "formats": {summary.format: summary.as_object() for summary in found},
    }


def _rows(dataset: Dataset) -> Iterator[Row]:
    """The data set's rows in their order, a few hundred in memory at a time and through no open cursor."""
    members = dataset.memberships.order_by("ordinal").defer("trace__meta")
    traces = members.select_related("trace__reasoning", "trace__answer", "trace__round_prompt__prompt")
    for start in range(0, dataset.rows or 0, ROWS_AT_ONCE):
        for member in list(traces.filter(ordinal__gte=start, ordinal__lt=start + ROWS_AT_ONCE)):
            trace = member.trace
            answer = trace.answer.as_text if trace.answer else ""
            yield Row(trace.digest_hex, _messages(trace), trace.reasoning.as_text, answer)


@dataclass(frozen=True)
class Finding:
    """What the gate `template` says of a data set with a target. exact, rows: over all its formats.

    why: one sentence that names the template and, where rows fail, the first of them. remedy: what to do, or empty.
    """

    exact: int
    rows: int
    why: str
    remedy: str = ""

    @property
    def holds(self) -> bool:
        return self.exact == self.rows


def finding(checked: dict[str, Any]) -> Finding:
    """The gate's answer from what `checked` found: every row of every format must be exact."""
    template = f"{checked['target']} ({checked['digest'][:12]})"
    formats = list(checked["formats"].values())
    exact, rows = sum(each["exact"] for each in formats), sum(each["rows"] for each in formats)
    failing = next((each for each in formats if each["failures"]), None)
    if failing is None:
        return Finding(
            exact, rows, f"every reviewed byte stands under the loss as {template} renders the rows"
        )
    first = failing["failures"][0]
    kinds = ", ".join(f"{n} {verdict}" for verdict, n in failing["verdicts"].items() if verdict != "exact")
    why = (
        f"as {template} renders {failing['format']}, {failing['rows'] - failing['exact']} of {failing['rows']} rows "
        f"are not exact ({kinds}); the first is row {first['row']}, trace {first['trace_digest'][:12]}: {first['why']}"
    )
    return Finding(exact, rows, why, failing["remedy"]["why"])
