"""The demonstration's data: what a newcomer finds in it, and that it is the same everywhere."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[1] / "reviews" / "demonstration"
VERDICTS = {"accept", "reject", "unsure", "bad-prompt"}
FAULT_NAMES = {"gaming", "hiding", "slip", "clash", "wordy"}

HASH_ALL = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
import demonstration
digest = hashlib.sha256(demonstration.spec_text().encode())
for row in [*demonstration.traces(), *demonstration.reviews()]:
    digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\\n")
print(digest.hexdigest(), "django" in sys.modules)
"""


def _load() -> ModuleType:
    """The package by its folder, so that nothing of Django is imported along with it."""
    spec = importlib.util.spec_from_file_location("demonstration", FOLDER / "__init__.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["demonstration"] = module
    spec.loader.exec_module(module)
    return module


demonstration = _load()
TRACES = list(demonstration.traces())
REVIEWS = list(demonstration.reviews())


def _key(row: dict) -> tuple[str, int]:
    return row["prompt_id"], row["sample_index"]


def _by_trace() -> dict[tuple[str, int], list[dict]]:
    found = defaultdict(list)
    for review in REVIEWS:
        found[_key(review)].append(review)
    return found


def test_there_are_eighty_prompts_in_four_domains_with_eight_samples_each():
    assert len(TRACES) == 640
    samples = Counter(trace["prompt_id"] for trace in TRACES)
    assert len(samples) == 80
    assert set(samples.values()) == {8}
    assert len({json.dumps(trace["prompt"]) for trace in TRACES}) == 80
    assert set(Counter(trace["meta"]["domain"] for trace in TRACES).values()) == {160}
    assert {trace["sample_index"] for trace in TRACES} == set(range(8))


def test_no_two_traces_have_the_same_reasoning():
    assert len({trace["reasoning"] for trace in TRACES}) == 640


def test_siblings_share_few_paragraphs_word_for_word():
    shared = []
    for _, siblings in _siblings().items():
        for one, other in combinations(siblings, 2):
            here, there = set(one["reasoning"].split("\n\n")), set(other["reasoning"].split("\n\n"))
            shared.append(len(here & there) / min(len(here), len(there)))
    assert sum(shared) / len(shared) < 0.15


def _siblings() -> dict[str, list[dict]]:
    found = defaultdict(list)
    for trace in TRACES:
        found[trace["prompt_id"]].append(trace)
    return found


def test_every_trace_has_a_reasoning_an_answer_and_no_leftover_of_the_writing():
    for trace in TRACES:
        assert trace["reasoning"].strip()
        assert trace["answer"].strip()
        shown = trace["reasoning"] + trace["answer"] + json.dumps(trace["prompt"])
        assert "[[" not in shown, _key(trace)
        assert "]]" not in shown.replace("]]\\n", ""), _key(trace)
        assert shown.count("```") % 2 == 0


def test_lengths_run_from_a_sentence_or_two_to_a_handful_of_long_reads():
    words = sorted(len(trace["reasoning"].split()) for trace in TRACES)
    assert sum(count < 60 for count in words) <= 10
    assert sum(60 <= count <= 450 for count in words) >= 620
    assert 4 <= sum(count > 2500 for count in words) <= 8
    assert words[-1] < 4000


def test_there_are_lists_code_and_formulas_to_render():
    reasoning = [trace["reasoning"] for trace in TRACES]
    assert sum("\n- " in text or "\n* " in text for text in reasoning) > 50
    assert sum("```" in text for text in reasoning) > 10
    assert sum("$" in text for text in reasoning) > 30
    assert sum("`" in text for text in reasoning) > 50


def test_some_prompts_are_text_and_some_are_chats_with_a_system_message_that_repeats():
    prompts = {trace["prompt_id"]: trace["prompt"] for trace in TRACES}.values()
    chats = [prompt for prompt in prompts if isinstance(prompt, list)]
    systems = Counter(chat[0]["content"] for chat in chats if chat[0]["role"] == "system")
    assert 8 <= len(chats) <= 40
    assert max(systems.values()) >= 2
    assert all(chat[-1]["role"] == "user" for chat in chats)


def test_every_row_says_that_it_is_synthetic():
    assert all("synthetic" in trace["model"] and "synthetic" in trace["meta"]["source"] for trace in TRACES)
    assert all(review["reviewer"].startswith("synthetic-") for review in REVIEWS)
    assert {review["reviewer"] for review in REVIEWS} == {"synthetic-ada", "synthetic-ben", "synthetic-chi"}


def test_nothing_in_a_trace_tells_what_was_planted():
    for trace in TRACES:
        assert set(trace["meta"]) == {"domain", "family", "source", "licence", "usage"}
        labels = [trace["prompt_id"], trace["meta"], trace["sampling"], trace["model"]]
        words = set(json.dumps(labels).split('"'))
        assert not words & FAULT_NAMES


def test_the_output_is_the_same_bytes_whatever_the_hash_seed_and_needs_no_django():
    said = [
        subprocess.run(
            [sys.executable, "-c", HASH_ALL, str(FOLDER.parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "20240229")
    ]
    assert said[0] == said[1]
    assert said[0].split()[1] == "False"


def test_each_review_names_an_existing_trace_and_a_reject_names_a_clause():
    known = {_key(trace) for trace in TRACES}
    for review in REVIEWS:
        assert _key(review) in known
        assert review["verdict"] in VERDICTS
        assert bool(review["clauses"]) == (review["verdict"] == "reject")
        assert set(review["clauses"]) <= {"H1", "H2", "P1", "P2"}
        assert set(review["remarks"]) <= {"F1"}
        assert review["model"] == demonstration.MODEL
    assert len({(*_key(review), review["reviewer"]) for review in REVIEWS}) == len(REVIEWS)


def test_about_a_fifth_is_left_to_judge_and_a_few_prompts_wholly():
    by_trace = _by_trace()
    assert 130 <= 640 - len(by_trace) <= 150
    assert 0.30 <= sum(len(reviews) >= 2 for reviews in by_trace.values()) / 640 <= 0.40
    assert 10 <= sum(len(reviews) == 3 for reviews in by_trace.values()) <= 40
    untouched = set(_siblings()) - {prompt_id for prompt_id, _ in by_trace}
    assert 3 <= len(untouched) <= 6


def test_a_bit_more_than_half_is_accepted_and_prompts_differ():
    verdicts = [review["verdict"] for review in REVIEWS]
    assert 0.55 <= verdicts.count("accept") / len(verdicts) <= 0.65
    shares = []
    for prompt_id in _siblings():
        said = [review["verdict"] == "accept" for review in REVIEWS if review["prompt_id"] == prompt_id]
        if said:
            shares.append(sum(said) / len(said))
    assert min(shares) <= 0.2
    assert max(shares) == 1.0
    assert len({round(share, 1) for share in shares}) >= 8


def test_reviewers_agree_as_often_as_careful_people_do():
    agreed: Counter[tuple[str, str]] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for reviews in _by_trace().values():
        for one, other in combinations(reviews, 2):
            pair = (one["reviewer"], other["reviewer"])
            pairs[pair] += 1
            agreed[pair] += one["verdict"] == other["verdict"]
    assert 0.80 <= agreed.total() / pairs.total() <= 0.86
    assert all(0.7 <= agreed[pair] / pairs[pair] <= 0.95 for pair in pairs)


def test_the_spec_has_four_clauses_that_select_and_one_on_form():
    text = demonstration.spec_text()
    assert text.startswith("# ")
    assert "{form-selects=false}" in text.split("\n")[0]
    headings = [line for line in text.split("\n") if line.startswith("## ")]
    assert [heading.split()[1] for heading in headings] == ["H1", "H2", "P1", "P2", "F1"]
    assert sum("purpose=form" in heading for heading in headings) == 1
    for part in text.split("\n## ")[1:]:
        assert all(word in part for word in ("Example that holds: ", "Example that fails: ", "Borderline: "))
