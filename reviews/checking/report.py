"""The report of a draft: every gate by tier, and what a person should look at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction

from reviews import governing
from reviews.checking import aims, dose, drafts, evidence, history, integrity, measured, reading, rendering
from reviews.checking.drafts import Configuration
from reviews.checking.facts import Facts, gather
from reviews.checking.gate import Gate, Verdict, verdict_of
from reviews.models import Dataset, Look, Round, User
from reviews.policies.documents import Policy
from reviews.policies.thresholds import GATES, TIERS

CHECKS: dict[str, Callable[[Facts], Gate]] = {
    "integrity": integrity.integrity,
    "held-out": integrity.held_out,
    "licence": integrity.licence,
    "template": rendering.template,
    "samples-per-prompt": dose.samples_per_prompt,
    "selection": dose.selection,
    "admission": dose.admission,
    "behaviour-floor": dose.behaviour_floor,
    "form": aims.form,
    "purpose": aims.purpose,
    "domains": aims.domains,
    "exposure": history.exposure,
    "lineage": history.lineage,
    "on-policy": evidence.on_policy,
    "cot-given-outcome": evidence.cot_given_outcome,
    "answer-first": reading.answer_first,
    "confounders": evidence.confounders,
    "agreement": reading.agreement,
    "reviewers": reading.reviewers,
    "stage": measured.stage,
    "load-bearing": measured.load_bearing,
    "monitor": measured.monitor,
}


@dataclass(frozen=True)
class Report:
    """All gates of a draft, in the order of the contract."""

    facts: Facts
    gates: tuple[Gate, ...]

    @property
    def verdict(self) -> Verdict:
        return verdict_of(self.gates, self.facts.policy)

    @property
    def stopping(self) -> list[Gate]:
        """The gates that stop the export: too much, or cannot tell."""
        return [gate for gate in self.gates if gate.stops(self.facts.policy)]

    @property
    def by_tier(self) -> dict[str, list[Gate]]:
        return {tier: [gate for gate in self.gates if gate.tier == tier] for tier in TIERS}

    def gate(self, key: str) -> Gate:
        return next(gate for gate in self.gates if gate.key == key)

    @property
    def flips(self) -> Gate:
        return self.gate("answer-first")

    @property
    def second(self) -> Gate:
        return self.gate("agreement")

    @cached_property
    def strip(self) -> list[dict[str, Any]]:
        """One bar a prompt of what was sampled, hardest first: k/K, and the tokens that it sends out."""
        base, draft = self.facts.base, self.facts.draft
        k, n = base.by_prompt(base.taken), base.by_prompt(base.sampled)
        tokens = np.bincount(
            base.prompt[draft.going], weights=base.tokens[draft.going], minlength=len(base.prompts)
        )
        rows = np.bincount(base.prompt[draft.going], minlength=len(base.prompts))
        order = np.lexsort((np.arange(len(k)), k / np.maximum(n, 1)))
        return [
            {
                "prompt": base.prompts[place],
                "accepted": int(k[place]),
                "sampled": int(n[place]),
                "rate": float(k[place] / n[place]),
                "tokens": int(tokens[place]),
                "rows": int(rows[place]),
                "domain": base.domains[place],
            }
            for place in order
        ]

    @cached_property
    def totals(self) -> dict[str, Any]:
        """What would go out, in numbers."""
        base, facts = self.facts.base, self.facts
        going = facts.draft.going
        out = base.prompt[going]
        counted = Counter(base.domains[place] for place in out)
        rejected = int((facts.draft.mixed & ~facts.people.accepted).sum())
        return {
            "sampled": int(base.sampled.sum()),
            "accepted": int(facts.people.accepted.sum()),
            "rows": int(going.sum()),
            "prompts": len(np.unique(out)),
            "tokens": int(base.tokens[going].sum()),
            "tokens_counted": int(base.counted[going].sum()),
            "barred": int(facts.draft.barred.sum()),
            "barred_prompts": len(np.unique(base.prompt[facts.draft.barred])),
            "reduced": int(facts.draft.reduced.sum()),
            "mixed": int(facts.draft.mixed.sum()),
            "rejected": rejected,
            "rejected_share": rejected / int(going.sum()) if going.any() else 0.0,
            "domains": {name: counted[name] for name in dict.fromkeys(base.domains) if counted[name]},
        }

    @property
    def document(self) -> dict[str, Any]:
        """As `check_policy --json`, the API and the manifest have it."""
        facts = self.facts
        return {
            "gates": [gate.document for gate in self.gates],
            "verdict": self.verdict,
            "stopping": [gate.key for gate in self.stopping],
            "looks": facts.looks,
            "level": facts.level,
            "configuration": facts.configuration.document,
            "counts": self.totals,
        }


def of(
    round: Round,
    *,
    configuration: Configuration | None = None,
    policy: Policy | None = None,
    dataset: Dataset | None = None,
    by: User | None = None,
    thorough: bool = False,
    rendered: dict[str, Any] | None = None,
) -> Report:
    """Check a draft: of everything accepted where no configuration is named. Each new configuration is a look.

    policy: other lines than those in force. thorough: hash every text anew; a page leaves that to the job.
    rendered: what the target makes of every row, where the job has looked.
    """
    configuration = configuration or (drafts.of_dataset(dataset) if dataset else Configuration())
    lines = policy or governing.of(governing.in_force(round))
    looks = look(round, configuration, by=by)
    facts = gather(
        round,
        lines,
        configuration,
        looks=looks,
        dataset=dataset,
        thorough=thorough,
        rendered=rendered,
    )
    return Report(facts, tuple(_checked(key, facts) for key in GATES))


def _checked(key: str, facts: Facts) -> Gate:
    """A gate's answer; where the policy draws no line at it, what cannot be told stops nothing."""
    gate = CHECKS[key](facts)
    if gate.verdict == "insufficient" and gate.tier == "dose" and not facts.policy.draws(key):
        return replace(gate, verdict="pass", why=f"the policy draws no line; {gate.why}")
    return gate


def stopping_now(round: Round) -> list[str]:
    """The gates of integrity and dose that would stop an export of everything accepted, for the round's page.

    It reads no long text. Not a look of its own: a draft begins with this configuration, and is counted then.
    """
    policy = governing.of(governing.in_force(round))
    looks = max(1, Look.objects.filter(round=round, kind=Look.Kind.DRAFT).count())
    facts = gather(round, policy, Configuration(), looks=looks, reads_texts=False)
    found = (_checked(key, facts) for key in TIERS["integrity"] + TIERS["dose"])
    return [gate.key for gate in found if gate.stops(policy)]


def look(round: Round, configuration: Configuration, *, by: User | None) -> int:
    """Note that someone sees the figures of a configuration; the same again is no other look. Returns how many there are."""
    known = Look.objects.filter(round=round, kind=Look.Kind.DRAFT)
    if not known.filter(digest=configuration.digest).exists():
        try:
            with transaction.atomic():
                Look.objects.create(
                    project_id=round.project_id,
                    round=round,
                    kind=Look.Kind.DRAFT,
                    configuration=configuration.stored,
                    digest=configuration.digest,
                    by=by,
                )
        except IntegrityError:
            pass  # somebody looked at the same at this moment, which is one look
    return known.count()
