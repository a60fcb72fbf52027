"""Forms check the shape of what was typed; rules are the verbs'."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reviews import saying
from reviews.models import Project, Review, Role, Round, Verdict

VERDICTS = [(value, value) for value in Verdict.values if value != Verdict.WITHDRAWN]


class KeysField(forms.MultipleChoiceField):
    """Clause keys; whether the spec has them is the verb's to say."""

    def valid_value(self, value: str) -> bool:
        return len(value) <= 20


class SaidForm(forms.Form):
    """One decision, as the desk's form sends it."""

    verdict = forms.ChoiceField(choices=VERDICTS)
    key = forms.UUIDField()
    stage = forms.ChoiceField(choices=Review.Stage.choices, required=False)
    clauses = KeysField(required=False)
    holds = KeysField(required=False)
    remarks = KeysField(required=False)
    other = forms.BooleanField(required=False)
    comment = forms.CharField(required=False, max_length=20_000, strip=False)
    seconds = forms.FloatField(required=False, min_value=0, max_value=1e7)
    shown_share = forms.FloatField(required=False, min_value=0, max_value=1)
    words_a_minute = forms.FloatField(required=False, min_value=0, max_value=1e7)
    spans = forms.CharField(required=False, max_length=200_000, strip=False)
    steps = forms.CharField(required=False, max_length=2_000_000, strip=False)

    def clean_spans(self) -> tuple[saying.Span, ...]:
        try:
            marks = json.loads(self.cleaned_data["spans"] or "[]")
            return tuple(
                saying.Span(
                    str(mark["clause"]),
                    str(mark["part"]),
                    int(mark["start"]),
                    int(mark["end"]),
                    str(mark["quote"]),
                )
                for mark in marks
            )
        except (ValueError, KeyError, TypeError):
            raise forms.ValidationError(
                _("The marked passages could not be read; mark them again.")
            ) from None

    def clean_steps(self) -> tuple[saying.StepMark, ...]:
        try:
            marks = json.loads(self.cleaned_data["steps"] or "[]")
            return tuple(
                saying.StepMark(int(mark["step"]), int(mark["start"]), int(mark["end"]), str(mark["label"]))
                for mark in marks
            )
        except (ValueError, KeyError, TypeError):
            raise forms.ValidationError(
                _("The labels of steps could not be read; give them again.")
            ) from None

    def said(self) -> saying.Said:
        data = self.cleaned_data
        return saying.Said(
            data["verdict"],
            tuple(data["clauses"]),
            tuple(data["remarks"]),
            data["spans"],
            data["comment"].replace("\r\n", "\n"),
            data["seconds"],
            holds=tuple(data["holds"]),
            other=data["other"],
            steps=data["steps"],
            stage=data["stage"] or Review.Stage.FINAL,
            shown_share=data["shown_share"],
            words_a_minute=data["words_a_minute"],
        )


class RoundForm(forms.Form):
    """The plan of a round."""

    PLAN = ("name", "overlap", "double_share", "rule", "k")

    name = forms.CharField(max_length=200, label=_("Name"))
    overlap = forms.IntegerField(min_value=1, max_value=20, initial=1, label=_("People who read each trace"))
    double_share = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0.2,
        label=_("Share read by two"),
        help_text=_("Drawn at random; it is what agreement is measured on."),
    )
    rule = forms.ChoiceField(
        label=_("Rule"),
        choices=[
            ("agree", _("agree: equal verdicts decide, others are disputed")),
            ("majority", _("majority: most verdicts decide")),
            ("first", _("first: the first verdict decides")),
        ],
    )
    k = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        label=_("Samples of each prompt (K)"),
        help_text=_("As planned; leave it empty where you do not know."),
    )
    mode = forms.ChoiceField(
        label=_("How people judge"),
        choices=[
            ("absolute", _("each trace by itself")),
            ("steps", _("each trace, and each of its steps: good, neutral or wrong")),
            ("first-wrong", _("each trace, up to its first wrong step")),
            ("side-by-side", _("up to four samples of a prompt side by side, a verdict on each")),
            ("pick-best", _("up to four samples side by side, the best one picked: a relative verdict")),
        ],
    )
    answer_first_share = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0.15,
        label=_("Share judged by the answer first"),
        help_text=_("The answer alone, then the chain: it shows how much the chain itself decided."),
    )
    full_clause_share = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0.1,
        label=_("Share with every clause judged"),
        help_text=_("Holds or fails, one after another: the first fault found hides the others."),
    )
    gold_rate = forms.FloatField(
        min_value=0,
        max_value=0.5,
        initial=0,
        label=_("Share of gold"),
        help_text=_("Traces whose decision is known, mixed in unmarked. Mark some on their pages first."),
    )
    repeat_rate = forms.FloatField(
        min_value=0,
        max_value=0.5,
        initial=0,
        label=_("Share read again by the same person"),
        help_text=_("Blind, and not before the days below have passed."),
    )
    repeat_after_days = forms.IntegerField(
        min_value=0, max_value=365, initial=7, label=_("Days before a repeat")
    )
    prefilter = forms.ChoiceField(
        required=False,
        label=_("Queue"),
        choices=[("", _("every trace")), ("correct", _("only traces whose answer a checker calls right"))],
        help_text=_("What is filtered out is not accepted: it counts as pressure on the outcome."),
    )
    subset_share = forms.FloatField(
        min_value=0.001,
        max_value=1,
        initial=1,
        required=False,
        label=_("Share that is queued"),
        help_text=_("Drawn at random from what was sampled. The rest is not read and counts nowhere."),
    )
    training = forms.BooleanField(
        required=False,
        label=_("A training round"),
        help_text=_("All of it gold, and each verdict is answered with the right one."),
    )
    qualify_in = forms.ModelChoiceField(
        queryset=Round.objects.none(),
        required=False,
        label=_("Readers first qualify in"),
        empty_label=_("no round"),
    )
    shows_reference = forms.BooleanField(required=False, label=_("Readers see the reference answer"))
    shows_outcome = forms.BooleanField(required=False, label=_("Readers see whether the answer is right"))
    shows_own_figures = forms.BooleanField(
        required=False, initial=True, label=_("Readers see their own figures")
    )

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["qualify_in"].queryset = Round.objects.filter(project=project, training=True)

    def clean_subset_share(self) -> float:
        share: float | None = self.cleaned_data["subset_share"]
        return 1 if share is None else share

    @property
    def plan(self) -> list[forms.BoundField]:
        """The fields of every plan: all before how people judge."""
        return [self[name] for name in self.PLAN]

    @property
    def more(self) -> list[forms.BoundField]:
        """The fields that have a sensible value already."""
        return [field for field in self if field.name not in self.PLAN]


class ImportForm(forms.Form):
    """A file of traces."""

    file = forms.FileField(
        label=_("A file of traces"), help_text=_("JSON Lines, plain or gzip."), allow_empty_file=True
    )


class MemberForm(forms.Form):
    name = forms.CharField(max_length=150, label=_("Name"))
    role = forms.ChoiceField(choices=Role.choices, label=_("Role"))


class TokenForm(forms.Form):
    membership = forms.CharField(max_length=100, label=_("For"))


class SignUpForm(forms.Form):
    username = forms.CharField(
        max_length=150, label=_("Name"), widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), label=_("Password")
    )
