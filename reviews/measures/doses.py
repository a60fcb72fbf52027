"""Doses along a lineage: what went out for each step is one union, the steps add up, and unknown is not zero (C10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SELECTED = "selected"


@dataclass(frozen=True)
class Nats:
    """Of one domain: pooled D-infinity, and the 95th percentile over the exported prompts of -log(k/K)."""

    pooled: float
    hard: float


@dataclass(frozen=True)
class Node:
    """A checkpoint on a path. identity: its weights' digest, else its project and name.

    arm: what it was trained on. begins: it is a base model of which nothing went before.
    """

    identity: str
    arm: str = ""
    begins: bool = False


@dataclass(frozen=True)
class Applied:
    """A data set that went out, booked to the checkpoint that sampled it; or what happened elsewhere, to whom it happened.

    domains: the nats of each domain, None where they are unknown. children: whom trainers say it made, if they said.
    """

    identity: str | None
    membership: str
    round: str
    arm: str
    domains: Mapping[str, Nats | None]
    traces: int
    tokens: int | None
    children: frozenset[str] = frozenset()
    elsewhere: str = ""  # in words, for what happened outside Winnow


@dataclass(frozen=True)
class Dose:
    """What a lineage has received. unknown: some of it nobody knows, so the sums are a part, never the whole.

    domains: by name, the sums over the steps. traces, tokens: all that went out; tokens None where one was not counted.
    rounds: of rejection sampling. entries: of the ledger.
    """

    domains: Mapping[str, Nats]
    traces: int
    tokens: int | None
    rounds: int
    entries: int
    why: tuple[str, ...] = ()

    @property
    def unknown(self) -> bool:
        return bool(self.why)

    @property
    def pooled(self) -> float:
        """The worst domain's sum of pooled nats."""
        return max((nats.pooled for nats in self.domains.values()), default=0.0)

    @property
    def hard(self) -> float:
        """The worst domain's sum of nats on hard prompts."""
        return max((nats.hard for nats in self.domains.values()), default=0.0)


NOTHING = Dose({}, 0, 0, 0, 0)


def union(applied: Iterable[Applied]) -> Dose:
    """All that went out for one (checkpoint, child) as if it were one data set.

    For each domain the largest of each figure: the law of a union is a mixture of the laws, whose D-infinity is at most
    the largest; its pooled rate is a mean of the rates and its percentile at most the largest percentile. So cutting a
    data set into parts lowers nothing. Traces and tokens add up; the same membership counts once.
    What happened elsewhere does not mix with anything: its nats are added.
    """
    domains: dict[str, Nats] = {}
    added: dict[str, Nats] = {}
    why: list[str] = []
    seen: dict[str, Applied] = {}
    for one in applied:
        seen.setdefault(f"{one.membership}{one.elsewhere}", one)
    for one in seen.values():
        for name, nats in one.domains.items():
            if nats is None:
                why.append(one.elsewhere or f"the nats of {name} are unknown")
            elif one.elsewhere:
                before = added.get(name, Nats(0, 0))
                added[name] = Nats(before.pooled + nats.pooled, before.hard + nats.hard)
            else:
                before = domains.get(name, Nats(0, 0))
                domains[name] = Nats(max(before.pooled, nats.pooled), max(before.hard, nats.hard))
        if one.elsewhere and not one.domains:
            why.append(one.elsewhere)
    tokens = [one.tokens for one in seen.values()]
    return Dose(
        domains=_summed([domains, added]),
        traces=sum(one.traces for one in seen.values()),
        tokens=None if any(count is None for count in tokens) else sum(count or 0 for count in tokens),
        rounds=len({one.round for one in seen.values() if one.round}),
        entries=len(seen),
        why=tuple(dict.fromkeys(why)),
    )


def added(steps: Sequence[Dose]) -> Dose:
    """The steps of a path one after the other: max-divergence obeys the triangle inequality, so the sums are a bound.

    Source: science.md 1.6: sums of KL are none for soft accepts, sums of D-infinity are.
    """
    tokens = [step.tokens for step in steps]
    return Dose(
        domains=_summed([step.domains for step in steps]),
        traces=sum(step.traces for step in steps),
        tokens=None if any(count is None for count in tokens) else sum(count or 0 for count in tokens),
        rounds=sum(step.rounds for step in steps),
        entries=sum(step.entries for step in steps),
        why=tuple(dict.fromkeys(reason for step in steps for reason in step.why)),
    )


def steps(path: Sequence[Node], applied: Sequence[Applied]) -> list[Dose]:
    """What each checkpoint of a path received on its own, the root first.

    A step into a child is all that went out for its parent: what trainers say made this child, and, where nobody said,
    all of the child's arm. What happened elsewhere counts where it happened.
    """
    found = []
    for place, node in enumerate(path):
        own = [one for one in applied if one.elsewhere and one.identity == node.identity]
        if place:
            parent = path[place - 1].identity
            own += [
                one
                for one in applied
                if not one.elsewhere and one.identity == parent and _made(one, node.identity, node.arm)
            ]
        step = union(own)
        if not place and not node.begins:
            step = _with(step, "no parent is known, and it is not registered as a base model")
        found.append(step)
    return found


def of_path(
    path: Sequence[Node], applied: Sequence[Applied], *, arm: str = SELECTED, exported: bool = True
) -> Dose:
    """The dose along a path from the root to its last checkpoint.

    exported: with all of that arm that went out for the last checkpoint, whichever child it made: what its next child
    would have received before the data set that is being thought of.
    """
    found = steps(path, applied)
    if exported and path:
        last = path[-1].identity
        mine = [
            one
            for one in applied
            if one.identity == last and one.arm == (arm or SELECTED) and not one.elsewhere
        ]
        found.append(union(mine))
    if not path:
        found = [_with(NOTHING, "nobody has said which checkpoint sampled it")]
    return added(found)


def of_manifests(manifests: Iterable[Mapping[str, Any]]) -> dict[str, Dose]:
    """The dose of every checkpoint that manifests name, from these alone; by identity.

    Each manifest's `ledger` has the figures and, for each checkpoint that sampled, its path from the root. What was
    exported and not used, or happened elsewhere, no manifest knows: these are the sums of what was applied.
    """
    paths: dict[str, list[Node]] = {}
    applied: list[Applied] = []
    for manifest in manifests:
        ledger = manifest.get("ledger") or {}
        for checkpoint in ledger.get("checkpoints", []):
            path = [
                Node(str(node["identity"]), str(node["arm"]), bool(node["begins"]))
                for node in checkpoint["path"]
            ]
            for place, node in enumerate(path):
                known = paths.get(node.identity, [])
                if len(known) <= place:
                    paths[node.identity] = path[: place + 1]
            applied.append(
                of_figures(
                    path[-1].identity if path else None,
                    ledger.get("figures", {}),
                    membership=str(manifest.get("membership_digest", "")),
                    round=f"{manifest.get('project')}/{manifest.get('round')}",
                    arm=str(manifest.get("arm") or SELECTED),
                )
            )
    return {identity: of_path(path, applied) for identity, path in sorted(paths.items())}


def of_figures(
    identity: str | None,
    figures: Mapping[str, Any],
    *,
    membership: str,
    round: str,
    arm: str,
    children: frozenset[str] = frozenset(),
    elsewhere: str = "",
) -> Applied:
    """The figures of a ledger entry, as booked: `domains` with `pooled_d_inf` and `hard_prompts`, `traces`, `tokens`."""
    return Applied(
        identity=identity,
        membership=membership,
        round=round,
        arm=arm,
        domains={name: _nats(values) for name, values in (figures.get("domains") or {}).items()},
        traces=int(figures.get("traces") or 0),
        tokens=figures.get("tokens") if elsewhere == "" else figures.get("tokens", 0),
        children=children,
        elsewhere=elsewhere,
    )


def _made(one: Applied, identity: str, arm: str) -> bool:
    return identity in one.children if one.children else one.arm == (arm or SELECTED)


def _nats(values: Mapping[str, Any]) -> Nats | None:
    pooled, hard = values.get("pooled_d_inf"), values.get("hard_prompts")
    return None if pooled is None or hard is None else Nats(float(pooled), float(hard))


def _with(dose: Dose, reason: str) -> Dose:
    return Dose(dose.domains, dose.traces, dose.tokens, dose.rounds, dose.entries, (*dose.why, reason))


def _summed(parts: Iterable[Mapping[str, Nats]]) -> dict[str, Nats]:
    sums: dict[str, Nats] = {}
    for part in parts:
        for name, nats in part.items():
            before = sums.get(name, Nats(0, 0))
            sums[name] = Nats(before.pooled + nats.pooled, before.hard + nats.hard)
    return dict(sorted(sums.items()))
