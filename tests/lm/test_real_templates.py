"""What real chat templates make of a reasoned answer: every text template in TRL's wheel, as they are published."""

from __future__ import annotations

import pytest

from reviews.lm import checking_rows
from reviews.lm.targets import TargetError
from reviews.lm.verdicts import Row, Verdict

ASKED = [{"role": "user", "content": "2*3?"}]
ROWS = {
    "plain": Row("plain", ASKED, "Two times three.\n\nWait — naïve? 🧮 yes.", "It is 6."),
    "edged": Row("edged", ASKED, "\n\tTwo  times three. \n\n", " It is 6. "),  # white space at every end
    "bare": Row("bare", ASKED, "", "It is 6."),
}
FORMATS = ("sft", "sft-inline", "rendered")
EXACT, TRIMMED, DROPPED, ADDED, CHANNEL, BROKEN = (
    "exact",
    "whitespace-altered",
    "dropped",
    "think-added",
    "wrong-channel",
    "prefix-broken",
)
REFUSED = "refused"  # the whole target: it writes today's date into its prompts
# Templates that do the same: for each format the verdicts of the three rows above, in their order.
TABLE = {
    (
        "cohere2 cohere2_training lfm2 lfm2_training lfm2_v2 lfm2_v2_training phi3 phi3_training phi3_5 "
        "phi3_5_training qwen2_5 qwen2_5_training qwen2_5_vl qwen2_5_vl_training qwen3_instruct_2507 "
        "qwen3_instruct_2507_training qwen3_vl qwen3_vl_training"
    ): [(DROPPED, DROPPED, EXACT), (EXACT, EXACT, EXACT), (EXACT, EXACT, EXACT)],
    ("cohere cohere_training gemma gemma_training gemma3 gemma3_training llama3 llama3_training llama3_1"): [
        (DROPPED, DROPPED, EXACT),
        (EXACT, TRIMMED, EXACT),
        (EXACT, EXACT, EXACT),
    ],
    "llama3_2": [(DROPPED, DROPPED, EXACT), (EXACT, TRIMMED, EXACT), (REFUSED,) * 3],
    "gemma4 gemma4_v2 gemma4_v3 gemma4_v4": [
        (DROPPED, DROPPED, EXACT),
        (CHANNEL, TRIMMED, EXACT),
        (EXACT, EXACT, EXACT),
    ],
    "gemma4_v5 diffusion_gemma diffusion_gemma_training": [
        (EXACT, TRIMMED, EXACT),
        (CHANNEL, TRIMMED, EXACT),
        (EXACT, EXACT, EXACT),
    ],
    "deepseek_r1_distill deepseekv3 deepseekv3_training": [
        (DROPPED, DROPPED, BROKEN),
        (DROPPED, DROPPED, BROKEN),
        (EXACT, EXACT, ADDED),
    ],
    "deepseek_r1_distill_training": [
        (DROPPED, DROPPED, BROKEN),
        (EXACT, EXACT, BROKEN),
        (EXACT, EXACT, ADDED),
    ],
    "qwen3 qwen3_training glm4moe glm4moe_training": [
        (EXACT, TRIMMED, ADDED),
        (EXACT, TRIMMED, ADDED),
        (EXACT, EXACT, EXACT),
    ],
    (
        "nemotron_3_5_lightning nemotron_3_5_lightning_training nemotron_3_nano nemotron_3_nano_training "
        "nemotron_3_super nemotron_3_super_training nemotron_3_ultra nemotron_3_ultra_training qwen3_5_think "
        "qwen3_5_think_training qwen3_6 qwen3_6_training"
    ): [(EXACT, TRIMMED, ADDED), (EXACT, TRIMMED, ADDED), (EXACT, EXACT, ADDED)],
    "qwen3_5_nothink qwen3_5_nothink_training": [
        (BROKEN, TRIMMED, EXACT),
        (BROKEN, TRIMMED, EXACT),
        (BROKEN, BROKEN, EXACT),
    ],
    # Its prompt ends in an open block, so inline tags come after an empty one that it writes first.
    "qwen3_8 qwen3_8_training": [(EXACT, TRIMMED, ADDED), (ADDED, TRIMMED, ADDED), (EXACT, EXACT, ADDED)],
    "lfm2_2_5": [(EXACT, EXACT, ADDED), (EXACT, EXACT, EXACT), (EXACT, EXACT, EXACT)],
    "lfm2_2_5_v2 lfm2_2_5_vl": [(EXACT, EXACT, EXACT), (EXACT, EXACT, EXACT), (EXACT, EXACT, EXACT)],
    "gptoss gptoss_training": [(EXACT, EXACT, ADDED), (CHANNEL, CHANNEL, EXACT), (REFUSED,) * 3],
    "muse_glimmer muse_glimmer_training": [(EXACT, EXACT, EXACT), (CHANNEL, CHANNEL, EXACT), (REFUSED,) * 3],
}
EXPECTED = {name: verdicts for names, verdicts in TABLE.items() for name in names.split()}
FOR_PICTURES = {"idefics3", "llava_next", "smolvlm"}  # they read lists of content parts, never plain text


def verdicts(target, format, renderer) -> tuple[str, ...]:
    try:
        return tuple(
            next(iter(checking_rows.check(target, format, [row], renderer=renderer).verdicts))
            for row in ROWS.values()
        )
    except TargetError as refused:
        if "today's date" not in str(refused):
            raise
        return (REFUSED,) * 3


def test_the_table_has_every_text_template_of_the_wheel(wheel):
    files = {path.stem for path in wheel.glob("*.jinja")}
    assert {name for name in files if name.removesuffix("_training") not in FOR_PICTURES} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_template_does_to_each_format_what_the_table_says(name, template, renderer):
    target = template(name)
    assert [verdicts(target, format, renderer) for format in FORMATS] == EXPECTED[name]


def test_of_38_original_templates_21_drop_a_separate_reasoning_6_trim_it_and_2_drop_inline_tags_too():
    originals = {name: found for name, found in EXPECTED.items() if not name.endswith("_training")}
    own = {name: found[0] for name, found in originals.items()}
    trimmed = {name for name in own if own[name][1] == TRIMMED and name.startswith(("qwen3", "glm"))}
    assert len(originals) == 38
    assert sum(plain == DROPPED for plain, _, _ in own.values()) == 21
    assert len(trimmed) == 6
    assert sum(found[1][0] == DROPPED for found in originals.values()) == 2


def test_what_trims_the_reasoning_and_what_only_the_answer_is_told_apart(template, renderer):
    pieces = {
        name: checking_rows.check(template(name), "sft", [ROWS["edged"]], renderer=renderer)
        .failures[0]
        .judged
        for name in ("qwen3", "glm4moe", "nemotron_3_nano", "gemma4_v5")
    }
    assert {name: (judged.piece, judged.differ) for name, judged in pieces.items()} == {
        "qwen3": ("reasoning", 3),  # line feeds at both ends
        "glm4moe": ("reasoning", 7),  # all of it, and the answer's too
        "nemotron_3_nano": ("answer", 1),
        "gemma4_v5": ("answer", 2),
    }


@pytest.mark.parametrize(
    ("name", "format", "row", "remedy"),
    [
        ("llama3", "sft", "plain", "sft-inline"),
        ("llama3", "sft-inline", "edged", "rendered"),
        ("gptoss", "sft-inline", "plain", "sft"),
        ("deepseek_r1_distill", "sft", "plain", "rendered"),
        ("qwen3", "sft", "edged", "rendered"),
        ("qwen3_5_nothink", "sft", "plain", "training-template"),
        ("llama3_2", "sft-inline", "edged", "training-template"),
    ],
)
def test_the_remedy_is_a_format_that_was_tried_or_another_template(
    name, format, row, remedy, template, renderer
):
    summary = checking_rows.check(template(name), format, [ROWS[row]], renderer=renderer)
    assert summary.remedy.try_ == remedy


def test_gemma_refuses_a_system_message_and_nothing_can_be_done_but_leave_the_row_out(template, renderer):
    row = Row("x", [{"role": "system", "content": "Be brief."}, *ASKED], "Because.", "6")
    summary = checking_rows.check(template("gemma"), "sft-inline", [row], renderer=renderer)

    assert summary.verdicts == {Verdict.NOT_RENDERED: 1}
    assert "System role not supported" in summary.failures[0].judged.why
    assert summary.remedy.try_ == "none"


def test_a_template_that_writes_no_end_of_turn_is_warned_of(template, renderer):
    warnings = checking_rows.check(template("glm4moe"), "sft", [ROWS["plain"]], renderer=renderer).warnings
    assert any("end of turn" in warning for warning in warnings)
