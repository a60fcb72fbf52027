"""What a stranger gets who opens a file: what was found where, or what could not be."""

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats import mapped_traces
from reviews.formats.guessing import guess
from reviews.formats.records import RefusedLine, Sample

LONGEST = 2**24
LONG = "First I add the two, then I take away the one that was lent. " * 3


def guess_of(rows, name="t.jsonl"):
    content = rows if isinstance(rows, bytes) else "\n".join(json.dumps(row) for row in rows).encode()
    return guess(io.BytesIO(content), name, LONGEST)


def samples_of(rows):
    made = guess_of(rows)
    assert made.mapping, made.missing
    content = "\n".join(json.dumps(row) for row in rows).encode()
    return list(mapped_traces.read(io.BytesIO(content), "t.jsonl", LONGEST, made.mapping))


def test_a_missing_prompt_is_said_with_what_was_looked_for_and_the_keys_there_are():
    made = guess_of([{"thinking": LONG, "content": "4", "item": "x"}])
    assert made.missing[0].startswith("No prompt found: looked for `prompt`, `question`")
    assert made.missing[0].endswith("the rows have `thinking`, `content`, `item`.")
    assert made.sentence == (
        "t.jsonl cannot be opened as it is: no prompt found. "
        "Found: reasoning from `thinking`, answer from `content`."
    )


CONVENTIONS = {
    "OpenAI choices": (
        {"prompt": "2+2?", "choices": [{"index": 0, "message": {"reasoning_content": LONG, "content": "4"}}]},
        ("prompt", "choices[].message.reasoning_content", "choices[].message.content"),
    ),
    "vLLM reasoning with the request": (
        {"request": {"messages": [{"role": "user", "content": "2+2?"}]},
         "response": {"model": "q", "choices": [{"message": {"reasoning": LONG, "content": "4"}}]}},
        ("request.messages", "response.choices[].message.reasoning", "response.choices[].message.content"),
    ),
    "a chat that ends with the assistant": (
        {"messages": [{"role": "user", "content": "2+2?"},
                      {"role": "assistant", "content": "4", "reasoning_content": LONG}]},
        ("messages[:-1]", "messages[role=assistant][-1].reasoning_content",
         "messages[role=assistant][-1].content"),
    ),
    "from and value": (
        {"conversations": [{"from": "human", "value": "2+2?"},
                           {"from": "gpt", "value": f"<think>{LONG}</think>4"}]},
        ("conversations[:-1]", "conversations[from=gpt][-1].value", "think"),
    ),
    "parallel generations": (
        {"problem": "2+2?", "solution": "four", "answer": "4", "finish_reasons": ["stop"],
         "generations": [f"<think>{LONG}</think>4"]},
        ("problem", "generations[]", "think"),
    ),
    "tags in the response": (
        {"question": "2+2?", "response": f"<think>{LONG}</think>4"}, ("question", "response", "think"),
    ),
    "only the closing tag": (
        {"question": "2+2?", "output": f"{LONG}</think>4"}, ("question", "output", "think"),
    ),
    "harmony": (
        {"question": "2+2?", "text": f"<|channel|>analysis<|message|>{LONG}<|end|><|start|>assistant"
         "<|channel|>final<|message|>4"}, ("question", "text", "harmony"),
    ),
    "Anthropic blocks": (
        {"prompt": "2+2?", "content": [{"type": "thinking", "thinking": LONG, "signature": "s"},
                                       {"type": "text", "text": "4"}]},
        ("prompt", "content[type=thinking].thinking", "content[type=text].text"),
    ),
    "a nested response": (
        {"Problem": "2+2?", "response": {"thinking": LONG, "content": "4"}},
        ("Problem", "response.thinking", "response.content"),
    ),
    "camel case": (
        {"userPrompt": "How much is 2 + 2 in the ring?", "chainOfThought": LONG, "finalAnswer": "4"},
        ("userPrompt", "chainOfThought", "finalAnswer"),
    ),
    "keys with dots": ({"input.question": "2+2?", "output.cot": LONG, "output.answer": "4"}, None),
    "a response without a split": ({"prompt": "2+2?", "completion": LONG}, ("prompt", "completion", None)),
    "a response and its extracted answer": (
        {"prompt": "2+2?", "completion": LONG, "extracted_answer": "4", "target": "5"},
        ("prompt", "completion", "extracted_answer"),
    ),
    "a solution and its answer": (
        {"problem": "2+2?", "solution": LONG, "answer": "4"}, ("problem", "solution", "answer"),
    ),
    "reasoning and a raw text that repeats it": (
        {"prompt": "2+2?", "full_response": f"<think>{LONG}</think>4", "reasoning": LONG, "final": "4"},
        ("prompt", "reasoning", "final"),
    ),
    "an empty reasoning_content and tags": (
        {"prompt": "2+2?", "reasoning_content": None, "content": f"<think>{LONG}</think>4"},
        ("prompt", "content", "think"),
    ),
    "lm-eval": (
        {"arguments": {"gen_args_0": {"arg_0": "2+2 is how much?", "arg_1": {"temperature": 0}}},
         "target": "4", "resps": [[LONG, LONG]]},
        ("arguments.gen_args_0.arg_0", "resps[0][]", None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_each_naming_convention_is_understood(convention):
    row, expected = CONVENTIONS[convention]
    made = guess_of([row, row])
    assert made.mapping is not None, made.missing
    if expected:
        prompt, reasoning, third = expected
        assert (made.mapping.prompt, made.mapping.reasoning) == (prompt, reasoning)
        assert third in (made.mapping.answer, made.mapping.split)
    for sample in samples_of([row, row]):
        assert isinstance(sample, Sample)
        assert sample.messages[0]["role"] == "user"
        assert LONG in sample.reasoning
        if expected is None or expected[2]:
            assert sample.answer == "4"


def test_keys_with_dots_are_written_with_a_backslash():
    made = guess_of([CONVENTIONS["keys with dots"][0]])
    assert made.mapping.prompt == "input\\.question"


def test_a_response_without_a_split_is_all_reasoning_and_that_is_said():
    made = guess_of([{"prompt": "2+2?", "response": LONG}])
    assert made.sentence == "1 row: prompt from `prompt`, reasoning from `response`, no separate answer."
    assert made.missing[0].startswith("No separate answer found, so all of `response` is the reasoning")


@pytest.mark.parametrize(
    "key", ["target", "ground_truth", "reference", "expected", "gold", "label", "expected_answer"]
)
def test_a_reference_is_never_taken_for_the_answer_of_the_model(key):
    made = guess_of(
        [{"prompt": "2+2?", "reasoning": LONG, key: "4"}, {"prompt": "2+3?", "reasoning": LONG, key: "5"}]
    )
    assert made.canonical or made.mapping.answer is None
    made = guess_of([{"question": "2+2?", "reasoning": LONG, key: "4"}])
    assert (made.mapping.answer, made.mapping.reference_answer) == (None, key)


def test_the_answer_of_the_data_set_is_the_reference_where_the_model_has_a_response():
    (sample,) = samples_of([{"question": "2+2?", "response": LONG, "answer": "4"}])
    assert (sample.reasoning, sample.answer, sample.meta) == (LONG, None, {"reference_answer": "4"})


@pytest.mark.parametrize(("answer", "becomes"), [(LONG, "reasoning"), ("4", "answer")])
def test_the_only_text_is_the_reasoning_when_it_is_long_and_the_answer_when_it_is_short(answer, becomes):
    made = guess_of([{"question": "2+2?", "answer": answer}])
    assert getattr(made.mapping, becomes) == "answer"
    assert made.mapping.reference_answer is None


def test_details_are_found_and_said():
    said = {"thinking": LONG, "response": "4", "model": "q3", "subject": "sums"}
    said |= {"temperature": 0.7, "finishReason": "stop"}
    rows = [{"id": f"p{n // 2}", "question": f"{n // 2}+2?", "sample_index": n % 2, **said} for n in range(4)]
    made = guess_of(rows)
    assert made.sentence == (
        "4 rows: prompt from `question`, reasoning from `thinking`, answer from `response`; "
        "model from `model`, prompt id from `id`, sample number from `sample_index`, domain from `subject`."
    )
    sample = samples_of(rows)[3]
    assert (sample.prompt_id, sample.model, sample.sample_index, sample.sampling) == (
        "p1",
        "q3",
        1,
        {"temperature": 0.7},
    )
    assert sample.meta == {"domain": "sums", "finish_reason": "stop"}


def test_an_id_of_each_row_is_not_taken_for_the_id_of_its_prompt():
    rows = [{"id": f"r{n}", "question": "2+2?", "thinking": LONG, "response": "4"} for n in range(3)]
    assert guess_of(rows).mapping.prompt_id is None


def test_lists_beside_the_generations_go_to_their_samples():
    rows = [
        {"problem": "2+2?", "generations": [LONG] * n, "correctness": [True] * n, "options": ["A", "B"]}
        for n in (2, 3)
    ]
    assert guess_of(rows).mapping.parallel == ("correctness",)
    assert len(samples_of(rows)) == 5


def test_only_the_first_rows_are_looked_at():
    made = guess_of([{"question": "2+2?", "thinking": LONG, "response": "4"}] * 60)
    assert made.sentence.startswith("First 50 rows: ")


def test_some_bad_lines_are_no_hindrance_and_refused_rows_are_counted():
    good = json.dumps({"question": "2+2?", "thinking": LONG, "response": "4"}).encode()
    made = guess_of(b"\n".join([good, b"{broken", good, b'{"question": "", "thinking": "x"}', good]))
    assert made.mapping is not None
    assert "1 of 4 traces refused, the first for prompt" in made.sentence


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "wrap", [lambda rows: rows, lambda rows: {"data": rows}, lambda rows: {"x": {"runs": rows}, "n": [1]}]
)
def test_a_list_of_rows_is_found_wherever_it_stands_in_a_document(wrap, indent):
    rows = [{"question": f"{n}+2?", "thinking": LONG, "response": "4"} for n in range(3)]
    content = json.dumps(wrap(rows), indent=indent).encode()
    made = guess_of(content)
    assert made.mapping is not None, made.missing
    assert len(list(mapped_traces.read(io.BytesIO(content), "t", LONGEST, made.mapping))) == 3


def test_a_single_row_over_many_lines_is_a_document_of_one_row():
    made = guess_of(json.dumps({"question": "2+2?", "thinking": LONG, "response": "4"}, indent=1).encode())
    assert made.mapping.rows == "json-object"


def test_a_canonical_looking_row_with_another_output_is_mapped_so_that_the_output_is_not_lost():
    made = guess_of([{"prompt": "2+2?", "reasoning": LONG, "response": "4"}])
    assert (made.canonical, made.mapping.answer) == (False, "response")


@pytest.mark.parametrize("text", ["<think>" * 150_000, "</think" * 150_000, "a" * 2**20, "\\[.*" * 2**18])
def test_one_line_of_a_megabyte_is_guessed_at_once(text):
    start = time.perf_counter()
    guess_of([{"prompt": "2+2?", "response": text, text: 1}])
    assert time.perf_counter() - start < 3


KEYS = st.text(max_size=3) | st.sampled_from(
    [
        "prompt",
        "messages",
        "role",
        "content",
        "from",
        "value",
        "type",
        "thinking",
        "reasoning",
        "steps",
        "choices",
        "message",
        "answer",
        "response",
        "generations",
        "target",
        "model",
        "id",
        "epoch",
        "usage",
        "sampling",
        "object",
        "a.b",
        "*",
    ]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=14,
)


@given(st.lists(st.dictionaries(KEYS, JSON, max_size=6), max_size=5))
def test_any_objects_are_guessed_and_each_row_read_by_the_guess_comes_back(rows):
    made = guess_of(rows)
    assert made.sentence
    if made.mapping:
        content = "\n".join(json.dumps(row) for row in rows).encode()
        found = list(mapped_traces.read(io.BytesIO(content), "t", LONGEST, made.mapping))
        assert all(isinstance(each, (Sample, RefusedLine)) for each in found)
        if made.mapping.rows == "jsonl":
            assert {each.line for each in found} == set(range(1, len(rows) + 1))
    else:
        assert made.canonical or made.missing


@given(st.binary(), st.sampled_from(["t.jsonl", "t.eval", "t.csv", "t.yaml"]))
def test_any_bytes_are_answered_by_a_sentence(junk, name):
    assert guess(io.BytesIO(junk), name, LONGEST).sentence
