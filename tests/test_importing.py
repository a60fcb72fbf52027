"""Traces come in byte for byte; bad rows come back and take nothing with them."""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import as_lines, trace_row

from reviews import importing, planning
from reviews.errors import Conflict, Unreadable
from reviews.models import Assignment, Decision, Event, ImportBatch, Prompt, RefusedLine, Text, Trace

FILES = [
    "biased_mcq_llama8b_checkpoints",
    "game24_gpt4_cot100",
    "gsm8k_samples",
    "long_reasoning_math500",
    "natural_oddities",
    "nudged_judgements",
    "rl_checkpoints_gptoss120b",
    "soundness_propositional_logic",
    "span_labels_champ",
    "step_labels_bigbench_mistake",
]
BAD = [
    (b"{not json", "", "not JSON"),
    (b'{"prompt":"a","prompt":"b","answer":"c"}', "prompt", "twice"),
    (b'{"prompt":"a","answer":"c","meta":{"x":NaN}}', "", "NaN"),
    (b'{"prompt":"a","answer":"c","meta":{"x":1e999}}', "meta", "too large"),
    (b'{"prompt":"a","answer":7}', "answer", "expected text or null, got a whole number"),
    (b'{"prompt":"a","answer":"c","sample_index":true}', "sample_index", "got true or false"),
    (b'{"prompt":"a","answer":"c","sample_index":-1}', "sample_index", "from 0"),
    (b'{"prompt":["x"],"answer":"c"}', "prompt", "message 1: expected an object, got text"),
    (
        b'{"prompt":[{"role":"user"}],"answer":"c"}',
        "prompt",
        "message 1, content: expected text, got nothing",
    ),
    (b'{"answer":"c"}', "prompt", "expected text or a list of chat messages, got null"),
    (b'{"prompt":"a","reasoning":"","answer":null}', "reasoning", "nothing to judge"),
    (b'{"prompt":"a","answer":"\\ud800"}', "answer", "surrogate"),
    (
        b'{"prompt":"a","answer":"c","meta":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "",
        "nested more than 100 deep",
    ),
    (
        b'{"prompt":"a","answer":"c","meta":' + b'{"a":' * 150 + b"1" + b"}" * 150 + b"}",
        "meta",
        "nested more than 100 deep",
    ),
    (b'{"prompt":"a","answer":"c","meta":{"n":' + b"9" * 5000 + b"}}", "", "too many digits"),
    (b"[1,2]", "", "expected an object"),
    (b'{"prompt":"a","answer":"\xff"}', "", "not UTF-8"),
]


@pytest.mark.parametrize(("line", "field", "reason"), BAD, ids=[reason or field for _, field, reason in BAD])
def test_a_bad_line_is_refused_alone_with_its_line_field_and_reason(import_rows, line, field, reason):
    found = import_rows([trace_row(1), line, trace_row(2)])

    refused = RefusedLine.objects.get()
    assert (found.read, found.traces_new, found.refused) == (3, 2, 1)
    assert (refused.line, refused.field) == (2, field)
    assert reason in refused.reason
    assert bytes(refused.text) == line[:2000]


def test_a_line_over_the_limit_is_refused_and_the_next_one_goes_in(import_rows, settings):
    settings.MAX_LINE_BYTES = 5000
    found = import_rows([trace_row(1), trace_row(2, reasoning="x" * 9000), trace_row(3)])

    assert (found.traces_new, found.refused) == (2, 1)
    assert "longer than 5,000 bytes" in RefusedLine.objects.get().reason


def test_the_same_identity_with_another_text_is_a_contradiction(import_rows):
    found = import_rows([trace_row(1), trace_row(1, reasoning="something else")])
    again = import_rows([trace_row(1, reasoning="something else again")])

    assert (found.traces_new, found.refused, again.refused) == (1, 1, 1)
    assert all("contradicts" in line.reason for line in RefusedLine.objects.all())
    tried = Event.objects.filter(kind="trace.contradicted")  # who tried to rewrite a sample stays on record
    assert [one.payload_object["first"] for one in tried] == [[[2, "p1", "m", 0]], [[1, "p1", "m", 0]]]


def test_an_exact_repeat_inside_a_file_is_known(import_rows):
    found = import_rows([trace_row(1), trace_row(1)])
    assert (found.read, found.traces_new, found.traces_known) == (2, 1, 1)


def test_a_row_that_differs_only_in_sampling_is_known_with_a_warning(import_rows):
    import_rows([trace_row(1)])
    found = import_rows([trace_row(1, sampling={"temperature": 0})])
    assert (found.traces_known, found.warnings) == (1, 1)


def test_nul_line_separators_and_backslashes_are_kept(import_rows):
    odd = "a\0b\u2028c\u0085d\\0e\r\nf\ufeff"
    import_rows(
        [trace_row(1, prompt_id=odd, prompt=odd, reasoning=odd, answer=odd, model=odd, meta={"x": odd})]
    )

    trace = Trace.objects.with_texts().get()
    assert trace.reasoning.as_text == trace.answer.as_text == trace.prompt_as_given == odd
    assert trace.round_prompt.external_id == trace.sampler.model == trace.meta_object["x"] == odd


def test_what_a_row_leaves_out_is_named_by_rule(import_rows):
    import_rows(
        [
            {"prompt": "q", "reasoning": "r1"},
            {"prompt": "q", "reasoning": "r2"},
            {"prompt": "other", "answer": "r"},
        ]
    )

    named = {
        (t.round_prompt.external_id, t.sampler.model, t.sample_index) for t in Trace.objects.with_texts()
    }
    ids = {row.external_id for row in Trace.objects.first().round.round_prompts.all()}
    assert {(name, "unknown", index) for name, index in zip(sorted(ids), (0, 0), strict=True)} <= named
    assert len(named) == 3
    assert all(len(name) == 12 for name in ids)


def test_unknown_keys_are_kept(import_rows):
    import_rows([{**trace_row(1), "colour": "green"}])
    assert Trace.objects.get().meta_object["unknown_keys"] == {"colour": "green"}


def test_one_prompt_id_may_carry_several_texts(import_rows):
    found = import_rows([trace_row(1, 0), trace_row(1, 1, prompt="the same, worded otherwise")])
    assert (found.traces_new, found.prompts_new) == (2, 2)


def test_a_string_and_one_user_message_are_the_same_prompt_and_keep_their_shape(import_rows):
    import_rows([trace_row(1, 0), trace_row(1, 1, prompt=[{"role": "user", "content": "What is 1 + 1?"}])])

    assert Prompt.objects.count() == 1
    assert [type(trace.prompt_as_given) for trace in Trace.objects.order_by("sample_index")] == [str, list]


def test_a_gzip_file_is_read_like_a_plain_one(round, tmp_path):
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(as_lines([trace_row(1), trace_row(2)])))
    assert importing.run(importing.begin(round, path, by=None)).traces_new == 2


def test_a_gzip_file_that_breaks_off_says_so_and_keeps_what_was_read(round, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "ROWS_A_BATCH", 10)
    rows = [trace_row(n, reasoning=hashlib.sha256(str(n).encode()).hexdigest() * 40) for n in range(300)]
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(as_lines(rows))[:-4000])

    with pytest.raises(Unreadable, match="cannot be read to its end"):
        importing.run(importing.begin(round, path, by=None))
    assert Trace.objects.count() > 0


def test_an_import_that_was_broken_off_goes_on_after_its_last_committed_line(round, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "ROWS_A_BATCH", 10)
    path = tmp_path / "t.jsonl"
    path.write_bytes(as_lines([{"prompt": "q", "reasoning": f"r{n}"} for n in range(45)] + [b"{"]))

    class Killed(Exception):
        pass

    def die(lines):
        if lines >= 20:
            raise Killed

    batch = importing.begin(round, path, by=None)
    with pytest.raises(Killed):
        importing.run(batch, progress=die)
    assert Trace.objects.count() == 20

    again = importing.begin(round, path, by=None)
    found = importing.run(again)
    assert again.pk == batch.pk
    assert (found.read, found.traces_new, found.refused, found.traces_known) == (46, 45, 1, 0)
    assert sorted(Trace.objects.values_list("sample_index", flat=True)) == list(range(45))


def test_the_same_file_again_adds_nothing(import_rows):
    rows = [trace_row(n) for n in range(20)]
    import_rows(rows)
    before = [model.objects.count() for model in (Trace, Text, Prompt, Assignment, Decision)]
    found = import_rows(rows)

    assert (found.traces_new, found.traces_known, found.prompts_new) == (0, 20, 0)
    assert [model.objects.count() for model in (Trace, Text, Prompt, Assignment, Decision)] == before


def test_a_dry_run_says_the_same_and_writes_nothing(round, tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(as_lines([trace_row(1), trace_row(1), trace_row(1, reasoning="x"), trace_row(2), b"{"]))
    tried = importing.try_out(round, path, by=None)
    assert not Trace.objects.exists()
    assert not ImportBatch.objects.exists()
    done = importing.run(importing.begin(round, path, by=None))
    assert tried == done


def test_a_wrong_import_is_taken_back(import_rows, round, traces):
    other = import_rows([trace_row(n) for n in range(10, 15)])
    batch = ImportBatch.objects.order_by("-pk").first()

    assert importing.withdraw_batch(batch, "wrong file", by=None) == other.traces_new == 5
    assert Decision.objects.filter(state="dropped", why="batch-withdrawn").count() == 5
    assert not Assignment.objects.filter(trace__batch=batch).exists()
    assert Trace.objects.count() == 11  # on record all the same
    with pytest.raises(Conflict, match="taken back before"):
        importing.withdraw_batch(batch, "again", by=None)


def test_memory_does_not_grow_with_the_file(round, tmp_path):
    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.jsonl"
        with path.open("wb") as file:
            for n in range(rows):
                file.write(as_lines([trace_row(rows * 10_000 + n, reasoning=f"{n} of {rows} " + "x" * 3000)]))
        batch = importing.begin(round, path, by=None)
        tracemalloc.start()
        importing.run(
            batch, progress=lambda lines: gc.collect() and None
        )  # what waits for the collector is not held
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(300)  # caches fill once
    few, many = peak(1000), peak(3000)
    assert many < 1.5 * few, (few, many)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.text(max_size=100).map(lambda t: json.dumps({"prompt": t, "answer": t}).encode()),
        ),
        max_size=8,
    )
)
def test_any_bytes_give_traces_or_refused_lines_and_never_an_error(round, tmp_path, junk):
    content = b"\n".join(junk)
    path = tmp_path / "junk.jsonl"
    path.write_bytes(content)
    if content[:2] == b"\x1f\x8b":
        return
    found = importing.try_out(round, path, by=None)
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert found.read == sum(1 for line in lines if line.strip(b" \t\r"))


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_goes_in_byte_for_byte_and_twice_adds_nothing(project, shared_data, name):
    expected = json.loads((shared_data / "expected.json").read_text())[f"traces/{name}.jsonl"]
    path = shared_data / "traces" / f"{name}.jsonl"
    into, _ = planning.create_round(project, name, by=None)

    found = importing.run(importing.begin(into, path, by=None))
    assert (found.read, found.traces_new, found.refused) == (expected["rows"], expected["rows"], 0)

    stored = {bytes(t.identity): t for t in Trace.objects.with_texts().filter(round=into)}
    hashes = []
    with path.open("rb") as file:
        for line in file:
            row = json.loads(line)
            trace = stored[importing.canonical.digest([row["prompt_id"], row["model"], row["sample_index"]])]
            assert trace.prompt_as_given == row["prompt"]
            assert bytes(trace.reasoning.body) == row["reasoning"].encode()
            assert (trace.answer and trace.answer.as_text) == row["answer"]
            assert trace.meta_object == row["meta"]
            hashes.append(hashlib.sha256(bytes(trace.reasoning.body)).hexdigest())
    assert hashlib.sha256("\x1e".join(hashes).encode()).hexdigest() == expected["all_reasoning_sha256"]

    again = importing.run(importing.begin(into, path, by=None))
    assert (again.traces_new, again.traces_known, again.prompts_new) == (0, expected["rows"], 0)
