from __future__ import annotations

import gzip
import zlib
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings

from reviews.errors import Invalid, Unreadable
from reviews.formats import pressure_rows
from reviews.formats.opening import open_plain
from reviews.management.commanding import WinnowCommand
from reviews.measures.errors import InsufficientData
from reviews.measures.pressure_rows import Figures, Tally

BOUND = {
    "bound": "upper bound, one-sided 95 %",
    "estimate": "upper figure, one-sided 95 %, an estimate and not a bound",
    "insufficient": "upper figure, insufficient: worth fewer than 20 prompts",
}
DOMAINS_SAID = 10  # to people; --json has all


class Command(WinnowCommand):
    help = "Recompute selection pressure from raw rows in JSON Lines, without the database."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def run(self, *, file: Path, **options: Any) -> None:
        tally = Tally()
        show = self.progress("traces")
        try:
            with open_plain(file) as opened:
                for number, row in enumerate(pressure_rows.read(opened, file.name, settings.MAX_LINE_BYTES)):
                    tally.add(row)
                    if show and number % 10_000 == 0:
                        show(number, None)
            figures = tally.figures()
        except pressure_rows.UnreadablePressureRows as problem:
            raise Unreadable(f"{problem}") from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise Unreadable(f"{file} cannot be read: its gzip is broken.") from None
        except OSError as problem:
            raise Unreadable(f"{file} cannot be read: {problem.strerror}.") from None
        except InsufficientData:
            raise Invalid("file", f"{file.name} has no row; expected one a sampled trace.") from None
        found = as_keys(figures)
        for line in _lines(found):
            self.say(line)
        self.result(**found)


def as_keys(figures: Figures) -> dict[str, Any]:
    """The keys of docs/commands.md."""
    total, within = figures.total, figures.within
    cot, split, out = figures.given_outcome, figures.purposes, figures.exported
    return {
        "prompts": figures.prompts,
        "sampled": figures.sampled,
        "accepted": int(figures.accepted) if figures.hard else figures.accepted,
        "total": total.total if total else figures.soft_total,
        "total_upper": total.total_upper if total else figures.soft_upper,
        "total_standing": total.total_standing if total else figures.soft_standing,
        "selecting_prompts": total.selecting_prompts if total else None,
        "selecting_total": total.selecting_total if total else figures.soft_selecting,
        "selecting_upper": total.selecting_upper if total else figures.soft_selecting_upper,
        "selecting_standing": total.selecting_standing if total else None,
        "selecting_state": total.selecting_state if total else None,
        "prompt_shift": figures.prompt_shift,
        "within_plugin": figures.within_plugin,
        "within": within and within.value,
        "within_harmonic": within and within.harmonic,
        "within_beta_binomial": within and within.beta_binomial,
        "resolution": within and within.resolution,
        "within_state": within.state if within else "soft-accepts",
        "outcome": cot and cot.outcome,
        "cot_plugin": cot and cot.cot_plugin,
        "cot_given_outcome": cot and cot.cot,
        "cot_upper": cot and cot.cot_upper,
        "cot_resolution": cot and cot.resolution,
        "cot_state": cot.state if cot else "not-measured",
        "alignment": split and split.alignment,
        "form": split and split.form,
        "form_low": split and split.form_low,
        "form_high": split and split.form_high,
        "form_upper": split and split.form_upper,
        "purposes_judged": split.traces if split else 0,
        "purposes_state": split.state if split else "not-measured",
        "exported_total": out and out.total,
        "exported_prompt_shift": out and out.prompt_shift,
        "exported_within": out and out.within,
        "exported_estimate": out and out.estimate,
        "exported_upper": out and out.upper,
        "exported_state": figures.exported_state,
        "kl": figures.kl,
        "d_inf": figures.d_inf,
        "samples_per_prompt": [figures.least_samples, figures.most_samples],
        "domains": None if figures.domains is None else [asdict(domain) for domain in figures.domains],
        "state": figures.state,
    }


def _lines(found: dict[str, Any]) -> Iterator[str]:
    least, most = found["samples_per_prompt"]
    yield (
        f"{found['prompts']:,} prompts, {found['sampled']:,} traces, {found['accepted']:,} accepted; "
        f"{least if least == most else f'{least} to {most}'} samples a prompt."
    )
    if least != most:
        yield "Samples a prompt differ: prompts weigh by their samples. Differences that depend on outcomes spoil every figure."
    yield _nats("total", found["total"], found["total_upper"], found["total_standing"])
    yield _nats(
        "where selection happened (k < K)",
        found["selecting_total"],
        found["selecting_upper"],
        found["selecting_standing"],
    )
    yield (
        f"total = prompt shift {_number(found['prompt_shift'])} + within prompts {_number(found['within_plugin'])} "
        "(plug-in, too low at few samples a prompt)"
    )
    yield (
        f"within prompts, estimated: {_said(found['within'])}; the most that can be read: "
        f"{_number(found['resolution'])} ({found['within_state']}; not a bound)"
    )
    yield (
        f"outcome within prompts: {_number(found['outcome'])}; reasoning given the outcome: "
        f"{_said(found['cot_given_outcome'])}; the most that can be read: {_number(found['cot_resolution'])} "
        f"({found['cot_state']}; not a bound)"
    )
    yield (
        f"alignment: {_said(found['alignment'])}; form: "
        + (
            "not measured"
            if found["form_low"] is None
            else f"{_number(found['form_low'])} to {_said(found['form_high'])} over both orders"
        )
        + f" ({found['purposes_state']})"
    )
    yield f"as exported: {_said(found['exported_total'])}, estimated {_number(found['exported_estimate'])} ({found['exported_state']})"
    yield f"KL {_number(found['kl'])}, max-divergence {_said(found['d_inf'])}"
    domains = found["domains"] or []
    for domain in domains[:DOMAINS_SAID]:
        yield (
            f"domain {domain['domain'] or '(none)'}: {domain['prompts']:,} prompts, {_said(domain['total'])}, "
            f"accepted {domain['rate']:.4f}, lower {_number(domain['lower'])} ({domain['standing']})"
        )
    if len(domains) > DOMAINS_SAID:
        yield f"{len(domains) - DOMAINS_SAID:,} more domains: see --json"


def _nats(name: str, value: float | None, upper: float | None, standing: str | None) -> str:
    if upper is None:
        return f"{name}: {_said(value)}, no upper figure"
    kind = BOUND.get(standing or "", "upper figure, one-sided 95 %")
    return f"{name}: {_said(value)}, {kind}: {_number(upper)}"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.6f}"


def _said(value: float | None) -> str:
    """With its unit: what was not measured has none."""
    return "not measured" if value is None else f"{_number(value)} nats"
