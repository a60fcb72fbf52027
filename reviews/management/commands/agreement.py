from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reviews.audit import agreement
from reviews.errors import Invalid
from reviews.formats.ratings_csv import NEEDED, OPTIONAL
from reviews.management.commanding import WinnowCommand

COEFFICIENTS = (
    "observed_agreement",
    "krippendorff_alpha",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "brennan_prediger",
)
PAIRS_SAID = 10  # to people; --json has all


class Command(WinnowCommand):
    help = "Recompute agreement from raw rows in CSV (item_id,rater_id,label[,occasion][,cluster]), without the database."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--scale", default="nominal", help="nominal, ordinal, interval or ratio")
        parser.add_argument(
            "--columns",
            nargs="*",
            default=[],
            metavar="NAME=COLUMN",
            help="where a column has another name, as label=severity",
        )
        parser.add_argument(
            "--wide",
            nargs="*",
            metavar="COLUMN",
            help="one row an item and one column a rater: these columns, or all others",
        )
        parser.add_argument("--seed", type=int, default=agreement.SEED, help="of the bootstrap")

    def run(
        self,
        *,
        file: Path,
        scale: str,
        columns: list[str],
        wide: list[str] | None,
        seed: int,
        **options: Any,
    ) -> None:
        names = dict(_pair(text) for text in columns)
        found = agreement.of_file(file, scale=scale, columns=names, raters=wide, seed=seed)
        self.say(f"{found['items']:,} items, {found['raters']:,} raters, {found['ratings']:,} ratings.")
        for line in _lines(found):
            self.say(line)
        self.result(**found)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for name in COEFFICIENTS:
        if found[name] is not None:
            yield _line(name.replace("_", " "), found[name])
    for entry in found["specific_agreement"]:
        yield _line(f"specific agreement on {entry['label']}", entry)
    pairs = found["cohen_kappa"] or []
    for pair in pairs[:PAIRS_SAID]:
        yield _line(f"cohen kappa of {pair['raters'][0]} and {pair['raters'][1]}", pair)
    if len(pairs) > PAIRS_SAID:
        yield f"{len(pairs) - PAIRS_SAID:,} more pairs: see --json"
    model = found["dawid_skene"]
    if model is None:
        yield "dawid skene: not fitted, too many raters or labels"
    elif model["log_likelihood"] is None:
        yield "dawid skene: not fitted, no item has three raters"
    else:
        yield (
            f"dawid skene: log-likelihood {model['log_likelihood']:.4f} after {model['steps']} steps "
            f"on {model['items']:,} items ({model['state']})"
        )
        for rater in model["raters"]:
            yield _line(f"error of {rater['rater']} against the others", rater["error_against_others"])


def _line(name: str, measured: dict[str, Any]) -> str:
    value = "not measured" if measured["value"] is None else f"{measured['value']:.6f}"
    interval = "" if measured["low"] is None else f" [{measured['low']:.4f}, {measured['high']:.4f}]"
    return f"{name}: {value}{interval} ({measured['method']}; {measured['state']})"


def _pair(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not equals or name not in NEEDED + OPTIONAL or not column:
        raise Invalid(
            "columns",
            f"Expected NAME=COLUMN with a name among item_id, rater_id, label, occasion and cluster; got '{text}'.",
        )
    return name, column
