"""Dawid and Skene's model: a hidden true label for each item, and for each rater how often they turn k into l."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reviews.measures.intervals import Estimate
from reviews.measures.ratings import Codes
from reviews.measures.resampling import by_cluster, distinct_rows, estimate, nothing

RATERS_UP_TO = 50
RATERS_AN_ITEM = 3  # with two, many different models fit as well, and the start decides which
CELLS_UP_TO = 20_000_000  # raters times labels times labels, and items times labels
TOLERANCE = 1e-12  # of the log-likelihood
TOLERANCE_OF_OTHERS = 1e-9
STEPS_UP_TO = 5000

State = Literal["ok", "not-converged", "needs-three-raters"]


@dataclass(frozen=True)
class Model:
    """What EM found. State "needs-three-raters" has no item to fit, and everything empty.

    shares: shape (categories,), how common each true label is.
    confusion: shape (raters, categories, categories): of items truly k, how often the rater says l. A row is NaN
    where the rater read no item that could be k. posterior: shape (items used, categories), in the order of `used`.
    used: shape (items,), which items had enough raters. history: the log-likelihood before each step, rising;
    it has no multinomial constants. State "not-converged" after 5,000 steps.
    """

    shares: NDArray[np.float64]
    confusion: NDArray[np.float64]
    posterior: NDArray[np.float64]
    used: NDArray[np.bool_]
    history: tuple[float, ...]
    state: State

    @property
    def log_likelihood(self) -> float:
        return self.history[-1]

    @property
    def errors(self) -> NDArray[np.float64]:
        """How often each rater errs by the model's own account, sum_k share_k (1 - confusion_kk); shape (raters,).

        Over the labels that the rater can have met; NaN for a rater with no item in the fit.
        """
        right = np.diagonal(self.confusion, axis1=1, axis2=2)
        met = ~np.isnan(right) & (self.shares > 0)
        share = np.where(met, self.shares, 0.0)
        total = share.sum(axis=1)
        wrong = (share * (1 - np.where(met, right, 1.0))).sum(axis=1)
        errors: NDArray[np.float64] = np.divide(
            wrong, total, out=np.full(len(total), np.nan), where=total > 0
        )
        return errors


def fit(codes: Codes, *, least: int = RATERS_AN_ITEM, tolerance: float = TOLERANCE) -> Model | None:
    """Fit the model by EM to convergence, from the shares of votes, over all occasions.

    Only items that `least` or more different raters rated are used: with two raters the model has more
    parameters than the data have cells. A step stops it that adds less than `tolerance` of the log-likelihood or
    less than 1e-10. EM finds a local maximum; the start from votes picks the one where most raters are
    more often right than not.
    Returns None for more than 50 raters or more cells than can be held.
    Source: Dawid & Skene 1979, Applied Statistics 28:20-28, equations (2.3) to (2.5).
    """
    raters, labels = len(codes.rater_names), len(codes.categories)
    if raters > RATERS_UP_TO or max(raters * labels, len(codes.item_names)) * labels > CELLS_UP_TO:
        return None
    used = np.bincount(codes.items[codes.first], minlength=len(codes.item_names)) >= least
    if not used.any():
        none = np.zeros((0, labels))
        return Model(
            np.zeros(labels), np.zeros((raters, labels, labels)), none, used, (), "needs-three-raters"
        )
    rows = used[codes.items]
    items = (np.cumsum(used) - 1)[codes.items[rows]]
    cells, alike = codes.raters[rows] * labels + codes.labels[rows], int(used.sum())
    keep, of_item = _alike(items, cells, alike)
    place = np.full(alike, -1)
    place[keep] = np.arange(len(keep))
    some = place[items] >= 0
    times = np.bincount(of_item, minlength=len(keep)).astype(np.float64)
    posterior, shares, confusion, history = _climb(
        place[items[some]], cells[some], times, raters * labels, labels, tolerance
    )
    return Model(
        shares,
        confusion.reshape(labels, raters, labels).transpose(1, 0, 2),
        posterior[of_item],
        used,
        tuple(history),
        "ok" if len(history) < STEPS_UP_TO else "not-converged",
    )


def errors_against_others(codes: Codes, *, seed: int) -> list[Estimate]:
    """For each rater: the share of their first ratings that the consensus of the others holds to be wrong.

    The model is fitted again without the rater, on the items with two or more others; an item counts with the
    posterior probability that its label is not the one that the rater gave. Where the others are in doubt a good
    rater seems to err too, so this compares raters and is above Model.errors. The interval is the 95 % bootstrap
    over clusters with the consensus taken as given.
    State "two-others": a value without an interval, where fewer than half of the rater's items have three others.
    State "no-pairs" (value None): nobody else read the rater's items, or only one did.
    Source: Dawid & Skene 1979 for the consensus; leaving the rater out keeps them from agreeing with themselves.
    """
    return [_error_of(codes, rater, seed) for rater in range(len(codes.rater_names))]


def _error_of(codes: Codes, rater: int, seed: int) -> Estimate:
    own = codes.raters == rater
    # Items that the rater never saw still teach who of the others errs how.
    model = fit(codes.only(~own), least=2, tolerance=TOLERANCE_OF_OTHERS)
    mine = codes.only(own & codes.first)
    if model is None or not len(model.posterior):
        return nothing("no-pairs")
    there = model.used[mine.items]
    items, labels = mine.items[there], mine.labels[there]
    if not len(items):
        return nothing("no-pairs")
    wrong = 1 - model.posterior[(np.cumsum(model.used) - 1)[items], labels]
    others = np.bincount(codes.items[codes.first & ~own], minlength=len(codes.item_names))[items]
    if np.median(others) < RATERS_AN_ITEM:
        method = "no interval: most items have two others, whose consensus is no more than their agreement"
        return Estimate(float(wrong.mean()), None, None, method, len(items), "two-others")
    unit = "clusters" if codes.clustered else "items"
    present, cluster = np.unique(codes.clusters[items], return_inverse=True)
    columns = np.column_stack([wrong, np.ones(len(items))])
    sums = by_cluster(columns, np.arange(len(items)), cluster, len(present))
    return estimate(_share, sums, np.ones(len(present), dtype=np.int64), len(items), unit, seed)


def _share(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    quotient: NDArray[np.float64] = totals[:, 0] / totals[:, 1]
    return quotient


def _climb(
    items: NDArray[np.int64],
    cells: NDArray[np.int64],
    times: NDArray[np.float64],
    width: int,
    labels: int,
    tolerance: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], list[float]]:
    """EM over distinct items. Returns the posterior, the shares, the confusion by label and cell, the history.

    items, cells: shape (ratings,), the distinct item and the rater's label of each rating; a cell is rater * labels + label.
    times: shape (distinct items,), how many items are like it.
    """
    patterns = len(times)
    votes = np.zeros((patterns, labels))
    np.add.at(votes, (items, cells % labels), 1.0)
    posterior = votes / votes.sum(axis=1, keepdims=True)
    history: list[float] = []
    while True:
        weighted = posterior * times[:, None]
        shares = weighted.sum(axis=0) / times.sum()
        said = np.stack([np.bincount(cells, weights=column[items], minlength=width) for column in weighted.T])
        of_rater = said.reshape(labels, -1, labels).sum(axis=2).repeat(labels, axis=1)
        confusion = np.divide(said, of_rater, out=np.full_like(said, np.nan), where=of_rater > 0)
        with np.errstate(divide="ignore"):  # what cannot be has the logarithm -inf, and no weight
            logs = np.log(np.where(of_rater > 0, confusion, 1.0))
            joint = np.log(shares)[None, :] + np.stack(
                [np.bincount(items, weights=row[cells], minlength=patterns) for row in logs], axis=1
            )
        highest = joint.max(axis=1, keepdims=True)
        likelihood = np.exp(joint - highest)
        total = likelihood.sum(axis=1, keepdims=True)
        posterior = likelihood / total
        history.append(float(times @ (np.log(total) + highest)[:, 0]))
        rise = history[-1] - history[-2] if len(history) > 1 else np.inf
        if rise < max(1e-10, tolerance * abs(history[-1])) or len(history) >= STEPS_UP_TO:
            return posterior, shares, confusion, history


def _alike(
    items: NDArray[np.int64], cells: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One item for each distinct set of ratings, and for each item which of them it is.

    The ratings of an item must stand together. Sets are told apart item by item in columns of equal length.
    """
    sizes = np.bincount(items, minlength=count)
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    keep: list[NDArray[np.int64]] = []
    of_item = np.zeros(count, dtype=np.int64)
    found = 0
    for size in np.unique(sizes):
        same = np.flatnonzero(sizes == size)
        table = np.sort(cells[starts[same][:, None] + np.arange(size)], axis=1)
        places, inverse = distinct_rows(table)
        keep.append(same[places])
        of_item[same] = found + inverse
        found += len(places)
    return np.concatenate(keep), of_item
