"""What would go out under one configuration: only random and declared reductions, drawn by the round's seed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from reviews import drawing
from reviews.checking.base import Base, Flags, Floats, Ints
from reviews.errors import Invalid
from reviews.formats import canonical
from reviews.measures.exported import admitted
from reviews.models import Dataset, Round
from reviews.policies.documents import Policy

MOST_CAP = 10_000


@dataclass(frozen=True)
class Configuration:
    """One what-if. None of these looks at a verdict beyond accepted or not, so none can search for a pass.

    prompts: the share of prompts that stays, at random. domains_out: left out whole. cap: traces a prompt at most, at
    random. mix: the share of the file that is drawn from everything sampled, rejected traces among it.
    """

    prompts: float = 1.0
    domains_out: tuple[str, ...] = ()
    cap: int | None = None
    mix: float = 0.0
    arm: str = field(default=str(Dataset.Arm.SELECTED))

    @property
    def document(self) -> dict[str, Any]:
        return {**asdict(self), "domains_out": list(self.domains_out)}

    @property
    def stored(self) -> bytes:
        return canonical.dump(self.document)

    @property
    def digest(self) -> bytes:
        return canonical.digest(self.document)


def read(given: dict[str, Any]) -> Configuration:
    """A configuration from what a form, the API or a stored draft says. Raises Invalid, naming the field."""
    prompts = _share(given, "prompts", 1.0)
    if prompts == 0:
        raise Invalid("prompts", _("Without a prompt nothing goes out."))
    mix = _share(given, "mix", 0.0)
    if mix == 1:
        raise Invalid("mix", _("A file that is all drawn from everything sampled selects nothing."))
    cap = given.get("cap")
    if cap in ("", None):
        cap = None
    else:
        try:
            cap = int(cap)
        except (TypeError, ValueError):
            raise Invalid("cap", _("A cap is a whole number of traces a prompt.")) from None
        if not 1 <= cap <= MOST_CAP:
            raise Invalid("cap", _("A cap is from 1 to %(most)d traces a prompt.") % {"most": MOST_CAP})
    out = given.get("domains_out") or ()
    if isinstance(out, str) or not all(isinstance(name, str) for name in out):
        raise Invalid("domains_out", _("The domains to leave out are a list of names."))
    arm = given.get("arm") or Dataset.Arm.SELECTED
    if arm not in Dataset.Arm.values:
        raise Invalid("arm", _("An arm is one of %(known)s.") % {"known": ", ".join(Dataset.Arm.values)})
    return Configuration(prompts, tuple(sorted(set(out))), cap, mix, str(arm))


def of_dataset(dataset: Dataset) -> Configuration:
    return read({**json.loads(bytes(dataset.options)), "arm": dataset.arm})


@dataclass(frozen=True)
class Draft:
    """What goes out: rows of the base. selected, mixed: of shape (traces,); a trace is in one of them at most.

    barred: accepted traces that stay out because their prompt is not admitted. reduced: because of the configuration.
    """

    selected: Flags
    mixed: Flags
    barred: Flags
    reduced: Flags

    @property
    def going(self) -> Flags:
        return self.selected | self.mixed


def draw(base: Base, configuration: Configuration, policy: Policy, round: Round) -> Draft:
    """The rows that go out under a configuration and the policy's admission, the same at every look."""
    k, n = base.taken, base.sampled
    may = admitted(k, n, policy.least("admission", "rate"))
    barred = base.accepted & ~may[base.cell]
    kept = _kept_prompts(base, configuration, round)
    pool = base.accepted & ~barred & kept[base.prompt]
    selected = pool if configuration.cap is None else _capped(base, pool, configuration.cap)
    mixed = np.zeros(len(base.trace), dtype=np.bool_)
    if configuration.mix > 0 and selected.any():
        selected, mixed = _mixed(base, selected, kept, configuration.mix, round)
    reduced = base.accepted & ~barred & ~selected & ~mixed
    return Draft(selected, mixed, barred, reduced)


def _kept_prompts(base: Base, configuration: Configuration, round: Round) -> Flags:
    kept = np.array([name not in configuration.domains_out for name in base.domains], dtype=np.bool_)
    if configuration.prompts < 1:
        drawn = [
            drawing.draw(round.seed, "prompt", pk.to_bytes(8)) < configuration.prompts for pk in base.prompts
        ]
        kept &= np.array(drawn, dtype=np.bool_)
    return kept


def _capped(base: Base, pool: Flags, cap: int) -> Flags:
    """The `cap` traces of each prompt with the smallest draw."""
    return first_of_each(pool, base.prompt, base.draw, np.full(len(base.prompts), cap))


def first_of_each(pool: Flags, group: Ints, draw: Floats, most: Ints) -> Flags:
    """Of the pool, the rows with the smallest draws of each group: `most`, of shape (groups,), of them."""
    rows = np.flatnonzero(pool)
    order = rows[np.lexsort((draw[rows], group[rows]))]
    groups = group[order]
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(order) else order
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    found = np.zeros(len(pool), dtype=np.bool_)
    found[order[place < most[groups]]] = True
    return found


def _mixed(base: Base, selected: Flags, kept: Flags, share: float, round: Round) -> tuple[Flags, Flags]:
    """As many rows as before, `share` of them drawn from everything sampled for the prompts that stay."""
    size = int(selected.sum())
    wanted = round_half(share * size)
    everything = np.flatnonzero(kept[base.prompt])
    order = everything[
        np.argsort((base.draw[everything] + 0.5) % 1, kind="stable")
    ]  # another draw than the cap's
    mixed = np.zeros(len(selected), dtype=np.bool_)
    mixed[order[:wanted]] = True
    rest = np.flatnonzero(selected & ~mixed)
    keep = rest[np.argsort(base.draw[rest], kind="stable")][: size - wanted]
    left = np.zeros(len(selected), dtype=np.bool_)
    left[keep] = True
    return left, mixed


def round_half(value: float) -> int:
    return int(value + 0.5)


def _share(given: dict[str, Any], name: str, default: float) -> float:
    value = given.get(name)
    if value in ("", None):
        return default
    try:
        share = float(value)
    except (TypeError, ValueError):
        raise Invalid(name, _("%(name)s is a share from 0 to 1.") % {"name": name}) from None
    if not 0 <= share <= 1:
        raise Invalid(name, _("%(name)s is a share from 0 to 1.") % {"name": name})
    return share


def counts(base: Base, going: Flags) -> Ints:
    """e of each cell: how many of its traces go out."""
    return np.bincount(base.cell[going], minlength=len(base.elsewhere))
