"""The card: one honest paragraph that could be pasted into a safety note, and the facts under it."""

from __future__ import annotations

from typing import Any

from reviews.describing.counting import licences
from reviews.formats import dataset_folder, train_script
from reviews.models import Dataset

TITLES = {"selected": "", "random-control": " (random control)", "outcome-only": " (outcome-only control)"}


def card(dataset: Dataset, manifest: dict[str, Any]) -> str:
    """The README.md of the folder."""
    shards = [
        dataset_folder.ShardFile(
            shard["format"], shard["split"], shard["file"], shard["rows"], shard["bytes"]
        )
        for shard in manifest["shards"]
    ]
    return dataset_folder.card(
        title(dataset, manifest),
        shards,
        "\n\n".join([paragraph(manifest), *_lines(manifest), *_overrides(manifest)]),
        [(key, _cell(value)) for key, value in _facts(manifest)],
        licences(dataset.round),
    )


def title(dataset: Dataset, manifest: dict[str, Any]) -> str:
    """PILOT and UNCERTIFIED stand where nobody can miss them."""
    marks = []
    if (manifest["policy"] or {}).get("name") == "pilot":
        marks.append("PILOT")
    if manifest["uncertified"]:
        marks.append("UNCERTIFIED")
    name = dataset.plain_name + TITLES.get(dataset.arm, "")
    return f"{name}, {', '.join(marks)}" if marks else name


def paragraph(manifest: dict[str, Any]) -> str:
    """What was measured, what is declared, what is unknown; no sentence says more than its number holds."""
    made, gates = manifest["counts"], {gate["key"]: gate for gate in manifest["gates"]}
    said = [_made(manifest, made), _pressure(manifest, gates)]
    said.append(_second_reader(gates))
    said.append(_provenance(manifest, gates))
    unmeasured = [key for key, gate in gates.items() if gate["verdict"] == "insufficient"]
    if unmeasured:
        said.append(f"Not measured: {', '.join(unmeasured)}.")
    bad = [key for key, gate in gates.items() if gate["verdict"] == "block"]
    if bad:
        said.append(f"Measured, and beyond the policy's lines: {', '.join(bad)}.")
    said.append(_certified(manifest))
    if (manifest["mentions"] or {}).get("traces"):
        said.append(
            f"{manifest['mentions']['traces']:,} of them mention reviewers, a rubric or a monitor "
            f"({', '.join(manifest['mentions']['by_term'])}): read those before training on them."
        )
    author, rounds = manifest["authorship"] or {}, manifest["rounds_on_checkpoint"] or {}
    if author.get("approved_by_its_own_author"):
        said.append("Approved by its own author: one person judged, drafted and released it.")
    if rounds:
        said.append(
            f"Round {rounds['place']} of {rounds['of']} on this checkpoint, {rounds['not_used']} not used."
        )
    return " ".join(one for one in said if one)


def _made(manifest: dict[str, Any], made: dict[str, Any]) -> str:
    how = {
        "selected": "each accepted by people against a written spec and exported exactly as sampled",
        "random-control": "drawn at random from all samples of the same prompts, whatever people said of them",
        "outcome-only": "drawn at random from those whose answer a checker calls right, whatever people said of them",
    }[manifest["arm"]]
    first = (
        f"{made['exported']:,} of {made['sampled']:,} sampled reasoning traces, from {made['exported_prompts']:,} "
        f"prompts, {how}."
    )
    draft = manifest.get("draft") or {}
    if draft.get("rejected"):
        first += (
            f" {draft['rejected']:,} of them, {100 * draft['rejected_share']:.0f} in 100, were not accepted: they were "
            "mixed in at random to soften the selection."
        )
    return first


def _pressure(manifest: dict[str, Any], gates: dict[str, Any]) -> str:
    gate = gates["selection"]
    if manifest["arm"] == "random-control":
        return "No verdict decided what is in it."
    if gate["value"] is None:
        return "Selection pressure is not known."
    pooled = manifest["pressure"]
    known = {
        name: high for name, high in gate.get("details", {}).get("upper_by", {}).items() if high is not None
    }
    where = max(known, key=known.__getitem__, default="")
    upper = (
        f"; at most {gate['high']:.2f} {where} (one-sided 95 %{_looks(manifest)})"
        if gate["high"] is not None
        else ""
    )
    beside = (
        f"; over all prompts, easy ones included, {pooled['total']:.2f}"
        if pooled.get("total") is not None
        else ""
    )
    return (
        f"Selection pressure {gate['value']:.2f} nats over the {gate['n'] or 0:,} prompts where selection "
        f"happened{upper}{beside}."
    )


def _looks(manifest: dict[str, Any]) -> str:
    looks = manifest["looks"] or 1
    return f" over {looks} looks" if looks > 1 else ""


def _second_reader(gates: dict[str, Any]) -> str:
    said = []
    flips, second = gates["answer-first"], gates["agreement"]
    if flips["value"] is not None and flips["high"] is not None:
        said.append(f"Of 100 answers accepted alone, the chain turned {flips['value']:.0f} to reject.")
    if second["value"] is not None and second["high"] is not None:
        said.append(
            f"Of 100 exported traces, a second reader would have rejected {second['value']:.0f}, at most "
            f"{second['high']:.0f}."
        )
    return " ".join(said)


def _provenance(manifest: dict[str, Any], gates: dict[str, Any]) -> str:
    if gates["on-policy"]["verdict"] == "pass":
        where = "Every trace was sampled here or verified under the registered checkpoint."
    else:
        where = "Where the traces came from is as declared by whoever imported them."
    names = [name for name in manifest["checkpoint"] or [] if name]
    if names:
        return f"{where} Checkpoint: {', '.join(names)}."
    return f"{where} Nobody has said which checkpoint they are from, so its history is unknown, not empty."


def _certified(manifest: dict[str, Any]) -> str:
    policy = manifest["policy"] or {}
    name = f"the policy {policy.get('name')}, version {policy.get('version')}"
    if manifest["uncertified"]:
        return (
            f"UNCERTIFIED: {len(manifest['overridden_gates'])} gates of {name} that would have stopped it were "
            f"overridden ({', '.join(manifest['overridden_gates'])})."
        )
    if manifest["overridden_gates"]:
        return f"Of {name}, {', '.join(manifest['overridden_gates'])} would have stopped it; a lead overrode it in writing."
    return f"No gate of {name} stopped it."


def _lines(manifest: dict[str, Any]) -> list[str]:
    lines = manifest["lines"]
    asked = {
        "matters": "Why this matters",
        "not_outcomes": "Why training on outcomes will not do",
        "expected": "What is expected to change",
        "stop_when": "When to stop",
    }
    if not any(lines.values()):
        return ["Why this was done was not written down."]
    return ["\n".join(f"- {words}: {_cell(lines[key]) or 'not written'}" for key, words in asked.items())]


def _overrides(manifest: dict[str, Any]) -> list[str]:
    return [
        f"Override of {one['gate']} by {one['by']}: {_cell(one['reason'])}" for one in manifest["overrides"]
    ]


def _facts(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    made, spec = manifest["counts"], manifest["spec"]
    facts = [
        ("Project, round", f"{manifest['project']}, {manifest['round']}"),
        ("Spec", f"{spec['title']}, version {spec['version']}" if spec else "none"),
        ("Models", ", ".join(dict.fromkeys(sampler["model"] for sampler in manifest["samplers"]))),
        ("Held out", f"{manifest['held_out']['below'] / 100:g} % of prompts, none of them here"),
        ("Left out", ", ".join(f"{n:,} {reason}" for reason, n in made["left_out"].items()) or "nothing"),
        ("Verdict of the gates", str(manifest["verdict"])),
        *_template(manifest),
        ("Digest", f"`{manifest['digest']}`"),
    ]
    if manifest["match"]:
        match = manifest["match"]
        facts.insert(
            1,
            (
                "Control of",
                f"{manifest['matches'] or 'the selected traces'}: {match['rows']:,} of {match['rows_wanted']:,} rows, "
                f"{match['tokens']:,} of {match['tokens_wanted']:,} tokens, {match['prompts']:,} prompts",
            ),
        )
    return facts


def _template(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    found = manifest["template"]
    if not found:
        return [("Target", "none named: whether its template keeps the reasoning is not known")]
    rows = [("Target", f"{found['target']}, template {found['digest'][:12]}")]
    for name, each in found["formats"].items():
        tokens = each.get("tokens")
        if tokens:
            rows.append(
                (
                    f"Tokens of {name}",
                    ", ".join(f"{key} {value:,}" for key, value in tokens.items() if value is not None),
                )
            )
    return rows


def train(dataset: Dataset, manifest: dict[str, Any]) -> str:
    """The ten lines that train on the folder."""
    name = dataset.formats.split(",")[0]
    found = (manifest["template"] or {}).get("formats", {}).get(name, {})
    longest = (found.get("tokens") or {}).get("max")
    return train_script.script(
        name,
        longest=longest,
        max_length=dataset.max_length,
        target=(manifest["template"] or {}).get("target", ""),
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("\0", "")
