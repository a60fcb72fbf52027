"""In few domains, and only what the model already does there: effective number, behaviour floor, exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, log

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviews.measures.errors import InsufficientData, UnfitData
from reviews.measures.intervals import Standing, clustered_ratio, wilson

Floats = NDArray[np.float64]

FLOOR = 0.05
MOST_SAMPLES = 1_000_000


@dataclass(frozen=True)
class Domain:
    """One domain's rate of acceptance and pressure. None is unknown; `lower` is one-sided, over prompts.

    selecting_total and selecting_upper: over the prompts where selection happened (C1). lower is the behaviour floor's
    figure; `standing` and `selecting_standing` say what the two may be called.
    """

    domain: str | None
    prompts: int
    sampled: float
    accepted: float
    rate: float
    lower: float | None
    total: float | None
    total_upper: float | None
    selecting_prompts: int
    selecting_total: float | None
    selecting_upper: float | None
    selecting_standing: Standing
    standing: Standing
    state: str


def effective_number(shares: Floats) -> float:
    """exp(-sum w ln w): 2 for two equal domains, 1.384 for nine to one. shares: any counts, not below 0.

    Raises InsufficientData when all are 0. Source: Hill 1973, Ecology 54:427-432, of order 1.
    """
    if (shares < 0).any():
        raise UnfitData("An effective number", "a share is below 0.")
    if not len(shares) or shares.sum() <= 0:
        raise InsufficientData("An effective number", "nothing goes out.")
    return exp(float(special.entr(shares / shares.sum()).sum()))


def by_domain(
    domains: Sequence[str | None], accepted: Floats, sampled: Floats, *, level: float = 0.95
) -> list[Domain]:
    """Each domain gated like the whole (C1, 1.7), in order of name. All of shape (prompts,).

    accepted: accept weights, k for hard accepts. Prompts without a domain stand under None, last.
    """
    known = sorted({name for name in domains if name is not None})
    numbers = {name: place for place, name in enumerate(known)}
    names = np.array([-1 if name is None else numbers[name] for name in domains])
    found = [
        _domain(name, accepted[names == at], sampled[names == at], level) for name, at in numbers.items()
    ]
    if (names < 0).any():
        found.append(_domain(None, accepted[names < 0], sampled[names < 0], level))
    return found


def samples_needed(rate: float, floor: float = FLOOR, level: float = 0.95) -> int | None:
    """Independent samples until an observed rate's lower Wilson bound reaches the floor; None where it never does.

    Source: Wilson's bound solved by search; 143 at .08, 52 at .10, 13 at .15 for a floor of .05.
    """
    if not 0 < floor < rate <= 1:
        return None
    low, high = 1, MOST_SAMPLES
    if wilson(rate * high, high, level, 1)[0] < floor:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if wilson(rate * middle, middle, level, 1)[0] >= floor else (middle + 1, high)
        )
    return low


def samples_for_none(ceiling: float, level: float = 0.95) -> int:
    """Samples without one success after which the rate's upper bound, 1 - (1-level)^(1/n), is at most `ceiling`."""
    if not 0 < ceiling < 1:
        raise UnfitData("A ceiling", f"{ceiling:g}.")
    return ceil(log(1 - level) / log(1 - ceiling) - 1e-12)


def exposure_share(exported: int, stage: int | None) -> float | None:
    """Exported samples of all samples of the training stage; None where the trainer has not said how many."""
    if stage is None:
        return None
    if not 0 <= exported <= stage or stage == 0:
        raise UnfitData("An exposure", f"{exported} exported of {stage} in the stage.")
    return exported / stage


def _domain(name: str | None, accepted: Floats, sampled: Floats, level: float) -> Domain:
    found = clustered_ratio(accepted, sampled, level, sided=1)
    total, upper, _ = _nats(accepted, sampled, level)
    hard = accepted < sampled - 1e-9
    selecting, selecting_upper, selecting_standing = _nats(accepted[hard], sampled[hard], level)
    return Domain(
        domain=name,
        prompts=len(sampled),
        sampled=float(sampled.sum()),
        accepted=float(accepted.sum()),
        rate=found.rate,
        lower=found.low,
        total=total,
        total_upper=upper,
        selecting_prompts=int(hard.sum()),
        selecting_total=selecting,
        selecting_upper=selecting_upper,
        selecting_standing=selecting_standing,
        standing=found.standing,
        state="ok" if found.rate > 0 else "nothing-accepted",
    )


def _nats(accepted: Floats, sampled: Floats, level: float) -> tuple[float | None, float | None, Standing]:
    if not len(sampled) or accepted.sum() <= 0:
        return None, None, "undefined"
    found = clustered_ratio(accepted, sampled, level, sided=1)
    return abs(log(found.rate)), None if found.low is None else -log(found.low), found.standing
