"""Prompts of one domain look like one kind, mixtures like several."""

import json
from random import Random

import pytest

from reviews.measures.kinds import AT_MOST, kinds

NAMES = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal"]
GOODS = ["apples", "pears", "books", "stamps", "coins", "shells", "marbles", "kites"]


def sums(draw):
    one, other = draw.sample(NAMES, 2)
    goods = draw.choice(GOODS)
    return (
        f"{one} has {draw.randint(3, 90)} {goods} and gives {draw.randint(1, 9)} of them to {other}. How many "
        f"{goods} does {one} have left after that?"
    )


def programs(draw):
    return (
        f"Write a Python function `def {draw.choice(GOODS)}(x: list[int]) -> dict` that returns, for each key, "
        "the sorted values. Include error handling, type hints and a unit test."
    )


def letters(draw):
    return f"Dear {draw.choice(NAMES)},\n\nplease rewrite my letter in a warm tone:\n\n> I am sorry about your {draw.choice(GOODS)}!\n"


def sorting(draw):
    return " ".join("".join(draw.choice("abcdefghijklmnoprstu") for _ in range(6)) for _ in range(15))


def planted(*makers, each=40):
    draw = Random(5)
    return [maker(draw) for maker in makers for _ in range(each)]


@pytest.mark.parametrize("maker", [sums, programs, letters, sorting])
def test_prompts_of_one_pattern_are_one_kind_whatever_they_are_about(maker):
    assert kinds(planted(maker)).number == pytest.approx(1)


def test_a_mixture_looks_like_as_many_kinds_as_it_has():
    found = kinds(planted(sums, programs, letters, sorting))
    assert (found.number, found.sizes, found.state) == (pytest.approx(4), (40, 40, 40, 40), "ok")
    assert kinds(planted(sums, programs)).number == pytest.approx(2)


def test_few_prompts_are_not_judged_and_empty_ones_break_nothing():
    assert (kinds(["a"] * 19).number, kinds(["a"] * 19).state) == (None, "too-few")
    assert kinds([""] * 30).prompts == 30
    assert kinds(["x y z"] * 30).number == 1


def test_the_order_of_prompts_changes_nothing():
    texts = planted(sums, letters, sorting)
    assert kinds(Random(3).sample(texts, len(texts))).sizes == kinds(texts).sizes


def read(folder, name):
    found = {}
    with (folder / "traces" / name).open(encoding="utf-8") as lines:
        for line in lines:
            prompt = json.loads(line)["prompt"]
            text = prompt if isinstance(prompt, str) else "\n".join(one["content"] for one in prompt)
            found[text] = True
    return list(found)


@pytest.mark.parametrize(
    "name",
    [
        "gsm8k_samples.jsonl",
        "game24_gpt4_cot100.jsonl",
        "biased_mcq_llama8b_checkpoints.jsonl",
        "rl_checkpoints_gptoss120b.jsonl",
        "span_labels_champ.jsonl",
    ],
)
def test_real_files_of_one_domain_look_like_one(shared_data, name):
    assert kinds(read(shared_data, name)[:AT_MOST]).number < 1.3


def test_real_mixtures_look_like_several(shared_data):
    assert kinds(read(shared_data, "step_labels_bigbench_mistake.jsonl")).number == pytest.approx(3, abs=0.3)
    files = sorted((shared_data / "traces").glob("*.jsonl"))
    draw, even = Random(1), []
    for file in files:
        texts = read(shared_data, file.name)
        even += draw.sample(texts, min(33, len(texts)))
    assert 4 < kinds(even).number < 12
