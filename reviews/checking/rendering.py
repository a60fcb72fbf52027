"""Does the trainer see the reviewed bytes: the target's own template, on the rows that go out."""

from __future__ import annotations

from typing import Any

from reviews import targeting
from reviews.checking.facts import Facts
from reviews.checking.gate import Gate


def template(facts: Facts) -> Gate:
    """Every row exact, as the target's template renders it."""
    dataset = facts.dataset
    if dataset is None or dataset.target is None:
        asked = facts.policy.asks("template", "target")
        return Gate(
            "template",
            "insufficient" if asked else "pass",
            "no target is named, so nobody knows what the trainer's template makes of the rows",
            threshold=1.0,
            unit="share of rows exact",
            to_know="Name the template or the tokenizer's folder that the trainer will use.",
        )
    found = facts.rendered
    if found is None:
        return Gate(
            "template",
            "pass",
            f"the job renders every row with {dataset.target.name} before it releases one",
            threshold=1.0,
            unit="share of rows exact",
            n=len(facts.going),
        )
    said = targeting.finding(found)
    lines = [
        f"{name}: {each['exact']} of {each['rows']} rows exact; " + _kinds(each)
        for name, each in found["formats"].items()
    ]
    return Gate(
        "template",
        "pass" if said.holds else "block",
        said.why,
        value=said.exact / said.rows if said.rows else None,
        threshold=1.0,
        unit="share of rows exact",
        n=said.rows,
        block=1.0,
        workings=tuple(lines),
        to_know=said.remedy,
    )


def _kinds(summary: dict[str, Any]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in summary["verdicts"].items())
