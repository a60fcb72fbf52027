"""Projects and rounds: making them, opening, pausing and closing them."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Conflict, Invalid, NotAllowed
from reviews.formats import canonical
from reviews.models import Event, Member, Project, Role, Round, SamplingPlan, User

# What a round's plan may say beside who reads what how often. Fixed once someone has judged.
PLAN = (
    "mode",
    "answer_first_share",
    "full_clause_share",
    "gold_rate",
    "repeat_rate",
    "repeat_after_days",
    "training",
    "qualify_in",
    "shows_reference",
    "shows_outcome",
    "shows_own_figures",
    "prefilter",
    "subset_share",
)


@transaction.atomic
def create_project(slug: str, *, name: str = "", by: User | None = None) -> tuple[Project, bool]:
    """The project named `slug`, and whether it is new. One that exists is left as it is.

    Only the instance's administrator makes projects; whoever does leads it. Raises Invalid, NotAllowed.
    """
    if by is not None and not by.is_superuser:
        raise NotAllowed(_("Making a project"), _("administrator"))
    try:
        validate_slug(slug)
    except ValidationError:
        raise Invalid(
            "slug",
            _("'%(slug)s' cannot name a project: use letters, digits, hyphens and underscores.")
            % {"slug": slug},
        ) from None
    if len(slug) > 60:
        raise Invalid("slug", _("A project's short name has at most 60 characters."))
    project, new = Project.objects.get_or_create(slug=slug, defaults={"name": name or slug})
    if new:
        if by is not None:
            Member.objects.create(project=project, user=by, role=Role.LEAD)
        Event.objects.log(project.pk, "project.created", by, project, slug=slug)
    return project, new


@transaction.atomic
def create_round(
    project: Project,
    name: str,
    *,
    by: User | None,
    overlap: int = 1,
    double_share: float = 0.2,
    rule: str = Round.Rule.AGREE,
    k: int | None = None,
    **more: Any,
) -> tuple[Round, bool]:
    """The round `name` of a project, and whether it is new. One that exists is left as it is.

    more: further columns of the plan, as `PLAN` names them. Its spec is the newest published version; its seed is drawn
    now and decides all that is random in it. Raises Invalid, NotAllowed.
    """
    permitting.require(by, project.pk, Role.LEAD, doing=_("Making a round"))
    if not name.strip() or len(name) > 200:
        raise Invalid("name", _("A round's name has 1 to 200 characters."))
    if not 1 <= overlap <= 20:
        raise Invalid(
            "overlap",
            _("Overlap is how many people read each trace, from 1 to 20; got %(overlap)s.")
            % {"overlap": overlap},
        )
    if not 0 <= double_share <= 1:
        raise Invalid(
            "double_share",
            _("The share of traces read twice lies between 0 and 1; got %(double_share)s.")
            % {"double_share": double_share},
        )
    if rule not in Round.Rule.values:
        raise Invalid(
            "rule",
            _("The rule is one of %(known)s; got '%(rule)s'.")
            % {"known": ", ".join(Round.Rule.values), "rule": rule},
        )
    plan: dict[str, Any] = {"overlap": overlap, "double_share": double_share, "rule": rule, "k": k, **more}
    _check_more(project, more)
    round, new = Round.objects.get_or_create(
        project=project,
        name=name,
        defaults={
            **plan,
            "seed": secrets.token_hex(16),
            "spec_version": project.spec_versions.order_by("-number").first(),
        },
    )
    if new:
        told = {**plan, "qualify_in": round.qualify_in_id} if "qualify_in" in plan else plan
        Event.objects.log(project.pk, "round.created", by, round, name=name, seed=round.seed, **told)
    return round, new


def _check_more(project: Project, more: dict[str, Any]) -> None:
    """Hold the further columns of a plan against their bounds. Raises Invalid."""
    if unknown := sorted(set(more) - set(PLAN)):
        raise Invalid(unknown[0], _("'%(name)s' is no part of a round's plan.") % {"name": unknown[0]})
    if more.get("mode", Round.Mode.ABSOLUTE) not in Round.Mode.values:
        raise Invalid(
            "mode",
            _("The mode is one of %(known)s; got '%(more)s'.")
            % {"known": ", ".join(Round.Mode.values), "more": more["mode"]},
        )
    for name in ("answer_first_share", "full_clause_share"):
        if not 0 <= more.get(name, 0) <= 1:
            raise Invalid(name, _("A share lies between 0 and 1; got %(name)s.") % {"name": more[name]})
    for name in ("gold_rate", "repeat_rate"):
        if not 0 <= more.get(name, 0) <= 0.5:
            raise Invalid(
                name,
                _("At most half of what a reader gets can be of this kind; got %(name)s.")
                % {"name": more[name]},
            )
    if more.get("prefilter", "") not in Round.Prefilter.values:
        raise Invalid(
            "prefilter",
            _("The pre-filter is 'correct' or nothing; got '%(prefilter)s'.")
            % {"prefilter": more["prefilter"]},
        )
    if not 0 < more.get("subset_share", 1) <= 1:
        raise Invalid(
            "subset_share",
            _("The share of traces that is queued is above 0 and at most 1; got %(share)s.")
            % {"share": more["subset_share"]},
        )
    if not 0 <= more.get("repeat_after_days", 7) <= 365:
        raise Invalid("repeat_after_days", _("A repeat comes after 0 to 365 days."))
    training = more.get("qualify_in")
    if training is not None and (training.project_id != project.pk or not training.training):
        raise Invalid("qualify_in", _("Readers qualify in a training round of the same project."))


@transaction.atomic
def plan_samples(round: Round, document: Any, *, by: User | None) -> SamplingPlan:
    """Register what is going to be sampled, before it is: prompts by K, and a seed for each place where they are known.

    document: {"k", "prompts": [ids], "models": [names]?, "seeds": [one for each of 0…k-1]?}. The same again is the same.
    Raises Invalid, naming the key; Conflict where the round has another plan.
    """
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Registering what is going to be sampled"))
    plan = _plan(document)
    if (known := SamplingPlan.objects.filter(round=round).first()) is not None:
        if known.as_document == plan:
            return known
        raise Conflict(_("This round has a plan already, and a plan never changes. Start another round."))
    made = SamplingPlan.objects.create(
        round=round,
        document=canonical.dump(plan),
        digest=canonical.digest(plan),
        traces_before=round.traces.count(),
        by=by,
    )
    Event.objects.log(
        round.project_id, "samples.planned", by, round, digest=made.digest.hex(), before=made.traces_before
    )
    return made


def _plan(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise Invalid("plan", _("A plan is one JSON object."))
    k, prompts = document.get("k"), document.get("prompts")
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= 100_000:
        raise Invalid("k", _("K is a whole number of samples a prompt."))
    if not isinstance(prompts, list) or not prompts or not all(isinstance(name, str) for name in prompts):
        raise Invalid("prompts", _("The plan's prompts are a list of their ids."))
    plan: dict[str, Any] = {"k": k, "prompts": sorted(set(prompts))}
    if document.get("models") is not None:
        if not isinstance(document["models"], list) or not all(
            isinstance(one, str) for one in document["models"]
        ):
            raise Invalid("models", _("The plan's models are a list of names."))
        plan["models"] = sorted(set(document["models"]))
    if document.get("seeds") is not None:
        if not isinstance(document["seeds"], list) or len(document["seeds"]) != k:
            raise Invalid("seeds", _("The plan's seeds are a list of K, one for each place."))
        plan["seeds"] = document["seeds"]
    return plan


@transaction.atomic
def set_state(round: Round, state: str, *, by: User | None) -> Round:
    """Open, pause or close a round. A paused or closed one gives out no traces; verdicts on held leases still count."""
    permitting.require(by, round.project_id, Role.LEAD, doing=_("Opening, pausing or closing a round"))
    if state not in Round.State.values:
        raise Invalid(
            "state",
            _("A round is one of %(known)s; got '%(state)s'.")
            % {"known": ", ".join(Round.State.values), "state": state},
        )
    if round.state != state:
        round.state = state
        round.save(update_fields=["state"])
        Event.objects.log(round.project_id, f"round.{state}", by, round)
    return round
