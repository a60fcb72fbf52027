"""Targeting: whose template and tokenizer a data set is for, and what they make of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _

from reviews.errors import Conflict, WinnowError
from reviews.formats import rendered, sft, sft_inline
from reviews.lm import framing, targets
from reviews.lm.rendering import NotRendered, Renderer
from reviews.models import Dataset, Trace

RowOf = Callable[[Trace], dict[str, Any]]


class TargetRefused(WinnowError):
    """A target that cannot be used; `str` says which file of it is wrong and why."""

    code, field = "target-refused", "target"


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
    prompt = trace.round_prompt.prompt
    messages = [{"role": each["role"], "content": each["content"]} for each in prompt.as_messages]
    try:
        asked = wrapper.prompt(renderer, messages)
    except NotRendered as problem:
        raise TargetRefused(
            _("The target's template cannot render the prompt of trace %(trace)s: %(why)s")
            % {"trace": trace, "why": problem}
        ) from None
    answer = trace.answer.as_text if trace.answer else ""
    completion = wrapper.completion(trace.reasoning.as_text, answer)
    return rendered.row(asked, completion, bytes(trace.digest), bytes(prompt.digest))
