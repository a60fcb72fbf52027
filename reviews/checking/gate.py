"""One gate's answer, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from reviews.policies.documents import Policy
from reviews.policies.thresholds import TIER_OF, Tier

Verdict = Literal["pass", "warn", "block", "insufficient"]
WORST: tuple[Verdict, ...] = ("pass", "warn", "insufficient", "block")


@dataclass(frozen=True)
class Gate:
    """What one gate says. value, low, high, threshold are in `unit`; n is what they are of; None is unknown.

    threshold: the line that decided, or the next one. why: one sentence. workings: the formula with this project's
    numbers in it, line by line. to_know: what it would take where nothing was measured.
    """

    key: str
    verdict: Verdict
    why: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    unit: str = ""
    n: int | None = None
    warn: float | None = None
    block: float | None = None
    workings: tuple[str, ...] = ()
    to_know: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def tier(self) -> Tier:
        return TIER_OF[self.key]

    @property
    def measured(self) -> bool:
        """Measured bad and not measured are never the same word."""
        return self.verdict != "insufficient"

    def binds(self, policy: Policy) -> bool:
        """Whether an insufficient verdict of this gate stops an export; a block always does."""
        return self.tier != "evidence" or policy.evidence_binds

    def stops(self, policy: Policy) -> bool:
        return self.verdict == "block" or (self.verdict == "insufficient" and self.binds(policy))

    @property
    def document(self) -> dict[str, Any]:
        """As it stands in JSON, the manifest and the API."""
        return {
            "key": self.key,
            "tier": self.tier,
            "verdict": self.verdict,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "threshold": self.threshold,
            "unit": self.unit,
            "n": self.n,
            "why": self.why,
            "workings": list(self.workings),
            "to_know": self.to_know,
            **({"details": self.details} if self.details else {}),
        }


def limited(value: float, warn: float | None, block: float | None) -> tuple[Verdict, float | None]:
    """The verdict of a figure that must stay low, and the line that decided it: above it, not at it."""
    if block is not None and value > block:
        return "block", block
    if warn is not None and value > warn:
        return "warn", warn
    return "pass", warn if warn is not None else block


def floored(value: float, warn: float | None, block: float | None) -> tuple[Verdict, float | None]:
    """The same of a figure that must reach its lines."""
    if block is not None and value < block:
        return "block", block
    if warn is not None and value < warn:
        return "warn", warn
    return "pass", warn if warn is not None else block


def worse(*verdicts: Verdict) -> Verdict:
    return max(verdicts, key=WORST.index, default="pass")


def verdict_of(gates: Iterable[Gate], policy: Policy) -> Verdict:
    """The worst of the gates that bind: evidence that is missing does not, where the policy lets it be missing."""
    return worse(*(gate.verdict for gate in gates if gate.verdict != "insufficient" or gate.binds(policy)))
