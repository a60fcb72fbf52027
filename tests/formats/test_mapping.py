"""What a person who changes a mapping gets: the same mapping back, or which field is wrong and why."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reviews.formats.mapping import SPLITS, Mapping, MappingProblem, cut, join
from reviews.formats.paths import escaped, find, steps

ROW = {
    "a.b": {"*": "star"},
    "messages": [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "assistant", "content": "three"},
    ],
    "choices": [{"text": "x"}, {"text": "y"}],
    "by": {"m1": {"out": "p"}, "m2": {"out": "q"}},
}


@pytest.mark.parametrize(
    ("path", "item", "value"),
    [
        ("a\\.b.\\*", None, "star"),
        ("messages[0].content", None, "one"),
        ("messages.1.content", None, "two"),
        ("messages[role=assistant][-1].content", None, "three"),
        ("messages[role=assistant].content", None, ["two", "three"]),
        ("messages[:-1].content", None, ["one", "two"]),
        ("choices[].text", 1, "y"),
        ("by.*.out", "m2", "q"),
        ("*", "m2", "m2"),
        ("messages[7].content", None, None),
        ("messages[-9]", None, None),
        ("messages[role=tool][-1].content", None, None),
        ("choices.text", None, None),
        ("nothing.here", None, None),
    ],
)
def test_a_path_leads_to_what_it_says(path, item, value):
    assert find(ROW, path, item).value == value


def test_a_mapping_survives_json():
    mapping = Mapping(
        prompt="problem", reasoning="generations[]", split="think", sampling=("t",), parallel=("correct",),
        rows="json-list", rows_at="data.rows", model="model", usage="usage",
    )  # fmt: skip
    assert Mapping.from_dict(json.loads(json.dumps(mapping.as_dict()))) == mapping


def test_what_is_not_set_is_left_out():
    assert Mapping("p", "r").as_dict() == {"prompt": "p", "reasoning": "r", "split": "none", "rows": "jsonl"}


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        ([], "", "expected an object"),
        ({"reasoning": "r"}, "prompt", "name where the prompt is"),
        ({"prompt": None, "reasoning": "r"}, "prompt", "expected text"),
        ({"prompt": "p"}, "reasoning", "name where the reasoning is"),
        ({"prompt": "p", "reasoning": 3}, "reasoning", "expected text"),
        ({"prompt": "p", "reasoning": "r", "promt_id": "x"}, "promt_id", "no such field"),
        ({"prompt": "p[", "reasoning": "r"}, "prompt", "not closed"),
        ({"prompt": "p..q", "reasoning": "r"}, "prompt", "a key is missing"),
        ({"prompt": "p[x]", "reasoning": "r"}, "prompt", "is not a selector"),
        ({"prompt": "p[]", "reasoning": "r"}, "prompt", "no [] and no *"),
        ({"prompt": "p", "reasoning": "a[].b[].c"}, "reasoning", "only one of [] and *"),
        ({"prompt": "p", "reasoning": ""}, "reasoning", "the path is empty"),
        ({"prompt": "p", "reasoning": "r", "split": "thinks"}, "split", "there is no rule"),
        ({"prompt": "p", "reasoning": "r", "answer": "a", "split": "think"}, "answer", "only `reasoning`"),
        ({"prompt": "p", "answer": "a", "split": "think"}, "reasoning", "only `reasoning`"),
        ({"prompt": "p", "reasoning": "r", "rows": "csv"}, "rows", "expected one of jsonl"),
        ({"prompt": "p", "reasoning": "r", "rows_at": "data"}, "rows_at", "json-list"),
        ({"prompt": "p", "reasoning": "r", "rows": "json-list", "rows_at": "a[0]"}, "rows_at", "only keys"),
        (
            {"prompt": "p", "reasoning": "r", "rows": "json-list", "rows_at": "a..b"},
            "rows_at",
            "a key is missing",
        ),
        ({"prompt": "p", "reasoning": "r", "sampling": "temperature"}, "sampling", "a list of paths"),
    ],
)
def test_a_wrong_mapping_names_its_wrong_field(value, field, reason):
    with pytest.raises(MappingProblem) as problem:
        Mapping.from_dict(value)
    assert problem.value.field == field
    assert reason in str(problem.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["prompt", "reasoning", "answer", "split", "rows", "rows_at", "sampling", "parallel", "model"]


@given(JSON | st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_json_is_a_mapping_or_a_mapping_problem(value):
    try:
        mapping = Mapping.from_dict(value)
    except MappingProblem:
        return
    assert Mapping.from_dict(mapping.as_dict()) == mapping


@given(st.text(min_size=1, max_size=50))
@example("*")
@example("a.b[0]\\")
def test_any_key_can_be_written_as_a_path(key):
    assert find({key: 1}, escaped(key)).value == 1


@given(st.text(alphabet="a0.[]*-=:\\", max_size=20), JSON)
def test_any_path_is_read_or_refused_and_follows_any_value(path, value):
    try:
        steps(path)
    except ValueError:
        return
    find(value, path, 0)
    find(value, path, "a")


PIECES = st.sampled_from(["", "a", "\n", " ", "<think>", "</think>", *sum(SPLITS.values(), ())])


@given(st.lists(PIECES, max_size=7).map("".join) | st.text(), st.sampled_from(sorted(SPLITS)))
def test_joining_the_parts_of_a_split_text_gives_its_bytes_back(text, split):
    assert join(*cut(text, split)) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<think>\nr \n</think>\n\na ", ("\nr \n", "\n\na ", "think")),
        ("r</think>a", ("r", "a", "think-closed")),
        ("<think>r and cut off", ("r and cut off", None, "think-open")),
        ("r and cut off", ("r and cut off", None, "")),
        ("<think></think>", ("", "", "think")),
    ],
)
def test_a_text_is_cut_at_its_tags_and_nothing_is_trimmed(text, parts):
    assert cut(text, "think") == parts
