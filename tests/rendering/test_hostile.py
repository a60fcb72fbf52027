"""No trace, whatever it holds, brings anything onto the page but its own text; and none keeps a reader waiting."""

import json
import time

import pytest
from rendering import fragments, hostile

from reviews.rendering import cleaning, document, raw

ROWS = hostile.rows()
PARTS = [
    pytest.param(row[part], id=f"{row['meta']['what']}, {part}")
    for row in ROWS
    for part in ("prompt", "reasoning", "answer")
    if part == row["meta"]["where"]
]


def test_there_are_enough_rows_and_a_third_of_them_attack_by_prompt_or_answer():
    assert len(ROWS) >= 120
    elsewhere = [row for row in ROWS if row["meta"]["where"] != "reasoning"]
    assert len(elsewhere) >= len(ROWS) // 3
    for row in ROWS:
        assert json.loads(json.dumps(row)) == row
        for part in ("prompt", "reasoning", "answer"):
            row[part].encode()  # a lone surrogate would be refused at import


@pytest.mark.parametrize("text", PARTS)
def test_a_hostile_text_brings_only_its_own_text_onto_the_page_and_all_of_it_in_time(text):
    began = time.process_time()
    typeset = "".join(step.html for step in document.render(text).steps)
    plainly = "".join(step.html for step in document.render(text, how="plain").steps)
    exactly = raw.render(text)
    spent = time.process_time() - began

    for html in (typeset, plainly, exactly):
        assert fragments.what_is_wrong(html, text) == []
    assert left_out(exactly, text) == set()
    assert left_out(plainly, text) <= set(filter(str.isspace, text))
    assert left_out(typeset, text) <= {*filter(str.isspace, text), *">*+-#`~_=|:\\.)0123456789"}
    assert spent < 10  # the slowest takes two seconds; machines differ


def left_out(html, text):
    """The characters of a text that cannot be seen on the page."""
    seen = fragments.covered(html, len(text))
    return {character for character, is_seen in zip(text, seen, strict=True) if not is_seen}


def test_the_gate_takes_out_what_should_never_have_been_written():
    for row in ROWS:
        attack = row[row["meta"]["where"]][:5000]
        fragment = fragments.Fragment(cleaning.clean(attack).replace("\0", ""))
        assert [wrong for wrong in fragment.wrong if "allowed" in wrong or "comment" in wrong] == []
