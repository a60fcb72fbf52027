"""Loading the demonstration project, through the same verbs as everyone's own data."""

from __future__ import annotations

import csv
import getpass
import json
import re
import tempfile
from pathlib import Path

from reviews import demonstration, importing, inviting, judging_elsewhere, planning, publishing
from reviews.models import Project, Role, User

SLUG, ROUND = "demo", "Round 1"
NOTE = (
    "Everything in this project is synthetic: the prompts, the traces and the three reviewers "
    "(synthetic-ada, synthetic-ben, synthetic-chi) were written for the demonstration. No model sampled them."
)


def local_user() -> User:
    """Whoever runs Winnow on this machine: its administrator."""
    name = re.sub(r"[^\w.@+-]", "-", getpass.getuser())[:150] or "local"
    user, new = User.objects.get_or_create(username=name, defaults={"is_superuser": True, "is_staff": True})
    if new:
        user.set_unusable_password()
        user.save()
    return user


def load(user: User) -> Project:
    """The demonstration project, loaded where it is missing, with `user` as lead and reviewer. Twice is once."""
    project, _ = planning.create_project(SLUG, name="Demonstration")
    if not project.note:
        project.note = NOTE
        project.save(update_fields=["note"])
    for role in (Role.LEAD, Role.REVIEWER):
        inviting.create_member(user.username, project, role, by=None)
    if not project.spec_versions.exists():
        publishing.publish(project, demonstration.spec_text(), by=None)
    round, _ = planning.create_round(project, ROUND, by=None, double_share=0.35, k=8)
    if round.batches.filter(finished=True).exists() and round.reviews.exists():
        return project
    with tempfile.TemporaryDirectory() as folder:
        traces, verdicts = Path(folder) / "demonstration.jsonl", Path(folder) / "demonstration-reviews.csv"
        with traces.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in demonstration.traces())
        importing.run(importing.begin(round, traces, by=None))
        with verdicts.open("w", encoding="utf-8", newline="") as file:
            columns = [
                "prompt_id",
                "model",
                "sample_index",
                "reviewer",
                "verdict",
                "clauses",
                "remarks",
                "comment",
            ]
            table = csv.DictWriter(file, columns)
            table.writeheader()
            for row in demonstration.reviews():
                table.writerow(
                    {**row, "clauses": " ".join(row["clauses"]), "remarks": " ".join(row["remarks"])}
                )
        judging_elsewhere.run(round, verdicts, by=None)
    return project
