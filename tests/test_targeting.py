"""A data set names whose template its trainer uses, and is held against it row by row."""

from __future__ import annotations

import datasets
import pytest
from making import judge, trace_row, without_lines
from small_targets import CHAT, folder, tokenizer

from reviews import assigning, drafting, exporting, targeting, verifying
from reviews.errors import Invalid, NotAllowed
from reviews.formats import parquet, rendered, sft_inline
from reviews.models import Attribution, Checkpoint, Dataset, Event, Target, Trace
from reviews.targeting import TargetRefused

DROPS = CHAT.replace("message.reasoning_content", "message.none")


@pytest.fixture
def accepted(import_rows, round, ada):
    """Four traces with odd texts, all accepted."""
    odd = "\n\tWait — naïve? 🧮 {{ 7 }}\r\n "
    import_rows([trace_row(n, s, reasoning=odd * (n + 1) + str(s)) for n in range(2) for s in range(2)])
    for _ in range(4):
        judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    return list(Trace.objects.filter(round=round))


@pytest.fixture
def small(project, tmp_path) -> Target:
    return targeting.register_path(project, folder(tmp_path / "small"), by=None)


def drafted(round, formats, folder, target=None, **known) -> Dataset:
    without_lines(round.project)
    return drafting.draft(round, formats, by=None, folder=folder, target=target, **known)


def load(folder, format):
    return datasets.load_dataset(str(folder), format, split="train", cache_dir=str(folder) + ".cache")


def test_a_target_is_stored_byte_for_byte_and_once(project, lea, tmp_path):
    path = folder(tmp_path / "model", add_bos_token=False)
    target = targeting.register_path(project, path, by=lea)

    assert (target.name, bytes(target.template).decode(), bytes(target.tokenizer)) == (
        "model",
        CHAT,
        tokenizer(),
    )
    assert targeting.register_path(project, path, by=lea) == target
    assert Event.objects.filter(kind="target.registered").count() == 1
    assert targeting.register(project, "", {"chat_template.jinja": DROPS.encode()}, by=lea) != target


def test_lead_and_trainer_may_name_a_target_and_no_one_else(project, lea, tom, ada, aud, stranger):
    files = {"chat_template.jinja": CHAT.encode()}
    for may in (lea, tom):
        targeting.register(project, "small", files, by=may)
    for may_not in (ada, aud, stranger):
        with pytest.raises(NotAllowed):
            targeting.register(project, "small", files, by=may_not)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no chat template"),
        ({"chat_template.jinja": b"{% if %}"}, "no valid Jinja"),
        ({"chat_template.jinja": b"{{ raise_exception('No.') }}"}, "not even a plain question"),
        ({"chat_template.jinja": b"x", "tokenizer.json": b"{}"}, "cannot be used"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_and_not_stored(project, lea, files, says):
    with pytest.raises(TargetRefused, match=says):
        targeting.register(project, "m", files, by=lea)
    assert not Target.objects.exists()


def test_each_format_loads_with_the_texts_as_they_were_reviewed(accepted, round, small, tmp_path):
    out = tmp_path / "out"
    dataset = exporting.build(drafted(round, "sft,sft-inline,rendered", out, small))

    stored = {trace.digest_hex: trace for trace in Trace.objects.with_texts()}
    for row in load(out, "sft-inline"):
        trace = stored[row["trace_digest"]]
        assert sft_inline.split(row) == (trace.reasoning.as_text, trace.answer.as_text)
    for row in load(out, "rendered"):
        trace = stored[row["trace_digest"]]
        asked = trace.round_prompt.prompt.as_messages[-1]["content"]
        assert row["prompt"] == f"<s><|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n"
        said = f"<think>\n{trace.reasoning.as_text}\n</think>\n\n{trace.answer.as_text}<|im_end|>"
        assert row["completion"] == said
    found = verifying.verify(out)
    assert (found.problems, found.rows, found.compared) == ([], 12, True)
    longest = dataset.manifest_object["template"]["formats"]["sft"]["tokens"]["max"]
    assert f"The longest row has {longest:,} tokens" in (out / "train.py").read_text()
    assert dataset.state == "ready"


def test_rendered_without_a_target_is_refused_with_what_to_do(accepted, round, tmp_path):
    with pytest.raises(Invalid, match="name a target, or leave it out"):
        drafted(round, "rendered", tmp_path / "out")


def test_verify_makes_rendered_rows_again_and_finds_one_that_is_not_the_traces(
    accepted, round, small, tmp_path
):
    out = tmp_path / "out"
    dataset = exporting.build(drafted(round, "rendered", out, small))
    (shard,) = dataset.shards.all()
    path = out / shard.file
    forged = [
        row | {"completion": row["completion"].replace("naïve", "naive")} for row in parquet.read_rows(path)
    ]
    parquet.write(path, forged, rendered.SCHEMA)

    assert any("differs from the stored trace" in problem for problem in verifying.verify(out).problems)


def test_the_check_counts_verdicts_lengths_and_remedy_for_each_format(
    accepted, round, small, project, tmp_path
):
    dataset = drafted(round, "sft,sft-inline", tmp_path / "out", small, max_length=1000)
    exporting.freeze(dataset)
    dataset.refresh_from_db()
    told = []
    found = targeting.checked(dataset, lambda done, total: told.append((done, total)))

    assert (found["target"], found["tokenizer"], found["max_length"]) == ("small", True, 1000)
    assert found["formats"]["sft"]["verdicts"] == {"exact": 4}
    assert found["formats"]["sft"]["tokens"]["max"] > 100
    assert found["formats"]["sft"]["too_long"] == 0
    assert told[-1] == (8, 8)
    assert targeting.finding(found).holds


def test_a_template_that_drops_the_reasoning_is_named_with_row_and_remedy(accepted, round, project, tmp_path):
    target = targeting.register(project, "forgetful", {"chat_template.jinja": DROPS.encode()}, by=None)
    dataset = drafted(round, "sft", tmp_path / "out", target)
    exporting.freeze(dataset)
    dataset.refresh_from_db()
    gate = targeting.finding(targeting.checked(dataset))

    assert (gate.exact, gate.rows, gate.holds) == (0, 4, False)
    assert "forgetful" in gate.why
    assert "4 of 4 rows are not exact (4 dropped); the first is row 0" in gate.why
    assert "sft-inline" in gate.remedy


def test_without_a_target_there_is_nothing_to_check(accepted, round, tmp_path):
    dataset = drafted(round, "sft", tmp_path / "out")
    assert targeting.of(dataset) is None
    assert targeting.checked(dataset) is None


def test_the_checkpoints_own_target_is_that_of_the_one_checkpoint_that_sampled(
    accepted, round, project, tmp_path
):
    assert targeting.own_of(round) is None
    first, second = (
        Checkpoint.objects.create(project=project, name=name, stage="rl") for name in ("one", "two")
    )
    files = {"chat_template.jinja": CHAT.encode()}
    own = targeting.register(project, "own", files, by=None, checkpoint=first)
    (sampler,) = round.samplers.all()
    Attribution.objects.create(sampler=sampler, checkpoint=first)
    assert targeting.own_of(round) == own

    Attribution.objects.create(sampler=sampler, checkpoint=second)  # the newest counts, and it has none
    assert targeting.own_of(round) is None
