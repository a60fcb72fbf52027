"""Rates that people understand: what a second reader would reject, errors on gold, rates along a scale."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reviews.measures.cohen import kappa_of
from reviews.measures.errors import UnfitData
from reviews.measures.intervals import Estimate, clustered_ratio, wilson
from reviews.measures.ratings import Codes
from reviews.measures.resampling import by_cluster, nothing, rated


@dataclass(frozen=True)
class Gold:
    """How one reader judges traces whose right verdict is known.

    right: of all, which says little where most gold has one verdict: whoever always accepts is right on all accepts.
    accepts_kept: of gold accepts, those accepted. rejects_found: of gold rejects, those rejected.
    """

    right: Estimate
    accepts_kept: Estimate
    rejects_found: Estimate


@dataclass(frozen=True)
class Bin:
    """A rate among what lies from `low` up to `high`, the last bin with its upper end."""

    low: float
    high: float
    hits: int
    rate: Estimate


@dataclass(frozen=True)
class Repeats:
    """How often one reader says the same again, and their Cohen's kappa with themselves."""

    agreement: Estimate
    kappa: Estimate


def rate(hits: int, trials: int) -> Estimate:
    """A rate of independent trials with Wilson's two-sided 95 % interval, which holds from few trials on.

    State "no-trials" (value None) without any. Source: Wilson 1927, JASA 22:209-212.
    """
    if not trials:
        return nothing("no-trials")
    low, high = wilson(hits, trials)
    return Estimate(hits / trials, low, high, f"95 % Wilson, {hits} of {trials}", trials, "ok")


def second_reader_rejects(
    accepts: NDArray[np.int64],
    rejects: NDArray[np.int64],
    *,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """Of the traces that one reader accepts, the share that another reader of the same trace rejects.

    accepts, rejects: shape (traces,), how many blind readers said so; traces with one reader bring nothing.
    clusters: shape (traces,), the number of each trace's prompt. Times 100 it reads: of 100 traces that go out on
    one accept, a second reader would have rejected so many. It is 1 - specific agreement on accept.
    Every trace with two readers must be given, also those that a rule then kept back: leaving out the disputed ones
    would answer 0. The traces read twice must have been drawn at random, or it speaks for them alone.
    The interval is clustered Wilson of the share that is accepted again, turned round, so that few prompts that all
    agree do not look certain. State "no-pairs" (value None): no trace with an accept has a second reader.
    Source: Cicchetti & Feinstein 1990, Journal of Clinical Epidemiology 43:551-558; intervals.clustered_ratio.
    """
    if accepts.shape != rejects.shape:
        raise UnfitData(
            "A second reader", f"shapes {accepts.shape} and {rejects.shape}, expected one row each."
        )
    sums = second_reader_sums(accepts, rejects, clusters)
    if sums is None:
        return nothing("no-pairs")
    hits, trials = sums
    traces, unit = (
        int(np.count_nonzero(_twice(accepts, rejects))),
        "items" if clusters is None else "clusters",
    )
    again = rated(clustered_ratio(hits, trials), len(trials), traces, unit)
    low, high = (None if end is None else 1 - end for end in (again.high, again.low))
    return Estimate(1 - (again.value or 0.0), low, high, again.method, again.n, again.state)


def second_reader_sums(
    accepts: NDArray[np.int64], rejects: NDArray[np.int64], clusters: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """By cluster: how much of the accepts is accepted again, and the accepts that have a second reading; None without any.

    Arguments as second_reader_rejects has them, which is 1 - the ratio of these; a gate bounds it at its own level.
    """
    twice = _twice(accepts, rejects)
    if not twice.any():
        return None
    trials = accepts[twice].astype(np.float64)
    hits = trials * (trials - 1) / (trials + rejects[twice] - 1)
    if clusters is None:
        return hits, trials
    _, number = np.unique(clusters[twice], return_inverse=True)
    sums = by_cluster(np.column_stack([hits, trials]), np.arange(len(hits)), number, int(number.max()) + 1)
    return sums[:, 0], sums[:, 1]


def _twice(accepts: NDArray[np.int64], rejects: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray((accepts + rejects >= 2) & (accepts > 0))


def gold_accuracy(gold_rejects: NDArray[np.bool_], said_reject: NDArray[np.bool_]) -> Gold:
    """Both kinds of error on gold apart, because a reader who accepts everything is right on every gold accept.

    gold_rejects, said_reject: shape (gold traces judged,), what is right and what the reader said.
    Wilson's 95 % interval for each; a kind without gold has state "no-trials".
    """
    right = gold_rejects == said_reject
    return Gold(
        *(
            rate(int(np.count_nonzero(right & of)), int(np.count_nonzero(of)))
            for of in (np.ones_like(right), ~gold_rejects, gold_rejects)
        )
    )


def rates_along(
    values: NDArray[np.float64],
    hits: NDArray[np.bool_],
    edges: NDArray[np.float64],
    *,
    clusters: NDArray[np.int64] | None = None,
) -> list[Bin]:
    """The rate of hits in each bin of a scale: misses by the depth of the fault, accepts by minute or by length.

    values, hits: shape (trials,), where on the scale each trial stands (NaN: unknown, left out). edges: shape
    (bins + 1,), rising; values outside belong to no bin. clusters: shape (trials,), where trials cluster.
    Wilson's 95 % interval in each bin, over clusters from 30 trials in 20 clusters on. Bins are not corrected for
    being many: read their order, not the worst.
    """
    if (np.diff(edges) <= 0).any():
        raise UnfitData("A rate along a scale", "the edges must rise.")
    place = np.searchsorted(edges, values, side="right") - 1
    place[values == edges[-1]] = len(edges) - 2
    found = []
    for number, (low, high) in enumerate(pairwise(edges)):
        here = (place == number) & ~np.isnan(values)
        trials, count = int(np.count_nonzero(here)), int(np.count_nonzero(hits & here))
        measured = rate(count, trials)
        if clusters is not None and trials:
            _, cluster = np.unique(clusters[here], return_inverse=True)
            columns = np.column_stack([hits[here], np.ones(trials)])
            sums = by_cluster(columns, np.arange(trials), cluster, int(cluster.max()) + 1)
            measured = rated(clustered_ratio(sums[:, 0], sums[:, 1]), len(sums), trials, "clusters")
        found.append(Bin(float(low), float(high), count, measured))
    return found


def blind_repeats(first: NDArray[np.int64], again: NDArray[np.int64], labels: int) -> Repeats:
    """How far readers agree with themselves on traces that came back to them unmarked.

    first, again: shape (repeats,), the number of the label, from 0 to labels - 1. Agreement with Wilson's interval;
    kappa as in cohen.kappa_of, under 30 repeats without one.
    """
    table = np.bincount(first * labels + again, minlength=labels * labels).reshape(labels, labels)
    return Repeats(rate(int(np.trace(table)), int(table.sum())), kappa_of(table))


def repeats_of(codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The rater, the first and the second label, wherever one rated an item twice or more; shape (repeats,) each."""
    second = np.flatnonzero(~codes.first[1:] & codes.first[:-1]) + 1
    return codes.raters[second], codes.labels[second - 1], codes.labels[second]
