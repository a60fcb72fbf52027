"""Drafting: the four written lines, the configuration, the overrides; and ending without exporting, which is as good."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from reviews import governing, permitting, planning, targeting
from reviews.checking import drafts
from reviews.checking.drafts import Configuration
from reviews.checking.gate import Gate
from reviews.checking.report import Report
from reviews.errors import Conflict, Invalid, Unreadable
from reviews.formats import dataset_folder, rendered
from reviews.models import Dataset, Event, Override, Role, Round, Target, User
from reviews.policies.documents import Policy
from reviews.policies.thresholds import HARDER, TIERS

ALL_GATES = "dose and evidence"  # the command line's override is of every gate that has one
FEWEST_WORDS = 4


@dataclass(frozen=True)
class Lines:
    """What a draft begins with: why this matters, why training on outcomes will not do, what is expected, when to stop."""

    matters: str = ""
    not_outcomes: str = ""
    expected: str = ""
    stop_when: str = ""

    @property
    def written(self) -> bool:
        return all(len(line.split()) >= FEWEST_WORDS for line in asdict(self).values())

    def require(self) -> None:
        """Raise Invalid, naming the first line that says nothing."""
        for name, line in asdict(self).items():
            if len(line.split()) < FEWEST_WORDS:
                raise Invalid(name, _("Write this line in a few words: it goes out with the data set."))


def lines_of(dataset: Dataset) -> Lines:
    """The four lines as a data set has them."""
    return Lines(dataset.matters, dataset.not_outcomes, dataset.expected, dataset.stop_when)


@transaction.atomic
def draft(
    round: Round,
    formats: str,
    *,
    by: User | None,
    folder: Path | None = None,
    override: str = "",
    configuration: Configuration | None = None,
    lines: Lines | None = None,
    target: Target | None = None,
    max_length: int | None = None,
    matches: Dataset | None = None,
) -> Dataset:
    """A draft of what a round accepted, under the policy in force now; its target is the checkpoint's own by default.

    override: one reason for every gate that has an override; only whoever is on the server gives one.
    Raises Invalid for an unknown format or one that the policy does not allow, Unreadable for a full folder.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Exporting a data set"))
    version = governing.in_force(round)
    names = _formats(formats, governing.of(version))
    target = target or targeting.own_of(round)
    _require_target(names, target)
    Round.objects.select_for_update().get(pk=round.pk)
    last = Dataset.objects.filter(project=round.project_id).aggregate(last=Max("number"))["last"] or 0
    configuration = configuration or Configuration()
    dataset = Dataset(
        project_id=round.project_id,
        round=round,
        number=last + 1,
        created_by=by,
        formats=",".join(names),
        arm=configuration.arm,
        matches=matches,
        options=configuration.stored,
        policy_version=version,
        target=target,
        max_length=max_length,
        **asdict(lines or Lines()),
    )
    dataset.folder = str((folder or settings.EXPORTS / dataset.name).absolute())
    require_empty(Path(dataset.folder))
    nearest = next(place for place in Path(dataset.folder).parents if place.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise Unreadable(f"{dataset.folder} cannot be made: this user may not write in {nearest}.")
    dataset.save()
    if override.strip():
        governing.require_substance(override, _("This exports against the gates"))
        Override.objects.create(dataset=dataset, gate=ALL_GATES, by=by, reason=override.strip())
    Event.objects.log(
        round.project_id,
        "dataset.drafted",
        by,
        dataset,
        formats=dataset.formats,
        arm=dataset.arm,
        configuration=configuration.document,
    )
    return dataset


def _formats(formats: str, policy: Policy) -> list[str]:
    names = [name.strip() for name in formats.split(",") if name.strip()]
    for name in names:
        if name in HARDER and name not in policy.allows:
            raise Invalid(
                "format",
                _("'%(name)s' presses harder than selection, and the policy does not allow it. %(what)s")
                % {"name": name, "what": HARDER[name]},
            )
        if name not in dataset_folder.FORMATS:
            raise Invalid(
                "format",
                _("'%(name)s' is no format that can be exported; there is %(known)s.")
                % {"name": name, "known": ", ".join(dataset_folder.FORMATS)},
            )
    if not names:
        raise Invalid("format", _("Name at least one format."))
    return list(dict.fromkeys(names))


def _require_target(formats: list[str], target: Target | None) -> None:
    if rendered.NAME in formats and target is None:
        raise Invalid(
            "target",
            _(
                "The format rendered is written with one model's own template: name a target, or leave it out."
            ),
        )


def require_empty(folder: Path) -> None:
    """Raise Unreadable unless the folder is free to be made: a data set never mixes with what lies there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Unreadable(
            f"{folder} is not empty. A data set gets a folder of its own: name another one, or empty it."
        )


@transaction.atomic
def reconfigure(
    dataset: Dataset,
    given: dict[str, Any] | None,
    *,
    by: User | None,
    lines: Lines | None = None,
    formats: str = "",
    target: Target | None = None,
    max_length: int | None = None,
) -> Dataset:
    """Another configuration of a draft, its lines with it: another look. Raises Invalid, Conflict once it is frozen.

    given: None leaves the configuration as it is; so do no formats, and no target.
    """
    dataset = _open(dataset, by=by, doing=_("Changing a draft"))
    configuration = (
        drafts.of_dataset(dataset) if given is None else drafts.read({**given, "arm": dataset.arm})
    )
    if configuration.stored != bytes(dataset.options):
        dataset.options = configuration.stored
        Event.objects.log(
            dataset.project_id, "dataset.configured", by, dataset, configuration=configuration.document
        )
    if lines is not None:
        for name, line in asdict(lines).items():
            setattr(dataset, name, line)
    dataset.policy_version = governing.in_force(dataset.round)
    if target is not None:
        dataset.target, dataset.max_length = target, max_length
    if formats:
        names = _formats(formats, governing.of(dataset.policy_version))
        _require_target(names, dataset.target)
        dataset.formats = ",".join(names)
    dataset.save()
    return dataset


@transaction.atomic
def override(dataset: Dataset, reasons: dict[str, str], *, by: User | None) -> list[Override]:
    """A lead's written reasons against single gates, for ever. An empty reason overrides nothing.

    Raises Invalid for a gate that has no override or a reason without substance, Conflict once the data set is frozen.
    """
    dataset = _open(dataset, by=by, doing=_("Overriding a gate"))
    made = []
    for gate, reason in reasons.items():
        if not reason.strip():
            continue
        if gate in TIERS["integrity"]:
            raise Invalid(
                gate, _("The gate %(gate)s is one of integrity, which is never overridden.") % {"gate": gate}
            )
        if gate not in TIERS["dose"] + TIERS["evidence"]:
            raise Invalid(gate, _("'%(gate)s' is no gate.") % {"gate": gate})
        governing.require_substance(reason, _("This overrides the gate %(gate)s") % {"gate": gate})
        if dataset.overrides.filter(gate=gate).exists():
            continue
        made.append(Override.objects.create(dataset=dataset, gate=gate, by=by, reason=reason.strip()))
        Event.objects.log(
            dataset.project_id, "gate.overridden", by, dataset, gate=gate, reason=reason.strip()
        )
    return made


@transaction.atomic
def decline(dataset: Dataset, *, by: User | None, why: str = "", close: bool = False) -> Dataset:
    """End without exporting. close: the round as well. Raises Conflict once the data set is frozen."""
    dataset = _open(dataset, by=by, doing=_("Finishing without exporting"))
    dataset.state = Dataset.State.DECLINED
    dataset.save()
    Event.objects.log(dataset.project_id, "dataset.declined", by, dataset, why=why.strip(), closed=close)
    if close and dataset.round.state != Round.State.CLOSED:
        planning.set_state(dataset.round, Round.State.CLOSED, by=by)
    return dataset


def arms(dataset: Dataset, wanted: list[str], *, by: User | None) -> list[Dataset]:
    """Drafts of control arms with the prompts, rows and tokens of this one. Raises Invalid for an unknown arm."""
    found = []
    for arm in wanted:
        configuration = drafts.read({**drafts.of_dataset(dataset).document, "arm": arm})
        if arm == Dataset.Arm.SELECTED:
            raise Invalid("arm", _("A control is random-control or outcome-only."))
        found.append(
            draft(
                dataset.round,
                dataset.formats,
                by=by,
                folder=Path(f"{dataset.folder}-{arm}"),
                configuration=configuration,
                lines=lines_of(dataset),
                target=dataset.target,
                max_length=dataset.max_length,
                matches=dataset,
            )
        )
    return found


def overridden(dataset: Dataset, found: Report) -> list[str]:
    """The keys of the gates that stop this data set and are overridden."""
    given = set(dataset.overrides.values_list("gate", flat=True))
    return [
        gate.key
        for gate in found.stopping
        if gate.tier != "integrity" and (gate.key in given or ALL_GATES in given)
    ]


def standing_in_the_way(dataset: Dataset, found: Report) -> list[Gate]:
    """The gates that stop this data set still."""
    lifted = set(overridden(dataset, found))
    return [gate for gate in found.stopping if gate.key not in lifted]


def _open(dataset: Dataset, *, by: User | None, doing: str) -> Dataset:
    permitting.require(by, dataset.project_id, Role.LEAD, doing=doing)
    found = (
        Dataset.objects.select_for_update(of=("self",))
        .select_related("round__project", "round__spec_version")
        .get(pk=dataset.pk)
    )
    if found.state != Dataset.State.DRAFT or found.rows is not None:
        raise Conflict(_("This data set is no draft any more: what it holds is frozen."))
    return found
