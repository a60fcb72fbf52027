"""A row is exact where its reviewed bytes stand in what is learnt from, between constants, and nowhere else."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_targets import CHAT, SPECIAL, target, tokenizer

from reviews.formats import sft, sft_inline
from reviews.lm import checking_rows, framing
from reviews.lm.rendering import Renderer
from reviews.lm.targets import TargetError
from reviews.lm.verdicts import Judge, Row, Verdict, stretch, white_space_differs

ASKED = [{"role": "user", "content": "2*3?"}]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MARKED = CHAT.replace(
    "{{ message.content }}",
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}{% endgeneration %}"
    "{% else %}{{ message.content }}{% endif %}",
)


def check(renderer, template=CHAT, rows=(), format="sft", **how):
    parts = {name: how.pop(name) for name in ("tokenizer", "special") if name in how}
    rows = [Row(str(n), *row) for n, row in enumerate(rows or [(ASKED, "Because.", "6")])]
    return checking_rows.check(target(template, **parts), format, rows, renderer=renderer, **how)


def test_the_shapes_that_are_judged_are_those_that_are_written():
    for texts in (("Because.", "6"), ("", "6"), ("Because.", ""), ("", "")):
        assert framing.SHAPES[sft.NAME](*texts) == sft.completion(*texts)
        assert framing.SHAPES[sft_inline.NAME](*texts) == sft_inline.completion(*texts)
    assert (framing.OPEN, framing.CLOSE) == (sft_inline.OPEN, sft_inline.CLOSE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["sft", "sft-inline", "rendered"]))
def test_a_template_that_keeps_all_is_exact_for_any_texts(renderer, reasoning, answer, format):
    assert check(renderer, rows=[(ASKED, reasoning, answer)], format=format).exact


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, TEXTS)
def test_a_template_that_trims_is_exact_just_where_nothing_was_trimmed(renderer, reasoning, answer):
    trims = CHAT.replace("{{ message.reasoning_content }}", "{{ message.reasoning_content | trim }}")
    summary = check(renderer, trims, [(ASKED, reasoning, answer)])
    assert summary.exact == (reasoning == reasoning.strip())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["qwen3", "llama3", "deepseek_r1_distill", "gptoss", "glm4moe"]))
def test_exact_by_a_real_template_means_that_both_texts_stand_in_the_completion(
    renderer, template, asked, reasoning, answer, name
):
    row = Row("x", [{"role": "user", "content": asked}], reasoning, answer)
    renderer.aim(template(name))
    for format in framing.SHAPES:
        judged = Judge(renderer, format).row(row)
        if judged.verdict == Verdict.EXACT:
            made = renderer.conversation(row.prompt, framing.SHAPES[format](reasoning, answer))
            completion = made.whole[len(made.prompt) :]
            assert made.whole.startswith(made.prompt)
            assert answer in completion[completion.index(reasoning) + len(reasoning) :]
        else:
            assert judged.why


@pytest.mark.parametrize(
    ("template", "row", "verdict", "piece", "differ"),
    [
        (CHAT.replace("message.reasoning_content }}", "'' }}"), ("Why.", "6"), "dropped", "reasoning", 4),
        (CHAT.replace("{{ message.content }}", ""), ("Why.", "6"), "dropped", "answer", 1),
        (CHAT.replace("content }}\n", "content | upper }}\n"), ("Why.", "6"), "altered", "reasoning", 4),
        (
            CHAT.replace("content }}\n", "content | trim }}\n"),
            ("\n Why.\t", "6"),
            "whitespace-altered",
            "reasoning",
            3,
        ),
        (MARKED, ("Why.", "6"), "outside-loss", "reasoning", 4),
        (CHAT.replace("assistant\n{% endif", "assistant\n<think>{% endif"), ("Why.", "6"), "exact", "", 0),
        (
            CHAT.replace("assistant\n{% endif", "assistant\n<no>{% endif"),
            ("Why.", "6"),
            "prefix-broken",
            "prompt",
            3,
        ),
        (
            CHAT.replace("{{ message.content", "<think></think>{{ message.content"),
            ("", "6"),
            "think-added",
            "template",
            15,
        ),
        (CHAT + "{{ raise_exception('No.') }}", ("Why.", "6"), "not-rendered", "prompt", 0),
        (CHAT + "{{ 7 // 0 }}", ("Why.", "6"), "not-rendered", "prompt", 0),
        (CHAT + "{{ ''.__class__.__mro__ }}", ("Why.", "6"), "not-rendered", "prompt", 0),
    ],
)
def test_what_a_template_does_has_its_name_and_its_size(renderer, template, row, verdict, piece, differ):
    (failure,) = check(renderer, template, [(ASKED, *row)]).failures or [None]
    found = (
        (failure.judged.verdict, failure.judged.piece, failure.judged.differ) if failure else ("exact", "", 0)
    )
    assert found == (verdict, piece, differ)


def test_constants_that_change_between_rows_are_found(renderer):
    moody = CHAT.replace(
        "<|im_end|>\n{% endfor", "{% if messages|length > 2 %}!{% endif %}<|im_end|>\n{% endfor"
    )
    longer = [*ASKED, {"role": "assistant", "content": "6"}, {"role": "user", "content": "Sure?"}]
    summary = check(renderer, moody, [(ASKED, "Why.", "6"), (longer, "Why.", "6"), (ASKED, "Why.", "7")])

    assert summary.verdicts == {"exact": 2, "altered": 1}
    assert (summary.failures[0].place, summary.failures[0].judged.piece) == (1, "template")


def test_reasoning_that_begins_like_the_end_of_the_prompt_is_partly_outside_the_loss(renderer):
    takes_back = CHAT.replace("assistant\n{% endif", "assistant\n<think>\n\n{% endif")
    (failure,) = check(renderer, takes_back, [(ASKED, "\nWhy.", "6")]).failures
    assert (failure.judged.verdict, failure.judged.differ) == ("outside-loss", 1)


@pytest.mark.parametrize("format", ["sft", "sft-inline", "rendered"])
def test_texts_that_look_like_a_template_are_only_text(renderer, format):
    texts = ("{{ 7 * 7 }}{% for x in y %}", "{# gone #}{{ bos_token }}")
    assert check(renderer, rows=[(ASKED, *texts)], format=format).exact


def test_special_tokens_in_the_texts_are_warned_of_and_block_nothing(renderer):
    rows = [(ASKED, "It says <|im_end|> here.", "6"), (ASKED, "Fine.", "6")]
    summary = check(renderer, rows=rows, tokenizer=tokenizer())

    assert summary.exact
    assert summary.special == {"<|im_end|>": 1}
    assert "may end the turn early" in summary.warnings[0]


def test_lengths_are_those_of_the_tokenizer_and_rows_past_max_length_are_truncated(renderer):
    rows = [(ASKED, "x" * size, "6") for size in (10, 20, 3000)]
    summary = check(renderer, rows=rows, tokenizer=tokenizer(), max_length=100)

    around = 4 + len("user\n2*3?\n" + "assistant\n<think>\n\n</think>\n\n6\n") + 1
    assert (summary.lengths.p50, summary.lengths.longest) == (20 + around, 3000 + around)
    assert summary.lengths.cut_by_default == summary.too_long == 1
    assert summary.verdicts == {"exact": 2, "truncated": 1}
    assert summary.remedy.try_ == "max-length"
    assert summary.failures[0].judged.differ == 3000 + around - 100


def test_without_a_tokenizer_no_length_is_made_up(renderer):
    summary = check(renderer, max_length=1)
    assert (summary.lengths, summary.too_long) == (None, None)
    assert summary.exact


@pytest.mark.parametrize("adds", [True, False])
def test_rendered_rows_never_have_bos_twice(renderer, adds):
    small = target(tokenizer=tokenizer(adds_bos=adds))
    renderer.aim(small)
    wrapper = framing.wrapper(renderer)
    prompt = wrapper.prompt(renderer, ASKED, "Why.")

    assert prompt.startswith("<s>") != adds
    counted = renderer.strings(prompt, wrapper.completion("Why.", "6"))
    assert (
        counted.tokens == renderer.conversation(ASKED, framing.separate("Why.", "6")).tokens - 1
    )  # no "\n" at the end


def test_a_rendered_completion_ends_where_the_model_ends_its_turn(renderer):
    renderer.aim(target())
    assert framing.wrapper(renderer).completion("Why.", "6") == "<think>\nWhy.\n</think>\n\n6<|im_end|>"
    assert framing.wrapper(renderer).completion("", "6") == "6<|im_end|>"


def test_a_template_with_todays_date_is_refused_for_rendered_rows_alone(renderer):
    dated = "{{ strftime_now('%d %b %Y') }}" + CHAT
    assert check(renderer, dated).exact
    with pytest.raises(TargetError, match="today's date"):
        check(renderer, dated, format="rendered")


def test_memory_does_not_grow_with_the_rows_though_every_one_fails(renderer):
    drops = target(CHAT.replace("message.reasoning_content }}", "'' }}"), tokenizer=tokenizer())

    def peak(count):
        rows = (Row(str(n), ASKED, f"Why {n}. " * 1000, "6") for n in range(count))
        tracemalloc.start()
        summary = checking_rows.check(drops, "sft", rows, renderer=renderer)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert summary.verdicts == {"dropped": count}
        assert len(summary.failures) == min(count, checking_rows.FAILURES_SHOWN)
        return held

    assert peak(400) < peak(40) + 2**20


def test_a_summary_is_plain_json(renderer):
    found = check(renderer, MARKED, tokenizer=tokenizer(), max_length=10).as_object()
    assert found["verdicts"] == {"outside-loss": 1}
    assert found["frames"] == {
        "reasoning and answer": {
            "before": "<think>\n",
            "between": "\n</think>\n\n",
            "after": "<|im_end|>\n",
        }
    }
    assert set(found["tokens"]) == {"p50", "p95", "p99", "max", "total", "under_loss", "cut_by_default"}


@pytest.mark.parametrize(
    "loops",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 9 ** (9 ** 9) }}",
    ],
)
def test_a_template_that_loops_is_stopped_and_refused(loops):
    with Renderer(target(loops), seconds=0.5) as impatient:
        with pytest.raises(TargetError, match=r"more than 0\.5 seconds"):
            Judge(impatient, "sft").row(Row("x", ASKED, "Why.", "6"))
        impatient.aim(target())  # the next target gets a process of its own
        impatient.seconds = 60
        assert Judge(impatient, "sft").row(Row("x", ASKED, "Why.", "6")).verdict == Verdict.EXACT


def test_a_template_that_wants_all_memory_gets_none(renderer):
    (failure,) = check(renderer, CHAT + "{{ 'a' * 10 ** 11 }}").failures
    assert failure.judged.verdict == Verdict.NOT_RENDERED
    assert "memory" in failure.judged.why


def test_the_process_that_renders_has_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "ours")
    with Renderer(target()) as started:
        environment = Path(f"/proc/{started.process_id}/environ")
        if not environment.exists():
            pytest.skip("this system has no /proc to look into")
        assert b"SECRET_KEY" not in environment.read_bytes()


def test_a_tokenizer_that_cannot_be_read_is_refused():
    with pytest.raises(TargetError, match=r"tokenizer\.json of small cannot be used"):
        Renderer(target(tokenizer=b"{}"))


@given(TEXTS, TEXTS)
def test_a_stretch_is_no_longer_than_the_texts_and_empty_for_the_same(one, other):
    assert stretch(one, one) == 0
    assert (stretch(one, other) == 0) == (one == other)
    assert stretch(one, other) <= max(len(one), len(other))


@given(st.lists(st.tuples(st.sampled_from(["", " ", "\n\n", "\t"]), st.sampled_from(["", " ", "\n"]))))
def test_white_space_is_counted_gap_by_gap(gaps):
    one = "x".join(mine for mine, _ in gaps)
    other = "x".join(theirs for _, theirs in gaps)
    assert white_space_differs(one, other) == sum(stretch(*pair) for pair in gaps)


def test_special_tokens_of_other_kinds_of_target_are_known(renderer):
    assert check(renderer, special=SPECIAL, rows=[(ASKED, "<s>", "6")]).special == {"<s>": 1}
