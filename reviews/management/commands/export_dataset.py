from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from reviews import drafting, exporting, jobs, targeting
from reviews.checking.drafts import Configuration
from reviews.errors import Conflict
from reviews.management.commanding import WinnowCommand, project_named, round_named
from reviews.models import Dataset, Job


class Command(WinnowCommand):
    help = "Export what was accepted in a round as a folder that `datasets` and TRL load."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True)
        parser.add_argument("--round", required=True)
        parser.add_argument(
            "--format", default="sft", help="formats with commas between them; the first is the default"
        )
        parser.add_argument("--out", type=Path, required=True, help="the data set's own folder")
        parser.add_argument("--arm", default="selected", choices=[str(arm) for arm in Dataset.Arm.values])
        parser.add_argument(
            "--override",
            default="",
            metavar="REASON",
            help="export against every dose and evidence gate; kept for ever",
        )
        parser.add_argument(
            "--target", type=Path, help="the tokenizer's folder or template file that the trainer will use"
        )
        parser.add_argument("--max-length", type=int, help="in tokens, as the trainer will cut")

    def run(
        self,
        *,
        project: str,
        round: str,
        format: str,
        out: Path,
        arm: str,
        override: str,
        target: Path | None,
        max_length: int | None,
        **options: Any,
    ) -> None:
        chosen = round_named(project_named(project), round)
        named = targeting.register_path(chosen.project, target, by=None) if target else None
        dataset = exporting.unfinished(chosen, format, out) or drafting.draft(
            chosen,
            format,
            by=None,
            folder=out,
            override=override,
            configuration=Configuration(arm=arm),
            target=named,
            max_length=max_length,
        )
        job = jobs.start(Job.Kind.BUILD_DATASET, dataset.project_id, dataset.pk, by=None, unit="rows")
        exporting.run_job(job.pk, progress=self.progress("rows"))
        job.refresh_from_db()
        dataset.refresh_from_db()
        if job.state != Job.State.DONE:
            raise Conflict(job.error or f"The export was {job.state}.")
        manifest = dataset.manifest_object or {}
        self.say(f"{dataset.rows:,} rows in {len(manifest['shards'])} shards: {dataset.folder}")
        self.result(
            dataset=dataset.pk,
            rows=dataset.rows,
            shards=len(manifest["shards"]),
            digest=manifest["digest"],
            verdict=manifest["verdict"],
            overridden=manifest["overridden"],
        )
