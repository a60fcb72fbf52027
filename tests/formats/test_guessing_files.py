"""Which whole files open, with which fields, and what is said of the others."""

import gzip
import io
import json

import pytest

from reviews.formats import canonical_traces, mapped_traces
from reviews.formats.guessing import guess
from reviews.formats.records import Sample

LONGEST = 2**24

CANONICAL = [
    "biased_mcq_llama8b_checkpoints", "game24_gpt4_cot100", "gsm8k_samples", "long_reasoning_math500",
    "natural_oddities", "nudged_judgements", "rl_checkpoints_gptoss120b", "soundness_propositional_logic",
    "span_labels_champ", "step_labels_bigbench_mistake",
]  # fmt: skip


@pytest.mark.parametrize("name", CANONICAL)
def test_a_canonical_file_opens_as_it_is(shared_data, name):
    with (shared_data / "traces" / f"{name}.jsonl").open("rb") as file:
        made = guess(file, name, LONGEST)
        file.seek(0)
        first = next(iter(canonical_traces.read(file, name, LONGEST)))
    assert (made.canonical, made.mapping, made.missing) == (True, None, [])
    assert isinstance(first, Sample)


OPENED = [
    ("r1_think_tags/pilot_math500_r1.jsonl", 10, "prompt", "reasoning_trace", "answer_text"),
    ("gsm8k/example_model_solutions.first50.jsonl", 200, "question", "*.solution", None),
    ("bigbench_mistake/multistep_arithmetic.jsonl", 300, "input", "steps", "answer"),
    ("prm800k/readme_example.jsonl", 1, "question.problem", "question.pre_generated_steps",
     "question.pre_generated_answer"),
    ("reasoning_gym/claude-sonnet-4_knights_knaves.json", 150, "question",
     "completions[].full_model_response", "completions[].model_answer"),
    ("inspect/log_formats.json", 1, "messages[:-1]", "output.choices[].message.content", None),
    ("inspect/log_length_stop_reason.json", 1, "messages[:-1]",
     "output.choices[].message.content[type=text].text", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "traces", "prompt", "reasoning", "answer"), OPENED)
def test_a_native_file_with_prompt_and_trace_in_a_row_opens(
    shared_data, path, traces, prompt, reasoning, answer
):
    with (shared_data / "native" / path).open("rb") as file:
        made = guess(file, path, LONGEST)
        assert made.mapping is not None, made.missing
        file.seek(0)
        rows = list(mapped_traces.read(file, path, LONGEST, made.mapping))
    assert (made.mapping.prompt, made.mapping.reasoning, made.mapping.answer) == (prompt, reasoning, answer)
    assert f"prompt from `{prompt}`, reasoning from `{reasoning}`" in made.sentence
    assert "\n" not in made.sentence
    assert [type(row) for row in rows] == [Sample] * traces


NOT_OPENED = [
    ("ollama/qwen3-8b__think-on.first40.jsonl", "No prompt found",
     {"reasoning": "thinking", "answer": "content"}),
    ("ollama/qwen3-8b__think-off.first40.jsonl", "No prompt found",
     {"reasoning": "content"}),
    ("gptoss_harmony/s400.first8.jsonl", "No prompt found",
     {"reasoning": "internal_reasoning", "answer": "external_output"}),
    ("chainscope/aircraft-speeds_gt_NO_1_tests__meta-llama__Llama-3.1-8B-Instruct.yaml", "YAML", {}),
    ("providers/alibaba-reasoning.json", "No prompt found",
     {"reasoning": "choices[].message.reasoning_content"}),
    ("providers/amazon-bedrock-reasoning.json", "No prompt found",
     {"reasoning": "output.message.content[0].reasoningContent.reasoningText.text",
      "answer": "output.message.content[1].text"}),
    ("providers/anthropic-claude-opus-5-reasoning-high.1.json", "No prompt found",
     {"reasoning": "content[type=thinking].thinking", "answer": "content[type=text].text"}),
    ("providers/azure-deepseek-reasoning.1.json", "No prompt found", {"answer": "choices[].message.content"}),
    ("providers/cohere-reasoning.json", "No prompt found",
     {"reasoning": "message.content[type=thinking].thinking"}),
    ("providers/deepseek-reasoning.json", "No prompt found",
     {"reasoning": "choices[].message.reasoning_content"}),
    ("providers/deepseek-reasoning.chunks.txt", "pieces of a streamed response", {}),
    ("providers/google-reasoning.json", "No prompt found", {}),
    ("providers/groq-reasoning.json", "No prompt found",
     {"reasoning": "choices[].message.reasoning"}),
    ("providers/mistral-reasoning.json", "No prompt found",
     {"reasoning": "choices[].message.content[type=thinking].thinking[type=text].text"}),
    ("providers/openai-reasoning-encrypted-content.1.json", "encrypted", {}),
    ("inspect/log_formats.eval", "an Inspect log", {}),
    ("inspect/log_read_sample.eval", "an Inspect log", {}),
    ("inspect/llama-base_hellaswag_unbiased.eval", "an Inspect log", {}),
    ("inspect/llama-rlct-s50_hellaswag_suggested_answer_biased.eval", "an Inspect log", {}),
    ("../agreement/dices350_overall.csv", "a table (CSV)", {}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "said", "found"), NOT_OPENED)
def test_a_native_file_that_cannot_be_opened_says_what_is_missing(shared_data, path, said, found):
    with (shared_data / "native" / path).open("rb") as file:
        made = guess(file, path, LONGEST)
    assert not made.openable
    assert any(said in sentence for sentence in made.missing)
    assert found.items() <= made.found.items()
    assert "\n" not in made.sentence


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "t.jsonl", "t.jsonl is empty."),
        (b" \n\n", "t.jsonl", "t.jsonl is empty."),
        (b"PK\x03\x04rest", "t.zip", "a zip archive"),
        (b"PAR1rest", "t.parquet", "a Parquet file"),
        (b"\x28\xb5\x2f\xfdrest", "t.jsonl.zst", "packed with zstd"),
        (gzip.compress(b"{}", mtime=0), "t.jsonl.gz", "packed with gzip"),
        (b"\x7fELF\x00\x00", "t", "not text"),
        (b"a,b,c\n1,2,3\n", "t.csv", "a table (CSV)"),
        (b"key:\n  - x\n", "t.yaml", "YAML"),
        (b"once upon a time", "t.txt", "not JSON"),
        (b"\xff\xfe{}", "t.json", "not"),
        (b"{broken", "t.json", "no JSON object"),
        (b"[1, 2]", "t.json", "no JSON object"),
        (b"[]", "t.json", "no JSON object"),
        (b"{}", "t.json", "no prompt"),
        (b"[" * 200_000, "t.json", "no JSON object"),
    ],
)
def test_a_file_that_is_no_json_of_rows_is_told_so_in_a_sentence(content, name, said):
    made = guess(io.BytesIO(content), name, LONGEST)
    assert not made.openable
    assert said in made.sentence
    assert made.missing


def test_a_gzip_file_that_is_cut_off_is_told_so():
    packed = gzip.compress(json.dumps({"question": "2+2?", "thinking": "First, add. " * 9}).encode())[:-20]
    made = guess(gzip.GzipFile(fileobj=io.BytesIO(packed)), "t.jsonl.gz", LONGEST)
    assert "cut off or damaged" in made.sentence
