import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction

from reviews import importing, landing, planning, publishing
from reviews.errors import Unreadable
from reviews.importing import Report
from reviews.management.commanding import WinnowCommand, project_named, round_named
from reviews.models import Round


class Command(WinnowCommand):
    help = "Bring traces from JSON Lines (plain or .gz) into a round. Good rows go in, bad rows come back."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--project", required=True)
        parser.add_argument("--round", required=True)
        parser.add_argument(
            "--create", action="store_true", help="make project and round where they are missing"
        )
        parser.add_argument("--format", default="auto", help="auto, canonical or guess")
        parser.add_argument(
            "--map", type=Path, dest="mapping", help="a JSON file that says where the fields are"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("--strict", action="store_true", help="leave with 1 where a line was refused")
        parser.add_argument("--rejects", type=Path, help="write the refused lines here, as JSON Lines")

    def run(
        self,
        *,
        files: list[Path],
        project: str,
        round: str,
        create: bool,
        dry_run: bool,
        strict: bool,
        rejects: Path | None,
        format: str,
        mapping: Path | None,
        **options: Any,
    ) -> None:
        if not (dry_run and create):
            self.import_all(
                files, self.round(project, round, create), dry_run, strict, rejects, format, mapping
            )
            return
        with transaction.atomic():  # what --create makes is not kept either
            self.import_all(
                files, self.round(project, round, create), dry_run, strict, rejects, format, mapping
            )
            transaction.set_rollback(True)

    def import_all(
        self,
        files: list[Path],
        into: Round,
        dry_run: bool,
        strict: bool,
        rejects: Path | None,
        format: str,
        mapping: Path | None,
    ) -> None:
        total = Report()
        refused: list[dict[str, Any]] = []
        for file in files:
            found = self.import_one(into, file, dry_run, refused, format, mapping)
            for name in ("read", "traces_new", "traces_known", "prompts_new", "refused", "warnings"):
                setattr(total, name, getattr(total, name) + getattr(found, name))
            for name, count in found.by_format.items():
                total.by_format[name] = total.by_format.get(name, 0) + count
        if rejects:
            _write_rejects(rejects, refused)
        would = "would be " if dry_run else ""
        self.say(
            f"{total.read:,} lines read: {total.traces_new:,} traces {would}new, {total.traces_known:,} known, "
            f"{total.refused:,} refused."
        )
        self.result(**asdict(total))
        if strict and total.refused:
            self.found_wanting()

    def import_one(
        self,
        into: Round,
        file: Path,
        dry_run: bool,
        refused: list[dict[str, Any]],
        format: str,
        mapping: Path | None,
    ) -> Report:
        by_fields, sentence = importing.read_by(file, format, mapping)
        if by_fields is not None:
            self.say(sentence)
        if dry_run:
            return importing.try_out(
                into, file, by=None, mapping=by_fields, answer=lambda row: self.show(file, row, refused)
            )
        batch = importing.begin(into, file, by=None, mapping=by_fields)
        if batch.lines:
            self.say(f"{file.name}: taken up again after line {batch.lines:,}.")
        found = importing.run(batch, progress=self.progress("lines"))
        for line in batch.refused_lines.iterator():
            sentence = (
                f"{batch.file}, line {line.line}"
                + (f", {line.field}" if line.field else "")
                + f": {line.reason}"
            )
            self.say(sentence)
            refused.append(
                {
                    "file": batch.file,
                    "line": line.line,
                    "field": line.field,
                    "reason": line.reason,
                    "text": bytes(line.text).decode(errors="replace"),
                }
            )
        self.say(f"{file.name}: import {batch.pk}; 'manage.py withdraw_batch {batch.pk}' takes it back.")
        return found

    def show(self, file: Path, row: landing.Landed, refused: list[dict[str, Any]]) -> None:
        if row.state == "refused":
            self.say(
                f"{file.name}, line {row.line}" + (f", {row.field}" if row.field else "") + f": {row.reason}"
            )
            refused.append(
                {"file": file.name, "line": row.line, "field": row.field, "reason": row.reason, "text": ""}
            )

    def round(self, project: str, name: str, create: bool) -> Round:
        if not create:
            return round_named(project_named(project), name)
        space, _ = planning.create_project(project)
        if not space.spec_versions.exists():
            publishing.publish(space, publishing.STARTER_SPEC, by=None)
        return planning.create_round(space, name, by=None)[0]


def _write_rejects(path: Path, refused: list[dict[str, Any]]) -> None:
    try:
        fresh = path.with_name(path.name + ".tmp")
        fresh.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in refused), encoding="utf-8"
        )
        fresh.replace(path)
    except OSError as problem:
        raise Unreadable(f"{path} cannot be written: {problem.strerror}.") from None
