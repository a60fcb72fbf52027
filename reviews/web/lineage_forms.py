"""Forms of the lineage's pages: shapes only, rules are the verbs'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reviews.lineages import booking
from reviews.models import Checkpoint, Dataset, Project, Sampler
from reviews.templatetags.lineages import NAMES


def _choices(values: list[Any], empty: str = "") -> list[tuple[str, Any]]:
    named = [(value, NAMES.get(value, value)) for value in values if value]
    return [("", empty), *named] if empty else named


class CheckpointField(forms.ModelChoiceField):
    """A checkpoint of the form's project, by its name."""

    def label_from_instance(self, obj: Checkpoint) -> str:
        return obj.name


class ProjectForm(forms.Form):
    """A form whose choices are the project's own."""

    def __init__(self, *args: Any, project: Project, **options: Any) -> None:
        options.setdefault("auto_id", f"{type(self).__name__.lower()}-%s")  # several stand on one page
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            if isinstance(field, CheckpointField):
                field.queryset = Checkpoint.objects.filter(project=project).order_by("name")
            elif name == "dataset":
                ready = Dataset.objects.filter(project=project, state=Dataset.State.READY)
                field.queryset = ready.select_related("project").order_by("-number")
            elif name == "sampler":
                samplers = Sampler.objects.filter(round__project=project).select_related("round")
                field.queryset = samplers.order_by("round__name", "pk")


class RegisterForm(ProjectForm):
    name = forms.CharField(max_length=200, label=_("Name"))
    parent = CheckpointField(
        queryset=Checkpoint.objects.none(),
        required=False,
        label=_("Trained from"),
        empty_label=_("unknown"),
        help_text=_("Without a parent its history is unknown, which is not zero, unless it is a base model."),
    )
    stage = forms.ChoiceField(
        choices=_choices(Checkpoint.Stage.values), initial=Checkpoint.Stage.UNKNOWN, label=_("Stage")
    )
    fraction = forms.FloatField(
        required=False, min_value=0, max_value=1, label=_("Fraction of the planned training, 0 to 1")
    )
    rl_steps = forms.IntegerField(
        required=False, min_value=0, label=_("Steps of reinforcement learning so far")
    )
    arm = forms.ChoiceField(
        choices=_choices(Checkpoint.Arm.values, empty=_("not said")),
        required=False,
        label=_("Trained on which arm"),
    )
    weights_digest = forms.CharField(
        required=False,
        max_length=150,
        label=_("Digest of its weights"),
        help_text=_("Who it is: the same weights are the same checkpoint, in whatever project."),
    )
    note = forms.CharField(
        required=False, max_length=4000, label=_("Note"), widget=forms.Textarea(attrs={"rows": 2})
    )


class MeasureForm(forms.Form):
    """A measurement with the file that shows it; the file's digest is kept, not the file."""

    key = forms.CharField(
        max_length=60,
        label=_("What was measured"),
        widget=forms.TextInput(attrs={"list": "measurement-keys"}),
        help_text=_(
            "controllability, evaluation-awareness, sad-normalised and tamper-follow are read by gates."
        ),
    )
    value = forms.FloatField(label=_("Value"))
    low = forms.FloatField(required=False, label=_("Lower end"))
    high = forms.FloatField(required=False, label=_("Upper end"))
    n = forms.IntegerField(required=False, min_value=1, label=_("Items measured"))
    measured_on = forms.DateField(label=_("Measured on"), widget=forms.DateInput(attrs={"type": "date"}))
    file = forms.FileField(
        required=False,
        label=_("The file that shows it"),
        help_text=_("Its name and SHA-256 are kept. Without one the measurement is a claim."),
        allow_empty_file=True,
    )


class ExternalForm(forms.Form):
    """What happened to a checkpoint outside Winnow."""

    kind = forms.ChoiceField(choices=_choices(list(booking.KINDS)), label=_("What happened"))
    share = forms.FloatField(
        required=False, min_value=0, max_value=1, label=_("Share of the stage's samples, 0 to 1")
    )
    source = forms.CharField(max_length=500, label=_("Where it is known from"))
    nats = forms.FloatField(
        required=False,
        min_value=0,
        max_value=100,
        label=_("Nats, if they are known"),
        help_text=_("Empty means unknown, and so is the dose of everything after it."),
    )
    reason = forms.CharField(
        required=False, max_length=4000, label=_("Note"), widget=forms.Textarea(attrs={"rows": 2})
    )


class AttributeForm(ProjectForm):
    sampler = forms.ModelChoiceField(
        queryset=Sampler.objects.none(), label=_("Sampler"), empty_label=_("choose one")
    )
    checkpoint = CheckpointField(
        queryset=Checkpoint.objects.none(), label=_("Checkpoint"), empty_label=_("choose one")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["sampler"].label_from_instance = lambda one: f"{one.round.name}: {one.model}"


class UseForm(ProjectForm):
    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.none(), label=_("Data set"), empty_label=_("choose one")
    )
    used = forms.ChoiceField(
        choices=[("yes", _("it was trained on")), ("no", _("it was not used"))], label=_("What was done")
    )
    checkpoint = CheckpointField(
        queryset=Checkpoint.objects.none(),
        required=False,
        label=_("The checkpoint that came of it"),
        empty_label=_("not said"),
    )
    epochs = forms.FloatField(required=False, min_value=0, max_value=1e6, label=_("Epochs"))
    tokens = forms.IntegerField(required=False, min_value=0, max_value=2**62, label=_("Tokens trained on"))
    learning_rate = forms.FloatField(required=False, min_value=0, max_value=1e6, label=_("Learning rate"))
    stage_samples = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**62,
        label=_("Samples of the whole stage"),
        help_text=_("These included; what share of the stage they are is a gate."),
    )
    note = forms.CharField(
        required=False, max_length=4000, label=_("Note"), widget=forms.Textarea(attrs={"rows": 2})
    )


class ProbesForm(forms.Form):
    """A file of traces whose labels are results of probes."""

    file = forms.FileField(label=_("A file of traces with labels"), help_text=_("JSON Lines, plain or gzip."))
    trained = forms.CharField(
        required=False,
        max_length=1000,
        label=_("Probes that training selected against"),
        help_text=_(
            "Their names, with commas between. The others are then held out; with none named, unknown."
        ),
    )
