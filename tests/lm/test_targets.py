"""A target is read from what lies in a tokenizer's folder, and refused with a sentence where it cannot be used."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_targets import CHAT, folder, tokenizer

from reviews.lm import targets
from reviews.lm.targets import TargetError


def test_a_folder_gives_its_template_its_special_tokens_and_its_tokenizer(tmp_path):
    read = targets.from_path(folder(tmp_path / "model", add_bos_token=True))

    assert (read.name, read.template, read.tokenizer) == ("model", CHAT, tokenizer())
    assert (read.bos, read.eos, read.adds_bos) == ("<s>", "<|im_end|>", True)


def test_the_parts_that_are_stored_give_the_same_target_again(tmp_path):
    read = targets.from_folder(folder(tmp_path / "model", add_bos_token=False))
    again = targets.from_parts(read.name, read.template.encode(), read.special_bytes(), read.tokenizer)

    assert again == read
    assert again.digest == read.digest


def test_every_part_changes_the_digest_and_the_name_does_not():
    parts = [
        ("a", b"x", b"{}", None),
        ("a", b"y", b"{}", None),
        ("a", b"x", b'{"eos_token":"z"}', None),
        ("a", b"x", b"{}", b"{}"),
    ]
    assert len({targets.from_parts(*each).digest for each in parts}) == 4
    assert targets.from_parts("b", b"x").digest == targets.from_parts("a", b"x").digest


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat_template.jinja", CHAT),
        ("chat_template.json", json.dumps({"chat_template": CHAT})),
        ("tokenizer_config.json", json.dumps({"chat_template": CHAT})),
    ],
)
def test_a_template_is_found_in_each_place_where_it_is_kept(name, content):
    assert targets.from_files("m", {name: content.encode()}).template == CHAT


def test_one_file_alone_is_enough(tmp_path):
    (tmp_path / "chatml.jinja").write_text(CHAT)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": "x", "eos_token": "</s>"}))

    assert targets.from_path(tmp_path / "chatml.jinja").name == "chatml"
    assert targets.from_path(tmp_path / "tokenizer_config.json").eos == "</s>"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "has no chat template"),
        ({"tokenizer_config.json": b'{"chat_template": ""}'}, "has no chat template"),
        ({"tokenizer_config.json": b'{"chat_template": 7}'}, "has no chat template"),
        (
            {"tokenizer_config.json": b'{"chat_template": [{"name": "default"}, {"name": "tool_use"}]}'},
            r"several templates \(default, tool_use\)",
        ),
        ({"tokenizer_config.json": b"{"}, "tokenizer_config.json is not JSON"),
        ({"tokenizer_config.json": b"[]"}, "holds list"),
        ({"special_tokens_map.json": b"\xff"}, "not UTF-8"),
        ({"chat_template.jinja": b"\xff"}, "not UTF-8"),
        ({"chat_template.jinja": b"\n{% if %}"}, "no valid Jinja: line 2"),
        ({"chat_template.jinja": b"{{" + b"(" * 5000}, "no valid Jinja|nested too deep"),
        ({"chat_template.jinja": b"x" * (2**20 + 1)}, "no real one is so long"),
        ({"chat_template.jinja": b"x", "tokenizer.json": b"{"}, "tokenizer.json is not JSON"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_file_and_a_reason(files, says):
    with pytest.raises(TargetError, match=says):
        targets.from_files("m", files)


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TargetError, match="cannot be read"):
        targets.from_path(tmp_path / "nowhere")


@given(st.dictionaries(st.sampled_from(targets.FILES), st.binary(max_size=60)))
def test_any_files_give_a_target_or_a_sentence(files):
    try:
        template = targets.from_files("m", files).template
    except TargetError as refused:
        template = str(refused)
    assert template
