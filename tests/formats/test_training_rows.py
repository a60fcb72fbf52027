"""Rows for trainers: both texts come out again as they went in, and train.py runs with what TRL takes."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.formats import dataset_folder, rendered, sft, sft_inline, train_script

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
TAGGED = st.lists(st.sampled_from(["<think>\n", "\n</think>\n\n", "x", "\n"]), max_size=6).map("".join)
ASKED = [{"role": "user", "content": "2*3?", "name": "ada"}]
D = b"\x01" * 32


@given(TEXTS | TAGGED, TEXTS | TAGGED)
def test_inline_texts_come_out_as_they_went_in_whatever_tags_they_hold(reasoning, answer):
    assert sft_inline.split(sft_inline.row(ASKED, reasoning, answer, D, D)) == (reasoning, answer)


def test_inline_reasoning_stands_between_think_tags_and_none_opens_no_block():
    row = sft_inline.row(ASKED, "Because.", "6", D, D)
    assert row["completion"] == [{"role": "assistant", "content": "<think>\nBecause.\n</think>\n\n6"}]
    assert row["reasoning_code_points"] == 8
    assert sft_inline.row(ASKED, "", None, D, D)["completion"] == [{"role": "assistant", "content": ""}]


@pytest.mark.parametrize("format", dataset_folder.FORMATS)
def test_schema_features_and_rows_name_the_same_columns_and_no_value_is_null(format):
    module = dataset_folder.FORMATS[format]
    row = (
        rendered.row("asked", "said", D, D)
        if format == rendered.NAME
        else module.row(ASKED, "Because.", None, D, D)
    )
    assert list(row) == module.SCHEMA.names == [feature["name"] for feature in module.FEATURES]
    assert pa.Table.from_pylist([row], schema=module.SCHEMA).to_pylist() == [row]
    assert "None" not in repr(row)


@pytest.mark.parametrize(
    ("known", "length"),
    [
        ({}, "max_length=None"),
        ({"longest": 2011, "target": "small"}, "max_length=2048"),
        ({"longest": 2048, "target": "small"}, "max_length=2048"),
        ({"longest": 2011, "max_length": 4096}, "max_length=4096"),
    ],
)
def test_max_length_is_the_longest_row_rounded_up_or_unknown_and_said_so(known, length):
    script = train_script.script(sft.NAME, **known)
    assert length in script
    assert ("lengths are unknown" in script) == (known == {})


@given(st.text(), st.sampled_from(list(dataset_folder.FORMATS)))
def test_a_script_compiles_whatever_the_target_is_called(name, format):
    tree = ast.parse(train_script.script(format, longest=5, target=name))
    assert [type(node).__name__ for node in tree.body] == [
        *("Expr", "Import", "ImportFrom", "Import", "ImportFrom", "ImportFrom"),
        *("Assign", "Assign", "Assign", "Assign", "Assign", "Expr", "Expr"),
    ]


def test_every_option_of_the_script_is_one_that_trl_takes():
    trl = importlib.util.find_spec("trl")
    if trl is None or trl.origin is None:
        pytest.skip("trl is not installed; `make install` brings it in as files, without torch")
    transformers = importlib.util.find_spec("transformers")
    trainer = Path(trl.origin).parent / "trainer"
    options = fields(trainer / "sft_config.py", "SFTConfig") | fields(
        trainer / "base_config.py", "_BaseConfig"
    )
    options |= fields(Path(transformers.origin).parent / "training_args.py", "TrainingArguments")

    calls = [
        node for node in ast.walk(ast.parse(train_script.script(sft.NAME))) if isinstance(node, ast.Call)
    ]
    given = [call for call in calls if getattr(call.func, "id", "") in ("SFTConfig", "dict")]
    names = {word.arg for call in given for word in call.keywords if word.arg}
    assert {"max_length", "completion_only_loss"} <= names <= options


def fields(path: Path, kind: str) -> set[str]:
    """The annotated fields of a class, read without running the file, which would want torch."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind]
    return {line.target.id for line in found.body if isinstance(line, ast.AnnAssign)}
