"""Probing: results of held-out probes come in, item by item. No reviewer and no decision ever reads one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from reviews import permitting
from reviews.errors import Conflict, Invalid, Unreadable
from reviews.formats import canonical_traces, opening, probe_labels
from reviews.formats.records import RefusedLine, Sample
from reviews.lineages import adopting
from reviews.models import Checkpoint, Event, Monitor, Probe, ProbeResult, Project, Role, Trace, User

ROWS_AT_ONCE = 500
MEASURES = ("behaviour", "flag", "undetected", "score", "correct")


@dataclass(frozen=True)
class Result:
    """One item of a probe on one checkpoint, as it is sent. None is not measured: unknown, never no."""

    probe: str
    checkpoint: str
    item: str
    behaviour: bool | None = None
    flag: bool | None = None
    undetected: bool | None = None
    score: float | None = None
    correct: bool | None = None
    monitor: str = ""
    against: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Landed:
    """What became of one line: `new`, `known`, or `refused` with field and reason."""

    line: int
    state: str
    field: str = ""
    reason: str = ""


@dataclass
class Report:
    """What an import of labels brought. unmeasured: items whose answer could not be read; other: rows without labels."""

    read: int = 0
    new: int = 0
    known: int = 0
    refused: int = 0
    other: int = 0
    unmeasured: int = 0
    probes: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()


@transaction.atomic
def make_probe(
    project: Project, name: str, *, by: User | None, behaviour: str = "", against: str = ""
) -> Probe:
    """The probe of that name, made where it is new. What it was trained against is said once, before its results count.

    Raises Conflict where it is known with another word on that, Invalid.
    """
    permitting.require(by, project.pk, Role.LEAD, Role.TRAINER, doing=_("Making a probe"))
    if not name.strip() or len(name) > 120 or not name.isprintable():
        raise Invalid("probe", _("A probe's name has 1 to 120 printable characters."))
    if against and against not in Probe.Against.values:
        known_words = ", ".join(Probe.Against.values)
        raise Invalid("against", _("A probe is one of %(known)s.") % {"known": known_words})
    defaults = {"behaviour": behaviour, "against": against or Probe.Against.UNKNOWN, "by": by}
    probe, new = Probe.objects.get_or_create(project=project, name=name, defaults=defaults)
    if new:
        Event.objects.log(project.pk, "probe.made", by, probe, name=name, against=probe.against)
    elif against and probe.against != against:
        raise Conflict(
            _("The probe '%(name)s' is registered as %(known)s; what it measures is not changed afterwards.")
            % {"name": name, "known": probe.against}
        )
    return probe


def record(
    project: Project,
    rows: Iterable[tuple[int, Result | RefusedLine]],
    *,
    by: User | None,
    answer: Callable[[Landed], None] | None = None,
) -> dict[str, int]:
    """Write results, each with its line; the same again is known, another one for the same item is refused.

    How many of each state. answer: called for each line in order. Raises NotAllowed.
    """
    permitting.require(by, project.pk, Role.LEAD, Role.TRAINER, doing=_("Recording probe results"))
    counts = {"new": 0, "known": 0, "refused": 0}
    desk = _Desk(project, by)
    for batch in _batches(rows):
        with transaction.atomic():
            landed = desk.write(batch)
        for one in landed:
            counts[one.state] += 1
            if answer is not None:
                answer(one)
    if counts["new"]:
        Event.objects.log(project.pk, "probes.recorded", by, project, **counts)
    return counts


class _Desk:
    """Holds probes, checkpoints and monitors by name while results are written."""

    def __init__(self, project: Project, by: User | None) -> None:
        self.project, self.by = project, by
        self.checkpoints = {one.name: one for one in Checkpoint.objects.filter(project=project)}
        self.probes: dict[str, Probe] = {one.name: one for one in Probe.objects.filter(project=project)}
        self.monitors: dict[str, Monitor] = {one.name: one for one in Monitor.objects.filter(project=project)}

    def write(self, batch: list[tuple[int, Result | RefusedLine]]) -> list[Landed]:
        placed = [(line, self._made_or_refused(line, row)) for line, row in batch]
        made = [one for _line, one in placed if isinstance(one, ProbeResult)]
        stored = ProbeResult.objects.filter(
            probe__in={one.probe_id for one in made}, item_digest__in={one.item_digest for one in made}
        )
        held = {_place(one): one for one in stored}
        landed: list[Landed] = []
        fresh: list[ProbeResult] = []
        for line, one in placed:
            if isinstance(one, Landed):
                landed.append(one)
                continue
            before = held.setdefault(_place(one), one)
            if before is one:
                fresh.append(one)
                landed.append(Landed(line, "new"))
            elif all(getattr(before, name) == getattr(one, name) for name in MEASURES):
                landed.append(Landed(line, "known"))
            else:
                reason = _("this item has another result on this checkpoint already; what is recorded stays")
                landed.append(Landed(line, "refused", "item", reason))
        ProbeResult.objects.bulk_create(fresh)
        return landed

    def _made_or_refused(self, line: int, row: Result | RefusedLine) -> ProbeResult | Landed:
        try:
            return self._made(row)
        except (Invalid, Conflict) as refused:
            return Landed(line, "refused", refused.field or "probe", str(refused))

    def _made(self, row: Result | RefusedLine) -> ProbeResult:
        if isinstance(row, RefusedLine):
            raise Invalid(row.field, row.reason)
        checkpoint = self.checkpoints.get(row.checkpoint)
        if checkpoint is None:
            sentence = _("there is no checkpoint '%(name)s'; register it first") % {"name": row.checkpoint}
            raise Invalid("checkpoint", sentence)
        if not row.item:
            raise Invalid(
                "item", _("an item needs a name, the same on every checkpoint: results are paired by it")
            )
        if all(getattr(row, name) is None for name in ("behaviour", "undetected", "correct", "flag")) and (
            row.score is not None
        ):
            raise Invalid(
                "score", _("a score needs to say what it is a score of: behaviour, flag or correct")
            )
        if row.undetected and row.behaviour is False:
            raise Invalid("undetected", _("what did not happen cannot be undetected"))
        trace = None
        if row.trace:
            traces = Trace.objects.filter(round__project=self.project, digest=_digest(row.trace))
            if (trace := traces.first()) is None:
                raise Invalid("trace", _("this project has no trace with that digest"))
        return ProbeResult(
            probe=self._probe(row),
            monitor=self._monitor(row.monitor) if row.monitor else None,
            checkpoint=checkpoint,
            item=row.item,
            item_digest=hashlib.sha256(row.item.encode("utf-8", "surrogatepass")).digest(),
            trace=trace,
            by=self.by,
            **{name: getattr(row, name) for name in MEASURES},
        )

    def _probe(self, row: Result) -> Probe:
        known = self.probes.get(row.probe)
        if known is None or (row.against and known.against != row.against):
            self.probes[row.probe] = make_probe(self.project, row.probe, by=self.by, against=row.against)
        return self.probes[row.probe]

    def _monitor(self, name: str) -> Monitor:
        if name not in self.monitors:
            made, _new = Monitor.objects.get_or_create(
                project=self.project, name=name[:120], defaults={"by": self.by}
            )
            self.monitors[name] = made
        return self.monitors[name]


def import_probes(
    project: Project, path: Path, *, by: User | None, trained: Iterable[str] = (), name: str = ""
) -> Report:
    """Take the labels of a file of traces as probe results, and register the checkpoints that it names.

    trained: the probes that training selected against; with any named, the others are held out; with none, each probe
    stays unknown. formats/probe_labels.py has the mapping. Raises Unreadable, Conflict, Invalid.
    """
    permitting.require(by, project.pk, Role.LEAD, Role.TRAINER, doing=_("Recording probe results"))
    report, refused, probed = Report(), [], []
    try:
        with opening.open_plain(path) as file:
            for row in canonical_traces.read(file, name or path.name, settings.MAX_LINE_BYTES):
                report.read += 1
                if isinstance(row, RefusedLine):
                    refused.append(row)
                elif (found := _labelled(row)) is None:
                    report.other += 1
                else:
                    probed.append((row.line, *found))
    except (OSError, EOFError) as problem:
        why = getattr(problem, "strerror", None) or problem
        raise Unreadable(_("%(file)s cannot be read: %(why)s.") % {"file": path.name, "why": why}) from None
    against = set(trained)
    if strange := against - {one.probe for _line, _named, one in probed}:
        raise Invalid("trained", _("The file has no probe '%(name)s'.") % {"name": sorted(strange)[0]})
    with transaction.atomic():
        checkpoints = adopting.register(project, [named for _line, named, _one in probed], by=by)
        meanings = {one.probe: one.meaning for _line, _named, one in probed}
        for probe, meaning in meanings.items():
            word = ""
            if against and probe != probe_labels.UNBIASED:
                word = Probe.Against.TRAINED if probe in against else Probe.Against.HELD_OUT
            make_probe(project, probe, by=by, behaviour=meaning, against=word)
        rows = ((line, _as_result(one, checkpoints[named].name)) for line, named, one in probed)
        counts = record(project, rows, by=by)
    report.new, report.known = counts["new"], counts["known"]
    report.refused = counts["refused"] + len(refused)
    report.unmeasured = sum(_is_open(one) for _line, _named, one in probed)
    report.probes = tuple(sorted(meanings))
    report.checkpoints = tuple(sorted(one.name for one in set(checkpoints.values())))
    return report


def parsed(lines: Iterable[bytes]) -> Iterator[tuple[int, Result | RefusedLine]]:
    """NDJSON as results, a RefusedLine for what is none. Bad content never raises."""
    for number, raw in enumerate(lines, start=1):
        if raw.strip():
            yield number, _parse(raw, number)


def _parse(raw: bytes, line: int) -> Result | RefusedLine:
    def refuse(field: str, reason: str) -> RefusedLine:
        return RefusedLine("probe-results", line, field, reason, raw[:2000])

    try:
        row = json.loads(raw)
    except (ValueError, RecursionError):
        return refuse("", "not JSON")
    if not isinstance(row, dict):
        return refuse("", f"expected an object, got {type(row).__name__}")
    values: dict[str, Any] = {}
    for name in ("probe", "checkpoint", "item", "monitor", "against", "trace"):
        value = row.get(name, "")
        if not isinstance(value, str) or (name in ("probe", "checkpoint", "item") and not value):
            return refuse(name, "expected text")
        if any(0xD800 <= ord(sign) <= 0xDFFF for sign in value) or (name != "item" and "\0" in value):
            return refuse(name, "has a character that cannot be stored")
        values[name] = value
    for name in ("behaviour", "flag", "undetected", "correct"):
        if row.get(name) is not None and type(row[name]) is not bool:
            return refuse(name, "expected true, false or null")
        values[name] = row.get(name)
    score = row.get("score")
    if score is not None and (type(score) not in (int, float) or not abs(score) < 1e300):
        return refuse("score", "expected a number or null")
    return Result(**values, score=None if score is None else float(score))


def _labelled(row: Sample) -> tuple[adopting.Named, probe_labels.Probed] | None:
    named = adopting.read(row.meta)
    found = probe_labels.read(row.prompt_id or "", row.sample_index or 0, row.meta)
    return None if named is None or found is None else (named, found)


def _as_result(one: probe_labels.Probed, checkpoint: str) -> Result:
    measured = {name: getattr(one, name) for name in MEASURES}
    return replace(Result(one.probe, checkpoint, one.item, monitor=one.monitor), **measured)


def _is_open(one: probe_labels.Probed) -> bool:
    return one.behaviour is None and one.undetected is None and one.correct is None


def _place(row: ProbeResult) -> tuple[int, int, bytes]:
    return row.probe_id, row.checkpoint_id, bytes(row.item_digest)


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Invalid("trace", _("a trace's digest is 64 hexadecimal digits")) from None


def _batches(
    rows: Iterable[tuple[int, Result | RefusedLine]],
) -> Iterator[list[tuple[int, Result | RefusedLine]]]:
    held: list[tuple[int, Result | RefusedLine]] = []
    for row in rows:
        held.append(row)
        if len(held) == ROWS_AT_ONCE:
            yield held
            held = []
    if held:
        yield held
