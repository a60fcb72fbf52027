"""Forms check the shape of what was typed; rules are the verbs'."""

from __future__ import annotations

import json

from django import forms

from reviews import saying
from reviews.models import Role, Verdict

VERDICTS = [(value, value) for value in Verdict.values if value != Verdict.WITHDRAWN]


class KeysField(forms.MultipleChoiceField):
    """Clause keys; whether the spec has them is the verb's to say."""

    def valid_value(self, value: str) -> bool:
        return len(value) <= 20


class SaidForm(forms.Form):
    """One decision, as the desk's form sends it."""

    verdict = forms.ChoiceField(choices=VERDICTS)
    key = forms.UUIDField()
    clauses = KeysField(required=False)
    remarks = KeysField(required=False)
    comment = forms.CharField(required=False, max_length=20_000, strip=False)
    seconds = forms.FloatField(required=False, min_value=0, max_value=1e7)
    spans = forms.CharField(required=False, max_length=200_000, strip=False)

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
            raise forms.ValidationError("The marked passages could not be read; mark them again.") from None

    def said(self) -> saying.Said:
        data = self.cleaned_data
        return saying.Said(
            data["verdict"],
            tuple(data["clauses"]),
            tuple(data["remarks"]),
            data["spans"],
            data["comment"].replace("\r\n", "\n"),
            data["seconds"],
        )


class RoundForm(forms.Form):
    """The plan of a round."""

    name = forms.CharField(max_length=200, label="Name")
    overlap = forms.IntegerField(min_value=1, max_value=20, initial=1, label="People who read each trace")
    double_share = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0.2,
        label="Share read by two",
        help_text="Drawn at random; it is what agreement is measured on.",
    )
    rule = forms.ChoiceField(
        label="Rule",
        choices=[
            ("agree", "agree: equal verdicts decide, others are disputed"),
            ("majority", "majority: most verdicts decide"),
            ("first", "first: the first verdict decides"),
        ],
    )
    k = forms.IntegerField(
        min_value=1,
        max_value=100_000,
        required=False,
        label="Samples of each prompt (K)",
        help_text="As planned; leave it empty where you do not know.",
    )


class ImportForm(forms.Form):
    """A file of traces."""

    file = forms.FileField(
        label="A file of traces", help_text="JSON Lines, plain or gzip.", allow_empty_file=True
    )


class MemberForm(forms.Form):
    name = forms.CharField(max_length=150, label="Name")
    role = forms.ChoiceField(choices=Role.choices, label="Role")


class TokenForm(forms.Form):
    membership = forms.CharField(max_length=100, label="For")


class SignUpForm(forms.Form):
    username = forms.CharField(
        max_length=150, label="Name", widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), label="Password"
    )
