"""Making texts ready to read: rendered once by a worker, kept by text, steps and version of the renderer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from reviews import jobs
from reviews.formats import canonical
from reviews.models import Prompt, PromptRendering, Rendering, Round, Text, Trace
from reviews.rendering import document

TRACES_AT_ONCE = 50
NO_STEPS = canonical.digest([])


def own_steps(meta: dict[str, Any]) -> list[str] | None:
    """The steps that the source itself cut a chain into, where its file says so."""
    steps = meta.get("steps")
    if isinstance(steps, list) and steps and all(isinstance(step, str) for step in steps):
        return steps
    return None


def split_digest(steps: list[str] | None) -> bytes:
    """What tells one way of cutting a text from another."""
    return canonical.digest(steps or [])


def render_trace(trace_id: int) -> None:
    """Render prompt, reasoning and answer of one trace, where that is not done. Safe to run twice, also at once."""
    trace = Trace.objects.with_texts().get(pk=trace_id)
    _render_prompt(trace.round_prompt.prompt)
    _render(trace.reasoning, own_steps(trace.meta_object))
    if trace.answer is not None:
        _render(trace.answer, None)


def run_job(job_id: int) -> None:
    """Render all texts of a round that are not rendered yet: what the task calls. A broken one goes on where it was."""
    with jobs.running(job_id) as running:
        if running is None:
            return
        round = Round.objects.get(pk=running.job.subject)
        total = _missing(round).count() + running.job.done
        done = running.job.done
        for trace in _each(round):
            render_trace(trace)
            done += 1
            running.advance(done, max(total, done))
        running.write(done=done, total=done)


def _missing(round: Round) -> Any:
    """The traces of a round with a text or a prompt that no present rendering has."""
    ready = Rendering.objects.filter(version=document.VERSION)
    prompts = PromptRendering.objects.filter(version=document.VERSION)
    return (
        Trace.objects.filter(round=round)
        .filter(
            ~Exists(prompts.filter(prompt=OuterRef("round_prompt__prompt")))
            | ~Exists(ready.filter(text=OuterRef("reasoning")))
            | Q(answer__isnull=False) & ~Exists(ready.filter(text=OuterRef("answer")))
        )
        .order_by("pk")
    )


def _each(round: Round) -> Iterator[int]:
    last = 0
    while found := list(_missing(round).filter(pk__gt=last).values_list("pk", flat=True)[:TRACES_AT_ONCE]):
        yield from found
        last = found[-1]


def _render(text: Text, steps: list[str] | None) -> None:
    split = split_digest(steps)
    if Rendering.objects.filter(text=text, split=split, version=document.VERSION).exists():
        return
    made = document.render(text.as_text, steps).to_json()
    _keep(Rendering(text=text, split=split, version=document.VERSION, document=made.encode()))


def _render_prompt(prompt: Prompt) -> None:
    """A system prompt stays as it is: the desk compares it, word by word, with the one before."""
    if PromptRendering.objects.filter(prompt=prompt, version=document.VERSION).exists():
        return
    made = [
        None if message["role"] == "system" else document.render(message["content"]).to_json()
        for message in prompt.as_messages
    ]
    documents = json.dumps(made, ensure_ascii=False).encode()
    _keep(PromptRendering(prompt=prompt, version=document.VERSION, documents=documents))


def _keep(made: Rendering | PromptRendering) -> None:
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return  # another worker was a moment quicker, with the same bytes
