from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import auditing
from reviews.errors import Invalid
from reviews.management.commanding import WinnowCommand


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
        parser.add_argument("--seed", type=int, default=auditing.SEED, help="of the bootstrap")

    def run(self, *, file: Path, scale: str, columns: list[str], seed: int, **options: Any) -> None:
        names = dict(_pair(text) for text in columns)
        found = auditing.of_file(file, scale=scale, columns=names, seed=seed)
        self.say(f"{found['items']:,} items, {found['raters']:,} raters, {found['ratings']:,} ratings.")
        for name in ("observed_agreement", "krippendorff_alpha"):
            measured = found[name]
            value = "not measured" if measured["value"] is None else f"{measured['value']:.6f}"
            interval = "" if measured["low"] is None else f" [{measured['low']:.4f}, {measured['high']:.4f}]"
            self.say(
                f"{name.replace('_', ' ')}: {value}{interval} ({measured['method']}; {measured['state']})"
            )
        self.result(**found)


def _pair(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not equals or name not in ("item_id", "rater_id", "label", "occasion", "cluster") or not column:
        raise Invalid(
            "columns",
            f"Expected NAME=COLUMN with a name among item_id, rater_id, label, occasion and cluster; got '{text}'.",
        )
    return name, column
