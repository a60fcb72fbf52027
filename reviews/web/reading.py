"""Texts made ready to read: steps, raw text, prompt. How they look only; the stored bytes are untouched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from reviews import preparing
from reviews.models import Assignment, Outcome, PromptRendering, Rendering, Text, Trace
from reviews.rendering import direction, document, plain, raw
from reviews.rendering.document import Document, RenderedStep


def for_desk(assignment: Assignment) -> dict[str, Any]:
    """What a reader sees of a trace: prompt, reasoning, answer; nothing of sampler, outcome or other readers.

    Outcome and reference only where the round says so. The assignment comes from `with_reading`.
    """
    trace, round = assignment.trace, assignment.round
    own = preparing.own_steps(trace.meta_object)
    kept = assignment.rendered
    if kept is not None and bytes(assignment.rendered_split) != preparing.split_digest(own):
        kept = None
    shown = _shown(trace, own, kept, assignment.rendered_answer, assignment.rendered_prompt)
    if round.shows_reference and trace.round_prompt.reference is not None:
        reference = json.loads(bytes(trace.round_prompt.reference))
        shown["reference"] = (
            reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)
        )
    if round.shows_outcome:
        shown["outcome"] = Outcome.objects.filter(trace=trace).values_list("value", flat=True).first()
    return shown


def whole(trace: Trace) -> dict[str, Any]:
    """The same of a trace that a lead or auditor looks at."""
    own = preparing.own_steps(trace.meta_object)
    prompt = PromptRendering.objects.filter(prompt=trace.round_prompt.prompt, version=document.VERSION)
    return _shown(
        trace,
        own,
        _kept(trace.reasoning, own),
        _kept(trace.answer, None),
        prompt.values_list("documents", flat=True).first(),
    )


def _kept(text: Text | None, own: list[str] | None) -> bytes | None:
    if text is None:
        return None
    ready = Rendering.objects.filter(text=text, split=preparing.split_digest(own), version=document.VERSION)
    return ready.values_list("document", flat=True).first()


def _shown(
    trace: Trace, own: list[str] | None, kept: Any, kept_answer: Any, kept_prompt: Any
) -> dict[str, Any]:
    reasoning = trace.reasoning.as_text
    answer = trace.answer.as_text if trace.answer else ""
    read = _document(reasoning, own, kept)
    return {
        "prompt_messages": list(_messages(trace.round_prompt.prompt.as_messages, kept_prompt)),
        "steps_html": mark_safe("".join(_list_items(read, reasoning))),  # noqa: S308  the rendering package made it, sanitised
        "step_count": len(read.steps),
        "words": len(reasoning.split()),
        "answer_words": len(answer.split()),
        "raw_html": mark_safe(raw.render(reasoning)),  # noqa: S308  escaped by the rendering package
        "raw_answer_html": mark_safe(raw.render(answer)),  # noqa: S308
        "unseen": raw.unseen(reasoning) + raw.unseen(answer),
        "answer_html": _blocks(_document(answer, None, kept_answer), answer) if answer else None,
        "rendered": bool(kept_prompt and (kept or not reasoning) and (kept_answer or not answer)),
    }


def _messages(messages: list[dict[str, Any]], kept: Any) -> Iterator[dict[str, Any]]:
    """The prompt's messages, typeset where the worker has done so, and exact one key away."""
    documents = json.loads(bytes(kept)) if kept else [None] * len(messages)
    for message, made in zip(messages, documents, strict=True):
        content = message["content"]
        yield {
            **message,
            "words": len(content.split()),
            "html": _blocks(Document.from_json(made), content) if made else _exact_block(content),
            "raw_html": mark_safe(raw.render(content)),  # noqa: S308  escaped by the rendering package
        }


def _exact_block(text: str) -> SafeString:
    return format_html('<div class="text" dir="{}">{}</div>', direction.of(text), exact_html(text))


def exact_html(text: str) -> SafeString:
    """The text escaped, so that the page holds each of its code points."""
    return mark_safe(plain.render(text, 0))  # noqa: S308  escaped by the rendering package


def _document(text: str, own: list[str] | None, kept: Any) -> Document:
    """The worker's rendering where there is one, else plain steps."""
    if kept is not None:
        return Document.from_json(bytes(kept).decode())
    return document.render(text, own, how="plain")


def _blocks(read: Document, text: str) -> SafeString:
    return mark_safe("".join(_block(step, text) for step in read.steps))  # noqa: S308  made there, sanitised


def _block(step: RenderedStep, text: str) -> str:
    return f'<div class="text" dir="{direction.of(text[step.start : step.end])}">{step.html}</div>'


def _list_items(read: Document, text: str) -> Iterator[str]:
    """The steps as list items; what repeats in a loop is folded, and stays in the page."""
    folds = {loop.first: loop for loop in read.loops}
    last = 0
    for step in read.steps:
        if (loop := folds.get(step.number)) is not None:
            last = loop.last
            words = _("Steps %(first)s to %(last)s say steps %(start)s to %(end)s again, %(times)s times") % {
                "first": loop.first,
                "last": loop.last,
                "start": loop.first - loop.period,
                "end": loop.first - 1,
                "times": loop.times,
            }
            yield f'<li class="fold"><details><summary>{format_html("{}", words)}</summary><ol class="steps">'
        yield (
            f'<li value="{step.number}" data-step="{step.number}" data-from="{step.start}" '
            f'data-until="{step.end}">{_block(step, text)}</li>'
        )
        if step.number == last:
            yield "</ol></details></li>"
            last = 0
