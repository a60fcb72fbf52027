"""A policy as a document: read, held against what can stand in one, and compared with another."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from reviews.errors import Invalid
from reviews.formats import canonical
from reviews.policies.thresholds import BY_KEY, HARDER, POLICIES, THRESHOLDS

VERSION = 1
CANARY = "canary GUID"  # as BIG-bench and others mark what must not be trained on
REFUSED_LICENCES = ("proprietary", "no-training", "unlicensed")
KEYS = {
    "format",
    "name",
    "evidence_binds",
    "thresholds",
    "allowed_domains",
    "allows",
    "refused_licences",
    "canaries",
}


@dataclass(frozen=True)
class Policy:
    """The lines that a draft is held against. `thresholds` has every key of the catalogue; None draws no line.

    evidence_binds: whether evidence that is missing blocks. allows: harder formats, each with why.
    """

    name: str
    evidence_binds: bool
    thresholds: dict[str, float | None]
    allowed_domains: tuple[str, ...] | None
    allows: dict[str, str]
    refused_licences: tuple[str, ...]
    canaries: tuple[str, ...]

    def line(self, gate: str, name: str) -> float | None:
        return self.thresholds[f"{gate}.{name}"]

    def least(self, gate: str, name: str) -> float:
        """A line that is always drawn; 0 where a document leaves it open."""
        return self.thresholds[f"{gate}.{name}"] or 0.0

    def asks(self, gate: str, name: str) -> bool:
        """Whether a switch is on."""
        return bool(self.thresholds[f"{gate}.{name}"])

    def draws(self, gate: str) -> bool:
        """Whether it draws any line at this gate; one that has no thresholds draws its own."""
        own = [one.key for one in THRESHOLDS if one.gate == gate]
        return not own or any(self.thresholds[key] for key in own)

    @property
    def document(self) -> dict[str, Any]:
        return {
            "format": VERSION,
            "name": self.name,
            "evidence_binds": self.evidence_binds,
            "thresholds": dict(sorted(self.thresholds.items())),
            "allowed_domains": None if self.allowed_domains is None else sorted(self.allowed_domains),
            "allows": dict(sorted(self.allows.items())),
            "refused_licences": sorted(self.refused_licences),
            "canaries": sorted(self.canaries),
        }

    @property
    def digest(self) -> bytes:
        return canonical.digest(self.document)


def shipped(name: str) -> Policy:
    """`pilot` or `production`, as they ship."""
    return Policy(
        name=name,
        evidence_binds=name == "production",
        thresholds={one.key: getattr(one, name) for one in THRESHOLDS},
        allowed_domains=None,
        allows={},
        refused_licences=REFUSED_LICENCES,
        canaries=(CANARY,),
    )


def read(document: Any) -> Policy:
    """A policy from its JSON object; what it leaves out is as the shipped policy that it names.

    Raises Invalid, naming the key.
    """
    if not isinstance(document, dict):
        raise Invalid("policy", _("A policy is one JSON object."))
    name = document.get("name")
    if not isinstance(name, str) or name not in POLICIES:
        raise Invalid("name", _("A policy starts from one of %(known)s.") % {"known": ", ".join(POLICIES)})
    if unknown := sorted(set(document) - KEYS):
        raise Invalid(unknown[0], _("'%(key)s' is nothing that a policy has.") % {"key": unknown[0]})
    start = shipped(name)
    return replace(
        start,
        evidence_binds=_flag(document, "evidence_binds", start.evidence_binds),
        thresholds=_thresholds(start, document.get("thresholds", {})),
        allowed_domains=_names(document, "allowed_domains", None),
        allows=_allows(document.get("allows", {})),
        refused_licences=_names(document, "refused_licences", start.refused_licences) or (),
        canaries=_names(document, "canaries", start.canaries) or (),
    )


def read_text(text: str) -> Policy:
    """The same from text. Raises Invalid, with the line, where it is no JSON."""
    try:
        return read(json.loads(text))
    except json.JSONDecodeError as problem:
        raise Invalid(
            "policy",
            _("This is no JSON: line %(line)d, %(what)s.") % {"line": problem.lineno, "what": problem.msg},
        ) from None


def _thresholds(start: Policy, given: Any) -> dict[str, float | None]:
    if not isinstance(given, dict):
        raise Invalid("thresholds", _("Thresholds are an object of numbers by gate and name."))
    found = dict(start.thresholds)
    for key, value in given.items():
        threshold = BY_KEY.get(key)
        if threshold is None:
            raise Invalid(key, _("'%(key)s' is no threshold of this version.") % {"key": key})
        if value is None:
            found[key] = None
            continue
        if isinstance(value, bool) and threshold.switch:
            value = int(value)
        number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
        if not number or not threshold.least <= value <= threshold.most:
            raise Invalid(
                key,
                _("%(key)s is a number from %(least)g to %(most)g, or null for no line; got %(value)s.")
                % {"key": key, "least": threshold.least, "most": threshold.most, "value": value},
            )
        if threshold.switch and value not in (0, 1):
            raise Invalid(key, _("%(key)s is 0 or 1.") % {"key": key})
        found[key] = value
    return found


def _allows(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(why, str) for why in given.values()):
        raise Invalid("allows", _("What a policy allows is an object: a format, and why."))
    for name, why in given.items():
        if name not in HARDER:
            raise Invalid("allows", _("'%(name)s' is no format that needs a permission.") % {"name": name})
        if len(why.split()) < 3:
            raise Invalid(
                "allows",
                _("Say in a few words why this policy allows %(name)s: %(what)s")
                % {"name": name, "what": HARDER[name]},
            )
    return dict(given)


def _names(document: dict[str, Any], key: str, default: tuple[str, ...] | None) -> tuple[str, ...] | None:
    value = document.get(key, default)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise Invalid(key, _("%(key)s is a list of names.") % {"key": key})
    return tuple(sorted(set(value)))


def _flag(document: dict[str, Any], key: str, default: bool) -> bool:
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise Invalid(key, _("%(key)s is true or false.") % {"key": key})
    return value


@dataclass(frozen=True)
class Change:
    """One difference between two policies; `laxer` is what a lead must give a reason for."""

    key: str
    before: Any
    after: Any
    laxer: bool


def changes(before: Policy, after: Policy) -> list[Change]:
    """Every difference, in the order of the catalogue."""
    found = [
        Change(one.key, before.thresholds[one.key], after.thresholds[one.key], _laxer(one.key, before, after))
        for one in THRESHOLDS
        if before.thresholds[one.key] != after.thresholds[one.key]
    ]
    if before.evidence_binds != after.evidence_binds:
        found.append(
            Change("evidence_binds", before.evidence_binds, after.evidence_binds, before.evidence_binds)
        )
    if before.allowed_domains != after.allowed_domains:
        wider = after.allowed_domains is None or (
            before.allowed_domains is not None
            and not set(after.allowed_domains) <= set(before.allowed_domains)
        )
        found.append(Change("allowed_domains", before.allowed_domains, after.allowed_domains, wider))
    if before.allows != after.allows:
        found.append(
            Change("allows", before.allows, after.allows, bool(set(after.allows) - set(before.allows)))
        )
    for key in ("refused_licences", "canaries"):
        old, new = getattr(before, key), getattr(after, key)
        if old != new:
            found.append(Change(key, old, new, bool(set(old) - set(new))))
    return found


def _laxer(key: str, before: Policy, after: Policy) -> bool:
    old, new = before.thresholds[key], after.thresholds[key]
    if old is None or new is None:
        return new is None
    return new > old if BY_KEY[key].larger_is == "laxer" else new < old
