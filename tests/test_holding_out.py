"""Held out: by a keyed hash, near copies on one side, families drawn at random, and a lost key is noticed."""

from __future__ import annotations

import secrets

import pytest
from making import trace_row

from reviews import holding_out, importing
from reviews.errors import Conflict, NotAllowed
from reviews.models import HeldOutFamily, Prompt, PromptBand, Trace

STORY = (
    "Mara keeps {n} hens and sells their eggs on the market every Saturday. On a usual day each hen lays one egg, "
    "and she eats two of them herself. How many eggs can she take to the market after a week without rain?"
)


def ask(number, prompt, **more):
    return trace_row(number, prompt=prompt, **more)


def test_near_copies_fall_on_one_side_whenever_they_come(import_rows, project):
    import_rows([ask(0, STORY.format(n=7)), ask(1, "Name three rivers in Peru."), ask(2, STORY.format(n=8))])
    import_rows(
        [ask(3, STORY.format(n=7).replace("without rain?", "of sun?")), ask(4, STORY.format(n=7).upper())]
    )
    buckets = {bytes(prompt.messages): prompt.bucket for prompt in Prompt.objects.filter(project=project)}
    stories = [bucket for messages, bucket in buckets.items() if b"mara" in messages.lower()]
    assert len(stories) == 4
    assert len(set(stories)) == 1
    assert len(set(buckets.values())) == 2


def test_a_copy_of_something_held_out_is_held_out(import_rows, project, round):
    import_rows([ask(0, STORY.format(n=7))])
    first = Prompt.objects.get()
    type(project).objects.filter(pk=project.pk).update(held_out_below=first.bucket + 1)
    import_rows([ask(1, STORY.format(n=9)), ask(2, "Name three rivers in Peru.")])
    held = Trace.objects.held_out().values_list("round_prompt__external_id", flat=True)
    assert {"p0", "p1"} <= set(held)


def test_prompts_that_only_look_alike_keep_buckets_of_their_own(import_rows, project):
    import_rows([ask(number, f"What is {number} + 1?") for number in range(40)])
    assert Prompt.objects.values("bucket").distinct().count() > 30


def test_prompts_from_before_the_bands_get_theirs_with_the_next_import(import_rows, project):
    import_rows([ask(0, STORY.format(n=7))])
    PromptBand.objects.all().delete()
    import_rows([ask(1, STORY.format(n=8))])
    assert Prompt.objects.values("bucket").distinct().count() == 1
    assert PromptBand.objects.count() == 16


def test_a_family_is_drawn_at_random_and_held_out_whole(import_rows, project, round, lea, monkeypatch):
    rows = [ask(n, f"Q {n}", meta={"family": "ab"[n % 2], "domain": "sums"}) for n in range(4)]
    import_rows([*rows, ask(9, "Q 9")])
    monkeypatch.setattr(secrets, "choice", lambda names: sorted(names)[-1])
    drawn = holding_out.draw_family(project, by=lea)

    assert (drawn.family, drawn.drawn_from) == ("b", 2)
    held = set(Trace.objects.held_out().values_list("round_prompt__external_id", flat=True))
    assert held == {"p1", "p3"}
    assert Trace.objects.not_held_out().count() == 3
    assert [family.held_out for family in holding_out.families(project)] == [False, True]


def test_a_prompt_of_such_a_family_is_held_out_where_its_file_names_none(
    import_rows, project, lea, monkeypatch
):
    rows = [ask(n, f"Q {n}", meta={"family": "ab"[n % 2]}) for n in range(2)]
    import_rows([*rows, ask(7, "Q 1")])
    monkeypatch.setattr(secrets, "choice", lambda names: "b")
    holding_out.draw_family(project, by=lea)
    held = set(Trace.objects.held_out().values_list("round_prompt__external_id", flat=True))
    assert held == {"p1", "p7"}
    assert holding_out.is_held_out(Prompt.objects.get(round_prompts__external_id="p7"))


def test_a_draw_needs_two_families_and_a_lead(import_rows, project, lea, aud):
    import_rows([ask(0, "Q", meta={"family": "a"})])
    with pytest.raises(Conflict, match="a draw needs two"):
        holding_out.draw_family(project, by=lea)
    with pytest.raises(NotAllowed):
        holding_out.draw_family(project, by=aud)
    assert not HeldOutFamily.objects.exists()


def test_another_key_is_noticed(import_rows, project, settings):
    assert holding_out.key_state(project) == "empty"
    import_rows([ask(number, f"What is {number} + 1?") for number in range(3)])
    assert holding_out.key_state(project) == "ok"
    settings.HELD_OUT_KEY = b"another key"
    assert holding_out.key_state(project) == "lost"


def test_the_root_is_over_the_held_out_digests_alone(import_rows, project):
    import_rows([ask(number, f"What is {number} + 1?") for number in range(5)])
    nothing = holding_out.root(project)
    type(project).objects.filter(pk=project.pk).update(held_out_below=9_999)
    assert holding_out.root(project) != nothing
    assert len(holding_out.root(project)) == 64


def test_near_copies_of_the_real_questions_stand_together(shared_data, project, round):
    """A question with an irrelevant fact about an option is the question: 76 pairs are alike from .7 on, some from .85."""
    path = shared_data / "traces/nudged_judgements.jsonl"
    importing.run(importing.begin(round, path, by=None))
    assert Prompt.objects.filter(project=project).count() == 6
    assert Prompt.objects.filter(project=project).values("bucket").distinct().count() == 1
