import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reviews.errors import Unreadable
from reviews.management.commanding import WinnowCommand
from reviews.measures import doses


class Command(WinnowCommand):
    help = "What each lineage has received, added up again from manifests alone, without the database."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")

    def run(self, *, manifests: list[Path], **options: Any) -> None:
        found = doses.of_manifests(_read(path) for path in manifests)
        for identity, dose in found.items():
            part = "at least " if dose.unknown else ""
            self.say(
                f"{identity}: {part}{dose.pooled:.3f} nats pooled, {dose.hard:.3f} on hard prompts, "
                f"{dose.traces:,} traces" + (f" ({'; '.join(dose.why)})" if dose.unknown else "")
            )
        if not found:
            self.say("No manifest names a checkpoint.")
        self.result(
            checkpoints={
                identity: {**asdict(dose), "unknown": dose.unknown, "pooled": dose.pooled, "hard": dose.hard}
                for identity, dose in found.items()
            }
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as problem:
        raise Unreadable(f"{path} cannot be read: {problem.strerror}.") from None
    except ValueError:
        raise Unreadable(f"{path} is no JSON.") from None
    if not isinstance(found, dict):
        raise Unreadable(f"{path} is no manifest.")
    return found
