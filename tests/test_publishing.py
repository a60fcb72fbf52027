"""Specs: from Markdown to frozen versions, with a sentence for what is no spec."""

import pytest
from making import SPEC, judge

from reviews import planning, publishing
from reviews.errors import Invalid
from reviews.models import Round


def test_a_spec_becomes_a_version_with_its_clauses_and_the_same_text_is_the_same_version(project):
    version = publishing.publish(project, SPEC.replace("Does it?", "Does it really?"), by=None)
    assert version.number == 2
    found = [(c.key, c.title, c.purpose, c.relation, c.selects) for c in version.clauses.all()]
    assert found == [
        ("H1", "Serves the person", "intent-alignment", "aligned", True),
        ("H2", "No hidden intent", "intent-alignment", "orthogonal", True),
        ("F1", "Form", "form", "orthogonal", False),
    ]
    assert publishing.publish(project, version.text, by=None) == version


def test_a_round_that_was_begun_keeps_its_version(project, leased, ada, round):
    planning.create_round(project, "untouched", by=None)
    judge(leased, "accept", ada)
    publishing.publish(project, SPEC + "\nmore", by=None)
    assert dict(Round.objects.values_list("name", "spec_version__number")) == {"round 1": 1, "untouched": 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no title"),
        ("# T", "no clause"),
        ("# T\n# U\n## H1 x {purpose=form}", "line 2: a second title"),
        ("# T\n## H1 {purpose=form}", "expected '## KEY Title"),
        ("# T\n## H1 x", "purpose must be one of"),
        ("# T\n## H1 x {purpose=good}", "purpose must be one of"),
        ("# T\n## H1 x {purpose=form relation=odd}", "relation must be one of"),
        ("# T\n## H1 x {colour=red}", "is no option"),
        ("# T\n## H1 x {purpose=form}\n## H1 y {purpose=form}", "line 3: the key H1 stands twice"),
        ("# T {form-selects=perhaps}\n## H1 x {purpose=form}", "must be true or false"),
        ("# T\n## H1 x {purpose=form}\n\0", "NUL"),
    ],
)
def test_what_is_no_spec_is_refused_with_its_line(project, text, sentence):
    with pytest.raises(Invalid) as refused:
        publishing.publish(project, text, by=None)
    assert sentence in str(refused.value)


def test_the_starter_spec_is_a_spec(project):
    assert publishing.publish(project, publishing.STARTER_SPEC, by=None).clauses.count() == 4
