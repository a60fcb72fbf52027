"""The command on files: worked examples, Game of 24, degenerate files and broken ones."""

import json
import os
from math import isfinite, log
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from reviews.formats.pressure_rows import PressureRow
from reviews.measures.exported import as_exported
from reviews.measures.pressure_rows import Tally


def write(path, accepted, sampled, **columns):
    """One row a trace: k accepted of K for each prompt."""
    rows = []
    for number, (k, n) in enumerate(zip(accepted, sampled, strict=True)):
        for index in range(n):
            more = {name: values[number][index] for name, values in columns.items()}
            rows.append({"prompt_id": f"p{number}", "accepted": int(index < k), **more})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pressure(path, capsys):
    call_command("pressure", str(path), "--json")
    return json.loads(capsys.readouterr().out)


FIFTY = [0] * 30 + [1] * 10 + [2] * 5 + [4] * 3 + [8] * 2


@pytest.mark.parametrize(
    ("accepted", "each", "expected"),
    [
        ([9, 1], 10, {"total": 0.693147, "prompt_shift": 0.368064, "within_plugin": 0.325083, "within_harmonic": 0.382897}),
        ([4, 2, 0, 0], 4, {"total": 0.980829, "prompt_shift": 0.749780, "within_plugin": 0.231049, "within_harmonic": 0.277778}),
        (FIFTY, 8, {"total": 2.120264, "total_upper": 2.573510, "within_plugin": 0.895315, "within_harmonic": 1.061905}),
        ([8, 0, 0, 0, 4, 0, 0, 0, 0, 0], 8, {"total": 1.897120, "total_upper": 3.190280}),
    ],
    ids=["T4", "T5", "T9", "T17"],
)  # fmt: skip
def test_worked_examples_as_files(accepted, each, expected, tmp_path, capsys):
    found = pressure(write(tmp_path / "rows.jsonl", accepted, [each] * len(accepted)), capsys)
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, abs=1e-6), key
    assert found["kl"] == pytest.approx(found["total"], abs=1e-12)
    assert (found["outcome"], found["cot_given_outcome"], found["alignment"], found["form"]) == (None,) * 4


def test_soft_accepts_have_divergences_and_no_counts(tmp_path, capsys):
    path = tmp_path / "soft.jsonl"
    path.write_text(
        "".join(json.dumps({"prompt_id": "p", "accepted": a}) + "\n" for a in (1, 1, 0.5, 0.5, 0, 0, 0, None))
    )
    found = pressure(path, capsys)
    assert (found["kl"], found["d_inf"]) == (
        pytest.approx(0.749780, abs=1e-6),
        pytest.approx(0.980829, abs=1e-6),
    )
    assert found["total"] == pytest.approx(-log(0.375))
    assert (found["within"], found["resolution"]) == (None, None)


def test_what_goes_out_under_a_cap_is_its_own_figure(tmp_path, capsys):
    accepted = [4, 2, 0, 0]
    exported = [[True] + [False] * 3 if k else [False] * 4 for k in accepted]
    found = pressure(write(tmp_path / "cap.jsonl", accepted, [4] * 4, exported=exported), capsys)
    assert found["exported_total"] == pytest.approx(1.039721, abs=1e-6)
    assert found["exported_prompt_shift"] == pytest.approx(0.693147, abs=1e-6)
    assert found["exported_within"] == pytest.approx(0.346574, abs=1e-6)
    assert found["total"] == pytest.approx(0.980829, abs=1e-6)


def test_game_of_24(tmp_path, capsys):
    """The oracle of issue 6: real samples, nearly all of them wrong."""
    if not os.environ.get("WINNOW_TEST_DATA"):
        pytest.skip("set WINNOW_TEST_DATA to the folder of test data")
    source = Path(os.environ["WINNOW_TEST_DATA"]) / "traces/game24_gpt4_cot100.jsonl"
    with source.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    path = tmp_path / "game24.jsonl"
    path.write_text(
        "".join(
            json.dumps({"prompt_id": row["prompt_id"], "accepted": row["meta"]["labels"]["correct"]}) + "\n"
            for row in rows
        )
    )
    found = pressure(path, capsys)
    assert found["accepted"] / found["sampled"] == pytest.approx(0.0403)
    assert found["total"] == pytest.approx(3.211404, abs=1e-6)
    assert found["prompt_shift"] == pytest.approx(1.268667, abs=1e-6)
    assert found["within_plugin"] == pytest.approx(1.942736, abs=1e-6)
    assert found["within_harmonic"] == pytest.approx(2.002363, abs=1e-6)

    right: dict[str, int] = {}
    for row in rows:
        right[row["prompt_id"]] = right.get(row["prompt_id"], 0) + row["meta"]["labels"]["correct"]
    solvable = np.array([k for k in right.values() if k])
    unweighted = float(np.mean(-np.log(solvable / 100)))
    assert (len(solvable), unweighted) == (49, pytest.approx(3.1344, abs=5e-5))
    nats = [
        found[key] for key in ("total", "prompt_shift", "within_plugin", "within", "kl", "selecting_total")
    ]
    assert all(abs(value - unweighted) > 0.01 for value in nats)

    texts = {(row["prompt_id"], row["reasoning"], row["answer"]) for row in rows}
    assert 1 - len(texts) / len(rows) == pytest.approx(0.39, abs=5e-3)


@pytest.mark.parametrize(
    ("accepted", "sampled"),
    [
        ([0, 0, 0], [4, 4, 4]),
        ([2], [8]),
        ([0], [1]),
        ([1, 0, 1], [1, 1, 1]),
        ([8] * 40, [8] * 40),
        ([1], [1]),
    ],
    ids=["nothing accepted", "one prompt", "one sample", "K=1", "all accepted", "one accepted"],
)
def test_degenerate_files_give_named_states_and_numbers_that_json_has(accepted, sampled, tmp_path, capsys):
    extra = [["correct"] * n for n in sampled]
    flags = [[index < k for index in range(n)] for k, n in zip(accepted, sampled, strict=True)]
    columns = {"outcome": extra, "align_pass": flags, "form_pass": flags, "exported": flags, "domain": extra}
    found = pressure(write(tmp_path / "rows.jsonl", accepted, sampled, **columns), capsys)
    assert all(isfinite(value) for value in found.values() if isinstance(value, float))
    assert found["state"] == ("ok" if any(accepted) else "nothing-accepted")
    assert (found["total"] is None) == (not any(accepted))
    assert (found["exported_state"] == "nothing-exported") == (not any(accepted))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt_id": "p", "accepted": 2}', "rows.jsonl, line 2, accepted: expected a number from 0 to 1, got 2"),
        ('{"prompt_id": "p"}', "line 2, accepted: expected a number from 0 to 1, got nothing"),
        ('{"accepted": 1}', "line 2, prompt_id: expected an id, got nothing"),
        ('{"prompt_id": "p", "accepted": "yes"}', "line 2, accepted: expected a number from 0 to 1, got text"),
        ('{"prompt_id": "p", "accepted": 1, "form_pass": "no"}', "line 2, form_pass: expected true or false"),
        ('{"prompt_id": "p", "accepted": 1, "domain": "b"}', "line 2, domain: expected None as before"),
        ("{", "line 2: not JSON"),
    ],
)  # fmt: skip
def test_the_first_wrong_row_is_named_and_no_figure_is_given(line, words, tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt_id": "p", "accepted": 1}\n' + line + "\n")
    with pytest.raises(CommandError, match=words) as refused:
        pressure(path, capsys)
    assert refused.value.returncode == 2


def test_what_the_rows_cannot_give_is_null_to_programs_and_not_measured_to_people(tmp_path, capsys):
    path = write(tmp_path / "rows.jsonl", [0, 0], [4, 4])
    call_command("pressure", str(path), "--json")
    said = capsys.readouterr()
    found = json.loads(said.out)
    unknown = (
        "total",
        "total_upper",
        "selecting_upper",
        "within",
        "outcome",
        "cot_given_outcome",
        "alignment",
    )
    assert [found[key] for key in (*unknown, "form", "exported_total", "kl", "d_inf")] == [None] * 11
    assert "total: not measured, no upper figure" in said.err
    assert "form: not measured (not-measured)" in said.err
    assert "not measured nats" not in said.err
    assert "None" not in said.err


def test_no_file_and_no_row_are_said(tmp_path, capsys):
    with pytest.raises(CommandError, match="cannot be read"):
        pressure(tmp_path / "none.jsonl", capsys)
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(CommandError, match="no row"):
        pressure(tmp_path / "empty.jsonl", capsys)


trace = st.tuples(
    st.integers(0, 6), st.booleans(), st.sampled_from(["right", "wrong", None]), st.booleans(), st.booleans()
)


@settings(deadline=None)
@given(st.lists(trace, min_size=1, max_size=80))
def test_every_split_adds_up_exactly(traces):
    tally = Tally()
    for prompt, accepted, outcome, alignment, form in traces:
        tally.add(PressureRow(0, f"p{prompt}", float(accepted), outcome, alignment, form, None, None))
    found = tally.figures()
    if found.prompt_shift is None:
        assert not any(accepted for _, accepted, *_ in traces)
        return
    assert found.prompt_shift + found.within_plugin == pytest.approx(found.total.total, abs=1e-9)
    if cells := found.given_outcome:
        assert cells.prompt_shift + cells.outcome + cells.cot_plugin == pytest.approx(
            found.total.total, abs=1e-9
        )
        assert cells.cot <= cells.resolution + 1e-9
    if found.purposes.state == "ok":
        assert found.purposes.alignment + found.purposes.form == pytest.approx(found.purposes.total, abs=1e-9)
        assert found.purposes.form_low <= found.purposes.form <= found.purposes.form_high


def test_nothing_going_out_of_many_prompts_is_named():
    zeros, eights = np.zeros(40, dtype=np.int64), np.full(40, 8)
    assert as_exported(zeros, zeros + 2, eights).state == "nothing-exported"
