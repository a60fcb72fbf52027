"""From sampled traces, one at a time, to every figure of pressure that they can give. Nats; None is unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reviews.measures.domains import Domain, by_domain
from reviews.measures.exported import AsExported, as_exported
from reviews.measures.finite import Within, within_prompts
from reviews.measures.intervals import Standing, clustered_ratio
from reviews.measures.outcomes import GivenOutcome, given_outcome
from reviews.measures.pressure import Pressure, total_pressure
from reviews.measures.purposes import Purposes, purposes
from reviews.measures.selection import prompts_split

Counts = NDArray[np.int64]

UNKNOWN = "unknown"  # the class of a trace whose outcome nobody checked
SAMPLED, ACCEPTED, EXPORTED, REJECTED_OUT, JUDGED, ALIGNED, FORMED, BOTH = range(8)


@dataclass(frozen=True)
class Figures:
    """All of a file. Soft accepts have no counts, so what is estimated from counts is None for them.

    total and selecting are then of -ln(sum a / sum K), which no kl exceeds. `exported_state`: "ok",
    "not-given", "nothing-exported", or "rejected-traces" where traces that were not accepted go out: a mixture,
    which is not priced here.
    """

    prompts: int
    sampled: int
    accepted: float
    least_samples: int
    most_samples: int
    hard: bool
    total: Pressure | None
    soft_total: float | None
    soft_upper: float | None
    soft_standing: Standing
    soft_selecting: float | None
    soft_selecting_upper: float | None
    prompt_shift: float | None
    within_plugin: float | None
    within: Within | None
    given_outcome: GivenOutcome | None
    purposes: Purposes | None
    exported: AsExported | None
    exported_state: str
    kl: float | None
    d_inf: float | None
    domains: list[Domain] | None
    state: str


@dataclass
class Tally:
    """Counts by prompt and by (prompt, class): memory grows with these, not with the traces."""

    places: dict[str, int] = field(default_factory=dict)
    counts: list[list[int]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    domains: list[str | None] = field(default_factory=list)
    cells: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    entropy: float = 0.0
    most: float = 0.0
    hard: bool = True
    outcomes: bool = False
    exports: bool = False

    def add(self, row: Any) -> None:
        """row: prompt_id, accepted in 0..1, outcome, align_pass, form_pass, domain, exported, the last five or None."""
        place = self.places.setdefault(row.prompt_id, len(self.places))
        if place == len(self.counts):
            self.counts.append([0] * 8)
            self.weights.append(0.0)
            self.domains.append(row.domain)
        counts, a = self.counts[place], row.accepted
        counts[SAMPLED] += 1
        counts[ACCEPTED] += a == 1
        self.weights[place] += a
        self.hard = self.hard and a in (0, 1)
        self.most = max(self.most, a)
        self.entropy += a * log(a) if a > 0 else 0.0
        self.outcomes = self.outcomes or row.outcome is not None
        cell = self.cells.setdefault((place, row.outcome or UNKNOWN), [0, 0])
        cell[0] += a == 1
        cell[1] += 1
        if row.exported is not None:
            self.exports = True
            counts[EXPORTED] += row.exported
            counts[REJECTED_OUT] += row.exported and a == 0
        if row.align_pass is not None and row.form_pass is not None:
            counts[JUDGED] += 1
            counts[ALIGNED] += row.align_pass
            counts[FORMED] += row.form_pass
            counts[BOTH] += row.align_pass and row.form_pass

    def figures(self, *, level: float = 0.95) -> Figures:
        """Every figure. level: of each one-sided bound. Raises InsufficientData without a row."""
        table = np.array(self.counts, dtype=np.int64).reshape(-1, 8)
        weights, sampled = np.array(self.weights), table[:, SAMPLED]
        total = (
            None if len(table) and not self.hard else total_pressure(table[:, ACCEPTED], sampled, level=level)
        )
        accepted = float(weights.sum())
        some = accepted > 0
        split = prompts_split(weights, sampled.astype(np.float64)) if some else None
        selecting = weights < sampled - 1e-9
        nats, upper, standing = self._soft(weights, sampled, level)
        hard_nats, hard_upper, _ = self._soft(weights[selecting], sampled[selecting], level)
        z = accepted / int(sampled.sum())
        exported, exported_state = self._exported(table, level)
        return Figures(
            prompts=len(table),
            sampled=int(sampled.sum()),
            accepted=accepted,
            least_samples=int(sampled.min()),
            most_samples=int(sampled.max()),
            hard=self.hard,
            total=total,
            soft_total=nats,
            soft_upper=upper,
            soft_standing=standing,
            soft_selecting=hard_nats,
            soft_selecting_upper=hard_upper,
            prompt_shift=split.first if split else None,
            within_plugin=split.second if split else None,
            within=within_prompts(table[:, ACCEPTED], sampled) if self.hard else None,
            given_outcome=self._outcomes(level) if self.hard and self.outcomes else None,
            purposes=purposes(*(table[:, at] for at in (JUDGED, ALIGNED, FORMED, BOTH)), level=level)
            if table[:, JUDGED].any()
            else None,
            exported=exported,
            exported_state=exported_state,
            kl=max(0.0, self.entropy / accepted - log(z)) if some else None,
            d_inf=max(0.0, log(self.most / z)) if some else None,
            domains=by_domain(self.domains, weights, sampled.astype(np.float64), level=level)
            if any(self.domains)
            else None,
            state="ok" if some else "nothing-accepted",
        )

    def _soft(
        self, weights: NDArray[np.float64], sampled: Counts, level: float
    ) -> tuple[float | None, float | None, Standing]:
        if not len(weights) or weights.sum() <= 0:
            return None, None, "undefined"
        found = clustered_ratio(weights, sampled.astype(np.float64), level, sided=1)
        return abs(log(found.rate)), None if found.low is None else -log(found.low), found.standing

    def _outcomes(self, level: float) -> GivenOutcome:
        cells = np.array(list(self.cells.values()), dtype=np.int64)
        prompts = np.array([place for place, _ in self.cells], dtype=np.int64)
        return given_outcome(cells[:, 0], cells[:, 1], prompts, level=level)

    def _exported(self, table: Counts, level: float) -> tuple[AsExported | None, str]:
        if not self.exports:
            return None, "not-given"
        if table[:, REJECTED_OUT].any() or not self.hard:
            return None, "rejected-traces" if self.hard else "soft-accepts"
        found = as_exported(table[:, EXPORTED], table[:, ACCEPTED], table[:, SAMPLED], level=level)
        return found, found.state
