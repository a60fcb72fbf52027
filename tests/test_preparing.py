"""Texts are rendered once by the worker; until then plain steps stand on the desk, and both are exact."""

from __future__ import annotations

from django.test import Client
from making import trace_row

from reviews import assigning, jobs, preparing
from reviews.models import Job, Rendering, Trace


def desk_of(user):
    client = Client(headers={"HX-Request": "true"})
    client.force_login(user)
    return client


def test_the_desk_shows_plain_steps_until_the_worker_has_rendered(import_rows, round, ada):
    import_rows([trace_row(1, reasoning="**bold** and $x^2$", answer="`code`")])
    client = desk_of(ada)
    page = client.post(f"/p/pilot/rounds/{round.pk}/next").text
    assert "<strong><span" not in page
    assert "**bold** and $x^2$" in page
    lease = assigning.next_for(ada, round).assignments[0]
    assert client.get(f"/assignments/{lease.pk}/rendered").status_code == 204

    preparing.render_trace(lease.trace_id)
    made = client.get(f"/assignments/{lease.pk}/rendered").text
    assert "<strong><span" in made
    assert "<math" in made
    assert "<strong><span" in client.post(f"/p/pilot/rounds/{round.pk}/next").text


def test_the_prompt_is_typeset_too_and_exact_one_key_away(import_rows, round, ada):
    messages = [
        {"role": "system", "content": "Be *brief*."},
        {"role": "user", "content": "What is $x^2$ for **x** = 3?"},
    ]
    import_rows([trace_row(1, prompt=messages)])
    trace = Trace.objects.get()
    assert "<math" not in desk_of(ada).post(f"/p/pilot/rounds/{round.pk}/next").text
    preparing.render_trace(trace.pk)
    page = desk_of(ada).post(f"/p/pilot/rounds/{round.pk}/next").text
    asked = page.split('class="part reasoning"')[0]
    assert "<math" in asked
    assert "<strong><span" in asked
    assert "Be *brief*." in asked  # the system prompt is compared word by word, so it stays as it is
    assert "$x^2$" in asked.split("<template data-raw>")[1]

    lease = assigning.next_for(ada, round).assignments[0]
    made = desk_of(ada).get(f"/assignments/{lease.pk}/rendered").text
    assert made.count("data-message") == 1
    assert "<math" in made


def test_a_round_is_rendered_by_a_job_that_goes_on_where_it_was(import_rows, round):
    import_rows([trace_row(number, reasoning=f"text {number}", answer="same") for number in range(5)])
    preparing.render_trace(Trace.objects.order_by("pk").first().pk)
    job = jobs.start(Job.Kind.RENDER_TEXTS, round.project_id, round.pk, by=None, unit="texts")
    preparing.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 4, 4)
    assert Rendering.objects.count() == 6
    preparing.run_job(jobs.start(Job.Kind.RENDER_TEXTS, round.project_id, round.pk, by=None, unit="texts").pk)
    assert Rendering.objects.count() == 6


def test_the_steps_of_the_source_are_the_steps_of_the_desk(import_rows, round, ada):
    steps = ["first\n\nstill first", "second"]
    import_rows([trace_row(1, reasoning="\n".join(steps), meta={"steps": steps})])
    preparing.render_trace(Trace.objects.get().pk)
    page = desk_of(ada).post(f"/p/pilot/rounds/{round.pk}/next").text
    assert page.count('data-step="') == 2


def test_a_million_characters_are_shown_and_can_be_judged(import_rows, round, ada):
    import_rows([trace_row(1, reasoning="word " * 200_000)])
    client = desk_of(ada)
    page = client.post(f"/p/pilot/rounds/{round.pk}/next")
    assert page.status_code == 200
    assert page.text.count("word ") >= 399_999  # the steps, and the raw text one key away
    lease = assigning.next_for(ada, round).assignments[0]
    done = client.post(f"/assignments/{lease.pk}/review", {"verdict": "accept", "key": str(lease.lease_key)})
    assert done.status_code == 200


def test_reference_and_outcome_are_hidden_unless_the_round_says_so(project, import_rows, ada):
    from reviews import planning

    row = trace_row(1, meta={"reference_answer": "SECRET REFERENCE", "outcome": "wrong"})
    for shows in (False, True):
        round, _ = planning.create_round(
            project, f"shows {shows}", by=None, shows_reference=shows, shows_outcome=shows
        )
        import_rows([row], into=round)
        page = desk_of(ada).post(f"/p/pilot/rounds/{round.pk}/next").text
        assert ("SECRET REFERENCE" in page) == shows
        assert ("by its checker" in page) == shows
