"""What was accepted goes out byte for byte, once frozen never changed, and never what is held out."""

from __future__ import annotations

import csv
import json

import datasets
import pytest
from django.db import connection
from making import judge, trace_row, without_lines

from reviews import assigning, drafting, exporting, governing, jobs, reviewing, verifying
from reviews.errors import Conflict, Unreadable
from reviews.formats import parquet
from reviews.models import Dataset, Decision, Job, Membership, Project, Prompt, Review, Trace
from reviews.policies import documents


@pytest.fixture(autouse=True)
def policy(project):
    """How data sets are written is one thing, whether they may be another: see tests/checking."""
    return without_lines(project)


@pytest.fixture
def judged(traces, round, ada):
    """Every other trace accepted, the others rejected."""
    for number in range(len(traces)):
        assignment = assigning.next_for(ada, round).assignments[0]
        judge(assignment, "accept" if number % 2 else "reject", ada)
    return traces


def export(round, folder, **options) -> Dataset:
    dataset = drafting.draft(round, "sft", by=None, folder=folder, **options)
    return exporting.build(dataset)


def load(folder, cache):
    return datasets.load_dataset(str(folder), split="train", cache_dir=str(cache))


def test_datasets_loads_exactly_what_was_accepted(judged, round, tmp_path):
    dataset = export(round, tmp_path / "out")

    loaded = load(tmp_path / "out", tmp_path / "cache")
    accepted = Trace.objects.with_texts().filter(decision__state="accepted")
    stored = {trace.digest_hex: trace for trace in accepted}
    assert dataset.state == "ready"
    assert {row["trace_digest"] for row in loaded} == set(stored)
    for row in loaded:
        trace = stored[row["trace_digest"]]
        assert row["prompt"] == trace.round_prompt.prompt.as_messages
        assert row["completion"] == [
            {
                "role": "assistant",
                "content": trace.answer.as_text,
                "reasoning_content": trace.reasoning.as_text,
            }
        ]
    assert [row["trace_digest"] for row in loaded] == sorted(stored)


def test_the_same_decisions_give_the_same_shards_and_digest(judged, round, tmp_path):
    first, second = export(round, tmp_path / "one"), export(round, tmp_path / "two")

    files = [
        sorted(path.relative_to(folder) for path in folder.rglob("*.parquet"))
        for folder in (tmp_path / "one", tmp_path / "two")
    ]
    assert files[0] == files[1]
    assert (tmp_path / "one" / files[0][0]).read_bytes() == (tmp_path / "two" / files[0][0]).read_bytes()
    assert first.digest == second.digest


def test_later_verdicts_change_nothing_in_a_data_set(judged, round, ada, tmp_path):
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    exporting.freeze(dataset)
    members = list(dataset.memberships.values_list("trace", flat=True))
    Decision.objects.update(state="rejected")
    exporting.build(Dataset.objects.get(pk=dataset.pk))
    assert sorted(row["trace_digest"] for row in load(tmp_path / "out", tmp_path / "cache")) == sorted(
        Trace.objects.get(pk=pk).digest_hex for pk in members
    )


def test_held_out_prompts_never_go_out(judged, round, project, tmp_path):
    buckets = sorted(
        Prompt.objects.filter(round_prompts__traces__decision__state="accepted").values_list(
            "bucket", flat=True
        )
    )
    Project.objects.filter(pk=project.pk).update(held_out_below=buckets[0] + 1)
    round.refresh_from_db()
    export(round, tmp_path / "out")

    held = {bytes(prompt.digest).hex() for prompt in Prompt.objects.filter(bucket__lte=buckets[0])}
    loaded = load(tmp_path / "out", tmp_path / "cache")
    assert held
    assert not held & {row["prompt_digest"] for row in loaded}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["counts"]["left_out"]["held-out"] > 0
    assert (
        sum(manifest["counts"]["left_out"].values()) + manifest["counts"]["exported"]
        == manifest["counts"]["sampled"]
    )


def test_a_prompt_that_was_held_out_cannot_be_put_into_a_membership(judged, round, project, tmp_path):
    Project.objects.filter(pk=project.pk).update(held_out_below=9999)
    round.refresh_from_db()
    with pytest.raises(Conflict, match="Nothing can be exported"):
        export(round, tmp_path / "out")
    assert not Membership.objects.exists()
    assert not (tmp_path / "out").exists()


def test_case_and_white_space_fall_on_the_same_side(import_rows):
    import_rows(
        [
            trace_row(1, 0, prompt="What is it?"),
            trace_row(2, 0, prompt="  what\n IS it? "),
            trace_row(
                3,
                0,
                prompt=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "What is it?"},
                ],
            ),
        ]
    )
    assert Prompt.objects.values("bucket").distinct().count() == 1
    assert Prompt.objects.count() == 3


def test_a_folder_that_is_not_empty_is_left_alone(judged, round, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(Unreadable, match="not empty"):
        export(round, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_export_that_was_broken_off_ends_with_the_same_bytes(judged, round, tmp_path, settings):
    settings.SHARD_BYTES = 30  # a shard for each trace
    whole = export(round, tmp_path / "whole")

    class Killed(Exception):
        pass

    def die(done, total):
        if done >= 2:
            raise Killed

    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "broken")
    with pytest.raises(Killed):
        exporting.build(dataset, progress=die)
    assert not (tmp_path / "broken").exists()
    again = exporting.build(Dataset.objects.get(pk=dataset.pk))

    assert again.digest == whole.digest
    names = [
        sorted(str(p.relative_to(f)) for p in f.rglob("*")) for f in (tmp_path / "whole", tmp_path / "broken")
    ]
    assert names[0] == names[1]
    assert len(list((tmp_path / "broken").rglob("*.parquet"))) == whole.rows == 3


def test_a_missing_or_a_stray_shard_is_refused_by_datasets(judged, round, tmp_path, settings):
    settings.SHARD_BYTES = 30
    export(round, tmp_path / "out")
    next((tmp_path / "out").rglob("*.parquet")).unlink()
    with pytest.raises((ValueError, FileNotFoundError)):
        load(tmp_path / "out", tmp_path / "cache")


def test_verify_finds_a_flipped_byte_a_stray_file_and_a_changed_manifest(judged, round, tmp_path, command):
    export(round, tmp_path / "out")
    assert command("verify_dataset", tmp_path / "out") == {"ok": True, "rows": 3, "problems": []}

    shard = next((tmp_path / "out").rglob("*.parquet"))
    good = shard.read_bytes()
    shard.write_bytes(good[:200] + bytes([good[200] ^ 1]) + good[201:])
    with pytest.raises(SystemExit) as left:
        command("verify_dataset", tmp_path / "out")
    assert left.value.code == 1
    shard.write_bytes(good)

    (shard.parent / "stray.parquet").write_bytes(good)
    with pytest.raises(SystemExit):
        command("verify_dataset", tmp_path / "out")
    (shard.parent / "stray.parquet").unlink()

    path = tmp_path / "out" / "manifest.json"
    path.write_text(path.read_text().replace('"exported": 3', '"exported": 4'))
    with pytest.raises(SystemExit):
        command("verify_dataset", tmp_path / "out")


def test_a_row_that_was_forged_with_all_its_hashes_is_found_against_the_trace(judged, round, tmp_path):

    from reviews.formats import canonical, sft

    export(round, tmp_path / "out")
    shard = next((tmp_path / "out").rglob("*.parquet"))
    rows = list(parquet.read_rows(shard))
    rows[0]["completion"][0]["reasoning_content"] += " and so on"
    made = parquet.write(shard, rows, sft.SCHEMA)
    path = tmp_path / "out" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["shards"][0] |= {"sha256": made.sha256.hex(), "logical": made.logical.hex()}
    manifest["digest"] = canonical.digest([["sft", "train", made.logical.hex()]]).hex()
    path.write_text(json.dumps(manifest))
    assert any(
        "differs from the stored trace" in problem for problem in verifying.verify(tmp_path / "out").problems
    )


def test_an_override_stays_in_manifest_and_card(judged, round, project, tmp_path, command):
    lines = without_lines(project).as_document
    lines["thresholds"] |= {
        "selection.prompts": 20,
        "samples-per-prompt.block": 4,
        "behaviour-floor.floor": 0.5,
    }
    governing.publish(project, documents.read(lines), by=None)
    found = command(
        "export_dataset",
        "--project",
        "pilot",
        "--round",
        round.name,
        "--out",
        tmp_path / "out",
        "--override",
        "a dry run for the trainer",
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())

    assert found["overridden"] is True
    assert found["verdict"] == manifest["verdict"] == "block"
    assert manifest["uncertified"]
    assert manifest["name"].endswith("UNCERTIFIED")
    assert manifest["overrides"][0]["reason"] == "a dry run for the trainer"
    assert "a dry run for the trainer" in (tmp_path / "out" / "README.md").read_text()
    assert Job.objects.get().state == "done"


def test_pressure_counts_everything_that_has_no_verdict_as_not_accepted(traces, round, ada, tmp_path):
    judge(assigning.next_for(ada, round).assignments[0], "accept", ada)
    manifest = export(round, tmp_path / "out").manifest_object
    assert manifest["pressure"]["sampled"] == 6
    assert manifest["pressure"]["total"] == pytest.approx(1.791759469228055)  # ln 6
    assert manifest["pressure"]["total_standing"] == "insufficient"


def test_a_job_that_another_worker_took_up_writes_nothing_more(judged, round, tmp_path):
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    job = jobs.start(Job.Kind.BUILD_DATASET, dataset.project_id, dataset.pk, by=None, unit="rows")
    with jobs.running(job.pk) as mine:
        Job.objects.filter(pk=job.pk).update(attempt=99)
        mine.advance(1, 1)
        pytest.fail("advance should have given up")
    job.refresh_from_db()
    assert (job.attempt, job.done, job.state) == (99, 0, "running")


def test_a_cancelled_job_stops_after_its_piece_and_says_so(judged, round, lea, tmp_path):
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    job = jobs.start(Job.Kind.BUILD_DATASET, dataset.project_id, dataset.pk, by=lea, unit="rows")
    with jobs.running(job.pk) as mine:
        jobs.cancel(job, by=lea)
        mine.advance(1, 1)
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_the_real_gsm8k_file_judged_by_its_labels_comes_out_twice_alike(
    project, shared_data, tmp_path, command
):
    Project.objects.filter(pk=project.pk).update(held_out_below=2000)
    source = shared_data / "traces" / "gsm8k_samples.jsonl"
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["prompt_id", "model", "sample_index", "reviewer", "verdict", "clauses"])
        for line in source.read_bytes().splitlines():
            row = json.loads(line)
            right = row["meta"]["labels"]["correct"]
            verdict = ["accept", ""] if right else ["reject", "H1"]
            table.writerow([row["prompt_id"], row["model"], row["sample_index"], "answer key", *verdict])

    options = ("--project", "pilot", "--round", "gsm8k")
    command("create_round", "gsm8k", "--project", "pilot", "--double-share", "0")
    assert command("import_traces", source, *options)["read"] == 3188
    assert command("review_traces", tmp_path / "labels.csv", *options) == {
        "recorded": 3188,
        "known": 0,
        "refused": 0,
    }
    made = [
        command(
            "export_dataset",
            *options,
            "--format",
            "sft",
            "--out",
            tmp_path / name,
            "--override",
            "one sample a model, to see that bytes repeat",
        )
        for name in ("one", "two")
    ]

    shards = [
        sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*.parquet")) for n in ("one", "two")
    ]
    assert made[0]["digest"] == made[1]["digest"]
    assert shards[0] == shards[1]
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in shards[0]
    )
    accepted = Trace.objects.filter(decision__state="accepted")
    held = set(accepted.filter(round_prompt__prompt__bucket__lt=2000).values_list("digest", flat=True))
    loaded = load(tmp_path / "one", tmp_path / "cache")
    out = {bytes.fromhex(row["trace_digest"]) for row in loaded}
    assert accepted.count() == 1220
    assert held
    assert out == {bytes(digest) for digest in accepted.values_list("digest", flat=True)} - {
        bytes(digest) for digest in held
    }
    assert command("verify_dataset", tmp_path / "one")["ok"]
    assert command("rebuild", "--check")["ok"]


def test_counts_and_pressure_are_those_of_the_moment_of_freezing(judged, round, ada, tmp_path):
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    exporting.freeze(dataset)
    Decision.objects.update(state="pending")
    manifest = exporting.build(Dataset.objects.get(pk=dataset.pk)).manifest_object
    assert (manifest["counts"]["accepted"], manifest["pressure"]["accepted"]) == (3, 3)


def test_a_verdict_taken_back_after_the_freezing_does_not_stop_the_export(judged, round, ada, tmp_path):
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    exporting.freeze(dataset)
    accepted = Review.objects.filter(verdict="accept").order_by("-pk").first()
    reviewing.withdraw(accepted, by=ada)
    made = exporting.build(Dataset.objects.get(pk=dataset.pk))
    assert (made.state, made.rows) == ("ready", 3)


def test_a_text_that_was_changed_behind_the_triggers_stops_the_export(judged, round, tmp_path):
    trace = Trace.objects.filter(decision__state="accepted").select_related("reasoning").first()
    trace.reasoning.body = b"rewritten"
    trace.reasoning.save(update_fields=["body"])
    with pytest.raises(verifying.ReadBackFailed, match="not those that were imported"):
        export(round, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "manifest", ["[]", "{", '{"shards": ["x"], "digest": ""}', '{"shards": [], "digest": 5}']
)
def test_what_is_no_manifest_is_told_so(tmp_path, db, manifest):
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(Unreadable):
        verifying.verify(tmp_path)


def test_the_manifest_names_every_gate_and_passes_none_that_was_not_measured(judged, round, tmp_path):
    gates = {gate["key"]: gate for gate in export(round, tmp_path / "out").manifest_object["gates"]}
    assert len(gates) == 22
    evidence = {key: gate["verdict"] for key, gate in gates.items() if gate["tier"] == "evidence"}
    assert set(evidence.values()) == {"insufficient"}
    assert {gate["tier"] for gate in gates.values()} == {"integrity", "dose", "evidence"}


def test_a_job_counts_its_rows(judged, round, tmp_path):
    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    job = jobs.start(Job.Kind.BUILD_DATASET, dataset.project_id, dataset.pk, by=None, unit="rows")
    exporting.run_job(job.pk)
    job.refresh_from_db()
    assert (job.done, job.total, job.state) == (3, 3, "done")


def test_an_export_notes_its_progress_while_others_write(
    transactional_db, project, round, import_rows, command, tmp_path, monkeypatch
):
    """On SQLite an open cursor would hold an old view of the database, and the next write of its connection fail."""
    import sqlite3

    monkeypatch.setattr(parquet, "ROWS_A_GROUP", 50)
    import_rows([trace_row(number) for number in range(260)])
    verdicts = tmp_path / "v.csv"
    lines = "".join(f"p{number},m,0,elsewhere,accept,\n" for number in range(260))
    verdicts.write_text("prompt_id,model,sample_index,reviewer,verdict,clauses\n" + lines)
    command("review_traces", verdicts, "--project", "pilot", "--round", "round 1")

    def others_write_then_we(done, total):
        if connection.vendor == "sqlite":
            other = sqlite3.connect(connection.settings_dict["NAME"], timeout=20)
            other.execute("UPDATE reviews_round SET name = name")
            other.commit()
            other.close()
        Dataset.objects.filter(state="building").update(verdict="")

    dataset = drafting.draft(round, "sft", by=None, folder=tmp_path / "out")
    assert exporting.build(dataset, progress=others_write_then_we).state == "ready"
