"""Registering checkpoints: a node of the lineage, what was measured of it, which sampler it was."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Conflict, Invalid
from reviews.models import Attribution, Checkpoint, Event, Measurement, Project, Role, Sampler, User

WEIGHTS = re.compile(r"[a-z0-9][a-z0-9:+/=_.-]{7,127}")
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
SAMEABLE = ("stage", "fraction", "weights_digest", "rl_steps", "arm", "lineage", "step")


@transaction.atomic
def register(
    project: Project,
    name: str,
    *,
    by: User | None,
    parent: Checkpoint | None = None,
    stage: str = Checkpoint.Stage.UNKNOWN,
    fraction: float | None = None,
    weights_digest: str = "",
    rl_steps: int | None = None,
    arm: str = "",
    note: str = "",
    lineage: str = "",
    step: int | None = None,
) -> tuple[Checkpoint, bool]:
    """A checkpoint of a project, and whether it is new. The same again changes nothing.

    Raises Invalid, which names the field; Conflict where the name stands for something else: it is never changed.
    """
    permitting.require(by, project.pk, Role.LEAD, Role.TRAINER, doing=_("Registering a checkpoint"))
    name = name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise Invalid("name", _("A checkpoint's name has 1 to 200 printable characters."))
    wanted = {
        "stage": _choice("stage", stage, Checkpoint.Stage.values),
        "fraction": _share("fraction", fraction),
        "weights_digest": _weights(weights_digest),
        "rl_steps": _whole("rl_steps", rl_steps),
        "arm": _choice("arm", arm, Checkpoint.Arm.values),
        "lineage": lineage[:200],
        "step": _whole("step", step),
    }
    if parent is not None and parent.project_id != project.pk:
        raise Invalid("parent", _("The parent is no checkpoint of this project."))
    if (known := Checkpoint.objects.filter(project=project, name=name).first()) is not None:
        differs = [field for field in SAMEABLE if getattr(known, field) != wanted[field]]
        differs += ["parent"] if known.parent_id != (parent.pk if parent else None) else []
        if differs:
            raise Conflict(
                _(
                    "A checkpoint '%(name)s' is registered with another %(fields)s. What is registered stays: "
                    "register it under a name of its own."
                )
                % {"name": name, "fields": ", ".join(differs)}
            )
        return known, False
    made = Checkpoint.objects.create(
        project=project, name=name, parent=parent, note=note, registered_by=by, **wanted
    )
    Event.objects.log(
        project.pk,
        "checkpoint.registered",
        by,
        made,
        name=name,
        parent=parent.name if parent else None,
        **wanted,
    )
    return made, True


@transaction.atomic
def measure(
    checkpoint: Checkpoint,
    key: str,
    value: float,
    *,
    by: User | None,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
    measured_on: date | None = None,
    file_name: str = "",
    file: bytes | None = None,
) -> Measurement:
    """Write what someone measured of a checkpoint. Of the file its name and SHA-256 are kept, not its content.

    Raises Invalid, which names the field.
    """
    doing = _("Recording a measurement")
    permitting.require(by, checkpoint.project_id, Role.LEAD, Role.TRAINER, doing=doing)
    if not KEY.fullmatch(key):
        raise Invalid("key", _("A measurement is named in small letters, digits and hyphens."))
    if not all(math.isfinite(number) for number in (value, low, high) if number is not None):
        raise Invalid("value", _("A measurement is a finite number."))
    if not (value if low is None else low) <= value <= (value if high is None else high):
        raise Invalid("low", _("The interval does not hold the value."))
    on = measured_on or timezone.localdate()
    if on > timezone.localdate():
        raise Invalid("measured_on", _("A measurement cannot be of a day to come."))
    made = Measurement.objects.create(
        checkpoint=checkpoint,
        key=key,
        value=value,
        low=low,
        high=high,
        n=_whole("n", n),
        measured_on=on,
        file_name=file_name[:200].replace("\0", ""),
        file_digest=None if file is None else hashlib.sha256(file).digest(),
        by=by,
    )
    Event.objects.log(
        checkpoint.project_id,
        "checkpoint.measured",
        by,
        checkpoint,
        key=key,
        value=value,
        low=low,
        high=high,
        n=n,
        on=on.isoformat(),
        file=made.file_digest.hex() if made.file_digest else None,
    )
    return made


@transaction.atomic
def attribute(sampler: Sampler, checkpoint: Checkpoint, *, by: User | None) -> Attribution:
    """Say which checkpoint a sampler was. The newest word counts; the same word again adds nothing."""
    doing = _("Saying which checkpoint a sampler was")
    permitting.require(by, checkpoint.project_id, Role.LEAD, Role.TRAINER, doing=doing)
    if sampler.round.project_id != checkpoint.project_id:
        raise Invalid("sampler", _("The sampler is of another project."))
    newest = sampler.attributions.order_by("-pk").first()
    if newest is not None and newest.checkpoint_id == checkpoint.pk:
        return newest
    made = Attribution.objects.create(sampler=sampler, checkpoint=checkpoint, by=by)
    Event.objects.log(
        checkpoint.project_id, "sampler.attributed", by, checkpoint, sampler=sampler.pk, model=sampler.model
    )
    return made


def checkpoint_of(sampler: Sampler) -> Checkpoint | None:
    """The checkpoint that a sampler was, as the newest word says; None where nobody said."""
    newest = sampler.attributions.select_related("checkpoint__project").order_by("-pk").first()
    return newest.checkpoint if newest else None


def named(project: Project, name: str, field: str = "checkpoint") -> Checkpoint:
    """The checkpoint of that name. Raises Invalid where there is none."""
    found = Checkpoint.objects.filter(project=project, name=name).select_related("project").first()
    if found is None:
        raise Invalid(
            field,
            _("There is no checkpoint '%(name)s' in this project. Register it first.")
            % {"name": name.replace("\0", "")[:200]},
        )
    return found


def _weights(digest: str) -> str:
    """As it is compared: small letters, without the name of the hash, so that the same weights are the same."""
    plain = digest.strip().lower().removeprefix("sha256:")
    if plain and not WEIGHTS.fullmatch(plain):
        raise Invalid(
            "weights_digest", _("A digest of weights has 8 to 128 letters and digits, as a hash is written.")
        )
    return plain


def _choice(field: str, value: str, known: list[Any]) -> str:
    if value not in known:
        raise Invalid(
            field,
            _("%(field)s is one of %(known)s; got '%(value)s'.")
            % {"field": field, "known": ", ".join(filter(None, known)), "value": value},
        )
    return value


def _share(field: str, value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 1:
        raise Invalid(field, _("%(field)s is a share, from 0 to 1.") % {"field": field})
    return value


def _whole(field: str, value: int | None) -> int | None:
    if value is not None and not 0 <= value < 2**31:
        raise Invalid(field, _("%(field)s is a whole number, not below 0.") % {"field": field})
    return value
