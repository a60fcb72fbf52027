"""A stranger's file opens in a project of its own, whatever its shape."""

from __future__ import annotations

import json

import pytest
from making import trace_row

from reviews import importing, opening_files
from reviews.errors import Unreadable
from reviews.formats.mapping import Mapping
from reviews.models import Assignment, ImportBatch, Member, Project, Trace, User

OPENS = [
    "r1_think_tags/pilot_math500_r1.jsonl",
    "gsm8k/example_model_solutions.first50.jsonl",
    "bigbench_mistake/multistep_arithmetic.jsonl",
    "prm800k/readme_example.jsonl",
    "reasoning_gym/claude-sonnet-4_knights_knaves.json",
]
DOES_NOT = [
    "providers/deepseek-reasoning.json",
    "gptoss_harmony/s400.first8.jsonl",
    "ollama/qwen3-8b__think-on.first40.jsonl",
    "inspect/log_read_sample.eval",
    "chainscope/aircraft-speeds_gt_NO_1_tests__meta-llama__Llama-3.1-8B-Instruct.yaml",
]


@pytest.fixture
def you(db):
    return User.objects.create_user("you")


def test_a_file_with_its_own_names_opens_and_the_same_file_is_the_same_project(you, tmp_path):
    path = tmp_path / "My samples.jsonl"
    rows = [
        {"question": f"q{n}", "response": f"<think>\nbecause {n}\n</think>\n\n{n}", "model": "m"}
        for n in range(3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    opened = opening_files.open_for(you, path)
    project = Project.objects.get()
    assert project.slug.startswith("my-samples-")
    assert opened.path == f"/p/{project.slug}/rounds/{project.rounds.get().pk}/review"
    assert "question" in opened.sentence
    assert set(Member.objects.values_list("role", flat=True)) == {"lead", "reviewer"}
    trace = Trace.objects.with_texts().select_related("raw").order_by("pk").first()
    assert trace.reasoning.as_text.strip() == "because 0"
    assert trace.answer.as_text.strip() == "0"
    assert trace.raw.as_text == rows[0]["response"]

    assert opening_files.open_for(you, path) == opened
    assert Project.objects.count() == ImportBatch.objects.count() == 1


@pytest.mark.parametrize("name", OPENS)
def test_a_file_as_found_in_the_wild_opens(you, shared_data, name):
    opened = opening_files.open_for(you, shared_data / "native" / name)
    assert opened.path
    assert Trace.objects.exists()
    assert Assignment.objects.exists()


@pytest.mark.parametrize("name", DOES_NOT)
def test_a_file_that_cannot_be_opened_says_what_it_lacks(you, shared_data, name):
    opened = opening_files.open_for(you, shared_data / "native" / name)
    assert not opened.path
    assert opened.sentence
    assert not Project.objects.exists()


def test_every_canonical_file_opens(you, shared_data):
    for path in sorted((shared_data / "traces").iterdir()):
        assert importing.guess(path).canonical, path.name
    assert opening_files.open_for(you, shared_data / "traces" / "soundness_propositional_logic.jsonl").path


def test_a_wrong_guess_is_changed_and_the_file_read_again(you, round, lea, tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(
        "".join(json.dumps({"q": f"q{n}", "a": f"long {n}", "b": f"short {n}"}) + "\n" for n in range(2))
    )
    wrong = Mapping.from_dict({"prompt": "q", "reasoning": "b", "answer": "a"})
    batch = importing.begin(round, path, by=lea, mapping=wrong)
    importing.run(batch)

    again = importing.read_again(batch, {"reasoning": "a", "answer": "b", "prompt": "q"}, by=lea)
    assert importing.run(again).traces_new == 2
    standing = Trace.objects.standing().with_texts().order_by("pk")
    assert [(t.reasoning.as_text, t.answer.as_text) for t in standing] == [
        ("long 0", "short 0"),
        ("long 1", "short 1"),
    ]
    assert Assignment.objects.exclude(trace__in=standing).count() == 0


def test_the_right_file_goes_in_after_a_wrong_one_was_taken_back(import_rows, round):
    import_rows([trace_row(1, reasoning="wrong")])
    importing.withdraw_batch(ImportBatch.objects.get(), "wrong file", by=None)
    assert import_rows([trace_row(1, reasoning="right")]).traces_new == 1
    assert import_rows([trace_row(1, reasoning="right")]).traces_known == 1
    assert import_rows([trace_row(1, reasoning="other")]).refused == 1


def test_import_traces_guesses_takes_a_map_and_names_what_is_missing(round, tmp_path, command):
    path, mapping = tmp_path / "t.jsonl", tmp_path / "map.json"
    path.write_text('{"question": "q", "thinking": "because", "answer": "a"}\n')
    options = ("--project", "pilot", "--round", "round 1")
    assert command("import_traces", path, *options, "--dry-run")["by_format"] == {"mapped": 1}
    assert command("import_traces", path, *options, "--format", "canonical")["refused"] == 1
    mapping.write_text('{"prompt": "thinking", "reasoning": "question"}')
    assert command("import_traces", path, *options, "--map", mapping)["traces_new"] == 1
    assert Trace.objects.with_texts().get().prompt_as_given == "because"
    with pytest.raises(Unreadable):
        importing.read_by(tmp_path / "nothing.jsonl", "auto", None)


def test_a_file_with_nothing_in_it_is_an_import_of_nothing(round, tmp_path, command):
    (tmp_path / "t.jsonl").write_bytes(b"")
    assert (
        command("import_traces", tmp_path / "t.jsonl", "--project", "pilot", "--round", "round 1")["read"]
        == 0
    )
