"""Questions to the lead: a trace is laid aside until the answer, and then comes back to whoever asked."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from reviews import assigning, permitting
from reviews.assigning import LeaseLost
from reviews.errors import Conflict, Invalid
from reviews.models import Assignment, Decision, Event, Question, Role, Trace, User

LONGEST = 5_000
HELD_AFTER_AN_ANSWER = 24 * 60  # minutes: whoever asked may be away


@transaction.atomic
def ask(assignment: Assignment, text: str, *, by: User) -> Question:
    """Ask the lead about the trace that one holds, and lay it aside until the answer. Raises Invalid, LeaseLost."""
    text = _said(text, _("question"))
    held = Assignment.objects.select_for_update().open().filter(pk=assignment.pk, leased_by=by).first()
    if held is None:
        raise LeaseLost(_("This trace is no longer yours, so nothing was asked. Take the next one."))
    question = Question.objects.create(
        round_id=held.round_id, trace_id=held.trace_id, slot=held.slot, by=by, text=text, at=timezone.now()
    )
    assigning.give_back(held)
    Event.objects.log(assignment.round.project_id, "question.asked", by, question, trace=held.trace_id)
    return question


@transaction.atomic
def answer(question: Question, text: str, *, by: User) -> Question:
    """Answer a question; its trace goes back to whoever asked, as the next one. Raises Invalid, Conflict, NotAllowed."""
    permitting.require(by, question.round.project_id, Role.LEAD, doing=_("Answering a question"))
    text = _said(text, _("answer"))
    if question.answers_id is not None or Question.objects.filter(answers=question).exists():
        raise Conflict(_("This question was answered meanwhile. Nothing was changed."))
    said = Question.objects.create(
        round_id=question.round_id,
        trace_id=question.trace_id,
        by=by,
        text=text,
        at=timezone.now(),
        answers=question,
    )
    _bring_back(question)
    Event.objects.log(question.round.project_id, "question.answered", by, said, of=question.pk)
    return said


def on(trace: Trace, reviewer: User) -> list[Question]:
    """What this reader asked about a trace, with the answers."""
    asked = Question.objects.asked().filter(trace=trace, by=reviewer)
    return list(asked.select_related("answered_by").order_by("pk"))


def _bring_back(question: Question) -> None:
    """Lease an open slot of the trace to whoever asked; where there is none, others have read it meanwhile."""
    dropped = Decision.objects.filter(trace=question.trace_id, state=Decision.State.DROPPED).exists()
    judged = question.trace.reviews.standing().filter(reviewer=question.by_id).exists()
    slots = Assignment.objects.select_for_update().planned().open()
    slot = slots.filter(trace=question.trace_id, leased_by=None).order_by("slot").first()
    if slot is not None and not dropped and not judged:
        assigning.lease_again(slot, question.by, HELD_AFTER_AN_ANSWER)


def _said(text: str, what: str) -> str:
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not text:
        raise Invalid("text", _("The %(what)s is empty: write it in the comment's field.") % {"what": what})
    if len(text) > LONGEST:
        raise Invalid(
            "text",
            _("The %(what)s has more than %(longest)s characters.")
            % {"what": what, "longest": number_format(LONGEST)},
        )
    return text
