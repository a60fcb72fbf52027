"""What a person gets whose file is read by a mapping: its traces, or why a row is refused."""

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats.mapped_traces import read
from reviews.formats.mapping import Mapping, join
from reviews.formats.records import RefusedLine, Sample

LONGEST = 2**24
PLAIN = Mapping("q", "r", "a")


def rows_of(content, mapping=PLAIN, longest=LONGEST):
    if not isinstance(content, bytes):
        content = "\n".join(json.dumps(row) for row in content).encode()
    return list(read(io.BytesIO(content), "t.jsonl", longest, mapping))


def test_texts_are_kept_to_the_byte():
    odd = "\u2028 \r\n\u0000\x85 é\u200d "
    (sample,) = rows_of([{"q": odd, "r": odd, "a": odd}])
    assert (sample.prompt, sample.reasoning, sample.answer) == (odd, odd, odd)
    assert (sample.raw, sample.split_rule, sample.meta) == (None, "", {})


def test_a_split_text_is_kept_untouched_beside_its_parts():
    (sample,) = rows_of([{"q": "?", "r": "<think>\nwhy\n</think>\n\n4"}], Mapping("q", "r", split="think"))
    assert (sample.reasoning, sample.answer, sample.split_rule) == ("\nwhy\n", "\n\n4", "think")
    assert sample.raw == join(sample.reasoning, sample.answer, sample.split_rule)
    assert sample.meta == {}


def test_what_is_not_mapped_is_kept_in_meta_and_what_is_mapped_is_not_kept_twice():
    row = {"q": "?", "r": {"text": "why", "score": 1}, "a": "4", "note": None, "gold": 4}
    (sample,) = rows_of([row], Mapping("q", "r.text", "a", reference_answer="gold"))
    assert sample.meta == {"reference_answer": 4, "row": {"r": {"score": 1}, "note": None}}


def test_details_are_taken_from_their_places():
    row = {"q": "?", "r": "why", "id": 7, "m": "gpt", "n": 2, "t": 0.7, "params": {"top_p": 1}, "f": "stop"}
    mapping = Mapping(
        "q", "r", prompt_id="id", model="m", sample_index="n", sampling=("t", "params"), finish_reason="f"
    )
    (sample,) = rows_of([row], mapping)
    assert (sample.prompt_id, sample.model, sample.sample_index) == ("7", "gpt", 2)
    assert sample.sampling == {"t": 0.7, "top_p": 1}
    assert sample.meta == {"finish_reason": "stop"}


def test_each_of_a_parallel_list_becomes_a_sample_with_its_own_items():
    row = {
        "q": "?",
        "gens": ["<think>a</think>1", "<think>b</think>2"],
        "correct": [True, False],
        "options": ["A", "B"],
    }
    one, two = rows_of([row], Mapping("q", "gens[]", split="think", parallel=("correct",)))
    assert (one.reasoning, one.answer, one.sample_index) == ("a", "1", 0)
    assert (two.reasoning, two.answer, two.sample_index) == ("b", "2", 1)
    assert two.meta == {"row": {"correct": [False], "options": ["A", "B"]}}


def test_each_choice_becomes_a_sample_and_keeps_only_itself():
    choices = [{"message": {"reasoning": f"r{n}", "content": f"a{n}"}, "finish": n} for n in range(3)]
    mapping = Mapping("q", "choices[].message.reasoning", "choices[].message.content")
    samples = rows_of([{"q": "?", "choices": choices}], mapping)
    assert [(sample.reasoning, sample.answer) for sample in samples] == [
        ("r0", "a0"),
        ("r1", "a1"),
        ("r2", "a2"),
    ]
    assert samples[1].meta == {"row": {"choices": [{"finish": 1}]}}


def test_each_key_of_an_object_becomes_a_sample_of_that_model():
    row = {"q": "?", "m1": {"out": "x", "ok": True}, "m2": {"out": "y", "ok": False}}
    samples = rows_of([row], Mapping("q", "*.out", model="*"))
    assert [(sample.model, sample.reasoning, sample.meta) for sample in samples] == [
        ("m1", "x", {"row": {"m1": {"ok": True}}}),
        ("m2", "y", {"row": {"m2": {"ok": False}}}),
    ]


def test_steps_get_a_line_each_and_stay_in_meta_as_they_were():
    (sample,) = rows_of([{"q": "?", "r": ["one\n", "two"], "a": "3"}])
    assert sample.reasoning == "one\n\ntwo"
    assert sample.meta == {"row": {"r": ["one\n", "two"]}}


def test_a_conversation_of_from_and_value_becomes_chat_messages():
    talk = [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    (sample,) = rows_of([{"c": talk}], Mapping("c[:-1]", "c[from=gpt][-1].value"))
    assert sample.prompt == [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    assert sample.reasoning == "a"


def test_a_number_as_answer_becomes_its_text():
    assert [
        sample.answer for sample in rows_of([{"q": "?", "r": "x", "a": 42}, {"q": "?", "r": "x", "a": None}])
    ] == ["42", None]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"r": "x"}, "prompt", "nothing at `q`; the row has `r`"),
        ({"q": "", "r": "x"}, "prompt", "an empty one"),
        ({"q": [{"role": "user"}], "r": "x"}, "prompt", "message 1, content"),
        ({"q": "?"}, "reasoning", "nothing to judge"),
        ({"q": "?", "r": {"x": 1}}, "reasoning", "expected text at `r`, got an object"),
        ({"q": "?", "r": 3}, "reasoning", "got a whole number"),
    ],
)
def test_a_row_that_cannot_go_in_is_refused_with_its_line_field_and_reason(row, field, reason):
    good, refused = rows_of([{"q": "?", "r": "x"}, row])
    assert isinstance(good, Sample)
    assert isinstance(refused, RefusedLine)
    assert (refused.line, refused.field) == (2, field)
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"q": "?", "rs": [], "as": []}, "empty"),
        ({"q": "?", "rs": ["x", "y"], "as": ["1"]}, "has 2, `as[]` 1"),
        ({"q": "?", "rs": "x", "as": ["1"]}, "nothing at `rs[]`"),
    ],
)
def test_lists_that_do_not_go_together_are_refused(row, reason):
    (refused,) = rows_of([row], Mapping("q", "rs[]", "as[]"))
    assert reason in refused.reason


def test_one_empty_choice_is_refused_and_the_others_go_in():
    found = rows_of([{"q": "?", "rs": ["x", "", "y"]}], Mapping("q", "rs[]"))
    assert [type(each) for each in found] == [Sample, RefusedLine, Sample]
    assert [each.sample_index for each in found if isinstance(each, Sample)] == [0, 2]


def test_a_document_is_read_row_by_row_and_one_bad_row_costs_only_itself():
    content = (
        b'{"n": {"rows": []}, "rows": [\n {"q": "?", "r": "x"}, {"q": "?", "q": "?", "r": "x"}, {"q": NaN},'
        b' {"q": "\\ud800", "r": "x"}, {"q": "?", "r": "y"}, 3 ]}'
    )
    found = rows_of(content, Mapping("q", "r", rows="json-list", rows_at="rows"))
    assert [each.line for each in found] == [1, 2, 3, 4, 5, 6]
    assert [isinstance(each, Sample) for each in found] == [True, False, False, False, True, False]
    assert "twice" in found[1].reason
    assert found[1].text == b'{"q": "?", "q": "?", "r": "x"}'


def test_a_document_that_breaks_off_gives_the_rows_before():
    found = rows_of(b'[{"q": "?", "r": "x"}, {"q": "?", "r": "y', Mapping("q", "r", rows="json-list"))
    assert [(type(each), each.line) for each in found] == [(Sample, 1), (RefusedLine, 2)]
    assert "not JSON" in found[1].reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected a list"),
        (b"{}", "no list at `rows`"),
        (b'{"rows": 3}', "expected a list of rows at `rows`"),
        (b'{"rows"', "no list at `rows`"),
        (b'{"a": \xff, "rows": []}', "not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "nested"),
    ],
)
def test_a_document_without_its_list_is_refused_once(content, reason):
    (refused,) = rows_of(content, Mapping("q", "r", rows="json-list", rows_at="rows"))
    assert reason in refused.reason or (reason == "expected a list" and "no list" in refused.reason)


def test_a_row_over_the_limit_is_refused_and_the_next_is_read():
    content = json.dumps([{"q": "?", "r": "x" * 500}, {"q": "?", "r": "y"}]).encode()
    found = rows_of(content, Mapping("q", "r", rows="json-list"), longest=100)
    assert [type(each) for each in found] == [RefusedLine, Sample]


def test_a_whole_document_can_be_one_row():
    content = json.dumps({"q": "?", "r": "x"}, indent=2).encode()
    assert [sample.reasoning for sample in rows_of(content, Mapping("q", "r", rows="json-object"))] == ["x"]


def test_a_long_line_of_tags_is_read_at_once():
    text = "<think>" * 100_000 + "</think" * 50_000
    start = time.perf_counter()
    (sample,) = rows_of([{"q": "?", "r": text}], Mapping("q", "r", split="think"))
    assert sample.raw == text
    assert time.perf_counter() - start < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("qras*") | st.text(max_size=4), inner)
    ),
    max_leaves=12,
)
MAPPINGS = st.sampled_from([
    PLAIN,
    Mapping("q", "r", split="think", model="m", sample_index="s"),
    Mapping("q", "r[]", "a[]", parallel=("s",)),
    Mapping("q[:-1]", "q[role=assistant][-1].content", sampling=("s", "a.q")),
    Mapping("q", "*.r", model="*", domain="a", usage="s"),
    Mapping("q", "r.*", "a.*.r", prompt_id="s"),
])  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from("qras") | st.text(max_size=4), JSON), max_size=5), MAPPINGS)
def test_every_row_comes_back_as_a_sample_or_as_a_refused_line(rows, mapping):
    found = rows_of(rows, mapping)
    assert {each.line for each in found} == set(range(1, len(rows) + 1))
    assert all(isinstance(each, (Sample, RefusedLine)) and str(each) for each in found)


@given(st.binary(), st.sampled_from(["jsonl", "json-list", "json-object"]))
def test_any_bytes_give_samples_or_refused_lines_and_never_an_error(junk, rows):
    for each in rows_of(junk, Mapping("q", "r", rows=rows)):
        assert isinstance(each, (Sample, RefusedLine))
