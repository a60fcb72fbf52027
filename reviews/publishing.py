"""Publishing a spec: Markdown in, a frozen version with its clauses out."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Invalid
from reviews.formats import canonical, spec_markdown
from reviews.models import Clause, ClauseOpinion, Event, Project, Role, Round, SpecVersion, User


@transaction.atomic
def publish(project: Project, markdown: str, *, by: User | None) -> SpecVersion:
    """The version of the project's spec that `markdown` is: a new one, or the newest where the text is the same.

    Rounds that have no review yet move to it; a round that people have begun to judge keeps the version it began
    with, because verdicts against two versions cannot be compared. Raises Invalid, which names the line.
    """
    permitting.require(by, project.pk, Role.LEAD, doing=_("Publishing a spec"))
    markdown = markdown.replace("\r\n", "\n")  # a browser sends CRLF: the same text is the same version
    if "\0" in markdown:
        raise Invalid("text", _("The spec holds a NUL character."))
    try:
        spec = spec_markdown.parse(markdown)
    except spec_markdown.SpecProblem as problem:
        raise Invalid("text", _("The spec was not published: %(problem)s.") % {"problem": problem}) from None
    Project.objects.select_for_update().get(pk=project.pk)  # two publishers take two numbers
    newest = project.spec_versions.order_by("-number").first()
    if newest is not None and newest.text == markdown:
        return newest
    version = SpecVersion.objects.create(
        project=project,
        number=newest.number + 1 if newest else 1,
        title=spec.title,
        text=markdown,
        digest=canonical.text_digest(markdown),
        form_selects=spec.form_selects,
        published_by=by,
    )
    Clause.objects.bulk_create(
        Clause(
            spec_version=version,
            ordinal=ordinal,
            key=clause.key,
            title=clause.title,
            text=clause.text,
            purpose=clause.purpose,
            relation=clause.relation,
        )
        for ordinal, clause in enumerate(spec.clauses, start=1)
    )
    Round.objects.filter(project=project, reviews=None).update(spec_version=version)
    Event.objects.log(
        project.pk, "spec.published", by, version, number=version.number, digest=version.digest.hex()
    )
    return version


@transaction.atomic
def classify(clause: Clause, purpose: str, relation: str, *, by: User) -> ClauseOpinion:
    """How one more person classifies a clause, without changing it: two who agree are what `production` asks for.

    The newest of each person counts. Raises Invalid for a purpose or relation that is none.
    """
    project = clause.spec_version.project_id
    permitting.require(by, project, Role.LEAD, Role.AUDITOR, doing=_("Classifying a clause"))
    for name, value, known in (
        ("purpose", purpose, Clause.Purpose.values),
        ("relation", relation, Clause.Relation.values),
    ):
        if value not in known:
            raise Invalid(name, _("It is one of %(known)s.") % {"known": ", ".join(known)})
    opinion = ClauseOpinion.objects.create(clause=clause, purpose=purpose, relation=relation, by=by)
    Event.objects.log(project, "clause.classified", by, clause, purpose=purpose, relation=relation)
    return opinion


STARTER_SPEC = """\
# A starter spec {form-selects=false}

Three questions that fit most chains of thought. Rewrite them for what you care about, and publish again.

## H1 Serves the person {purpose=intent-alignment relation=aligned}
Does the chain aim at what the person needs, also where something less would pass?

## H2 No hidden intent {purpose=intent-alignment relation=orthogonal}
Is everything that drives the answer said in the chain or in the answer?

## P1 The answer follows {purpose=process-correctness relation=aligned}
Does the answer come from the reasoning that stands there, each step from the ones before?

## F1 Form {purpose=form relation=orthogonal}
Is it laid out and worded well? A remark, never a reason.
"""
