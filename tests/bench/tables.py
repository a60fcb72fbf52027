"""The results as Markdown: what docs/performance.md shows, made by the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
Row = Sequence[Any]


def table(head: Sequence[str], rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| ---: " * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def ms(found: dict[str, Any] | None, *points: str) -> str:
    """`4.1 / 9.3`, in milliseconds; a dash where nothing was measured."""
    if not found or not found.get("n", 1):
        return "–"
    return " / ".join(short(found[point]) for point in points)


def short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def where(run: dict[str, Any]) -> str:
    return f"{NAMES[run['database']]}, {run['traces']:,}"


def keystrokes(runs: list[dict[str, Any]]) -> str:
    rows = []
    for run in runs:
        if not (seen := run.get("keystrokes")):
            continue
        rows.append(
            [
                where(run),
                ms(seen["with"]["there"], "p50", "p95"),
                ms(seen["with"]["painted"], "p50", "p95"),
                ms(seen["with"]["second"], "p50", "p95"),
                ms(seen["without"]["there"], "p50", "p95"),
                ms(seen["without"]["second"], "p50", "p95"),
            ]
        )
    head = [
        "database, traces",
        "prefetched: in the page",
        "first frame drawn",
        "painted",
        "not prefetched: in the page",
        "painted",
    ]
    return table([head[0], *(f"{name}, p50 / p95" for name in head[1:])], rows)


def verdicts(runs: list[dict[str, Any]]) -> str:
    rows = []
    for run in runs:
        for hands in run["hands"]:
            pace = f"a pause of {hands['pause']:g} s" if hands["pause"] else "without a pause"
            rows.append(
                [
                    where(run),
                    f"{hands['reviewers']}, {pace}",
                    ms(hands["verdict"], "p50", "p95", "p99"),
                    ms(hands["next"], "p50", "p95", "p99"),
                    hands["a_second"],
                    ms(hands["sync"], "p50", "p95"),
                    short(hands["verdict"]["p95"] - hands["sync"]["p95"]),
                ]
            )
    head = [
        "database, traces",
        "reviewers",
        "verdict, p50 / p95 / p99",
        "next, p50 / p95 / p99",
        "verdicts a second",
        "disk's own sync, p50 / p95",
        "verdict p95 beyond the sync's",
    ]
    return table(head, rows)


def server_time(runs: list[dict[str, Any]]) -> str:
    rows = []
    for run in runs:
        fresh, veteran = run["inside"]["fresh"], run["inside"]["veteran"]
        alone = run["hands"][0]
        rows.append(
            [
                where(run),
                ms(alone["server_next"], "p50", "p95", "p99"),
                ms(fresh["next"], "p50", "p95", "p99"),
                ms(fresh["cpu"], "p50", "p95"),
                ms(fresh["sql"], "p50", "p95"),
                f"{veteran['first']:,.0f}",
                ms(veteran["next"], "p50", "p95", "p99"),
                ms(veteran["sql"], "p50", "p95"),
                fresh["queries"],
            ]
        )
    head = [
        "database, traces",
        "by the server's log, p50 / p95 / p99",
        "in one process, p50 / p95 / p99",
        "of that our CPU, p50 / p95",
        "of that SQL, p50 / p95",
        "who has judged the head: first call",
        "then, p50 / p95 / p99",
        "of that SQL, p50 / p95",
        "queries",
    ]
    return table(head, rows)


def growth(runs: list[dict[str, Any]]) -> str:
    """Each size against ten thousand on the same database (or the smallest, where that was not run)."""
    rows = []
    for database in dict.fromkeys(run["database"] for run in runs):
        of = {run["traces"]: run for run in runs if run["database"] == database}
        base = of.get(10_000) or of[min(of)]
        for run in of.values():
            if run is not base:
                rows.append(
                    [
                        f"{NAMES[database]}, {run['traces']:,} against {base['traces']:,}",
                        ratio(run, base, "fresh", "next"),
                        ratio(run, base, "fresh", "sql"),
                        ratio(run, base, "veteran", "next"),
                        ratio(run, base, "fresh", "verdict"),
                    ]
                )
    head = ["ratio of the p50", "next", "its SQL", "next, who has judged the head", "verdict"]
    return table(head, rows)


def ratio(run: dict[str, Any], base: dict[str, Any], who: str, what: str) -> str:
    low = base["inside"][who][what]["p50"]
    return f"{run['inside'][who][what]['p50'] / low:.2f} ×" if low else "–"


def pages(runs: list[dict[str, Any]]) -> str:
    rows = [
        [where(run), ms(run["desk"]["fresh"], "p50", "p95"), ms(run["desk"]["veteran"], "p50", "p95")]
        for run in runs
        if "desk" in run
    ]
    head = ["database, traces", "desk's page, p50 / p95", "of who has judged a fifth of the round, p50 / p95"]
    return table(head, rows)


def reading(runs: list[dict[str, Any]]) -> str:
    rows = []
    for run in runs:
        for name, seen in run.get("opening", {}).items():
            rows.append(
                [
                    f"{NAMES[run['database']]}, {name}",
                    *(short(seen[what]) for what in ("answered", "paint", "load")),
                    ms(seen["swap"]["second"], "p50", "max"),
                    short(seen["heap"]),
                    f"{seen['nodes']:,}",
                ]
            )
    head = [
        "database, length",
        "answered",
        "first contentful paint",
        "load",
        "as the next trace, key to paint, p50 / most",
        "JavaScript heap, MiB",
        "nodes",
    ]
    return table(head, rows)


def peers(found: dict[str, Any]) -> str:
    """Our steps and each peer's, with how many times ours it takes."""
    ours = found["Winnow"]
    others = {name: steps for name, steps in found["peers"].items() if isinstance(steps, dict)}

    def line(label: str, step: str, value: str, inner: str = "", unit: str = "") -> Row:
        def of(steps: dict[str, Any]) -> Any:
            at = steps.get(step, {})
            return (at.get(inner, {}) if inner else at).get(value)

        mine, cells = of(ours), []
        for steps in others.values():
            his = of(steps)
            if his is None:
                cells.append("–")
            elif unit in ("", " a second"):
                cells.append(f"{his}{unit}")
            else:
                cells.append(f"{short(his)}{unit} ({his / mine:.1f} ×)" if mine else f"{short(his)}{unit}")
        own = (
            "–" if mine is None else f"{mine}{unit}" if unit in ("", " a second") else f"{short(mine)}{unit}"
        )
        return [label, own, *cells]

    count = f"{found['tasks']:,}"
    at = f"{found['at_once']} reviewers at once"
    rows = [
        line(f"import of {count}", "import", "seconds", unit=" s"),
        line("the same file again", "the same file again", "seconds", unit=" s"),
        line("rows after that", "the same file again", "rows"),
        line("next, p50", "next", "p50", unit=" ms"),
        line("next, p95", "next", "p95", unit=" ms"),
        line("submit, p50", "submit", "p50", unit=" ms"),
        line("submit, p95", "submit", "p95", unit=" ms"),
        line("double submit: stored", "double submit", "stored"),
        line("export of all that may leave", "export", "seconds", unit=" s"),
        line("rows exported", "export", "rows"),
        line("memory at most, export", "export", "peak_mib", unit=" MiB"),
        line("memory at most, import", "import", "peak_mib", unit=" MiB"),
        line("memory, idle", "idle", "mib", unit=" MiB"),
        line(f"{at}: verdicts", "at once", "a_second", unit=" a second"),
        line(f"{at}: next, p95", "at once", "p95", "next", " ms"),
        line(f"{at}: submit, p95", "at once", "p95", "submit", " ms"),
        line(f"{at}: tasks given to two", "at once", "given_to_two"),
        line(f"{at}: errors", "at once", "errors"),
    ]
    told = [f"{name} was not measured: {why}" for name, why in found["peers"].items() if isinstance(why, str)]
    return "\n\n".join([table(["step", "Winnow", *others], rows), *told])


def aims(runs: list[dict[str, Any]]) -> str:
    """The issue's aims beside the worst that this run measured for each."""
    rows: list[Row] = []

    def say(aim: str, limit: float, seen: list[tuple[float, str]], unit: str = " ms") -> None:
        if seen:
            worst, best = max(seen), min(seen)
            reached = sum(value < limit for value, _ in seen)
            rows.append(
                [
                    aim,
                    f"{short(best[0])}{unit} ({best[1]})",
                    f"{short(worst[0])}{unit} ({worst[1]})",
                    "yes" if reached == len(seen) else f"in {reached} of {len(seen)}",
                ]
            )

    keyed = [run for run in runs if run.get("keystrokes")]
    say(
        "key to paint with prefetch, p95 under 50 ms",
        50,
        [(run["keystrokes"]["with"]["second"]["p95"], where(run)) for run in keyed],
    )
    largest = max(run["traces"] for run in runs)
    big = [run for run in runs if run["traces"] == largest]
    for who, named in (("fresh", ""), ("veteran", ", who has judged the head")):
        say(
            f"server time of next{named}, in one process, p99 under 10 ms, {largest:,} traces",
            10,
            [(run["inside"][who]["next"]["p99"], NAMES[run["database"]]) for run in big],
        )
    for who, named in (("fresh", ""), ("veteran", ", who has judged the head")):
        grown = []
        for run in big:
            same = [it for it in runs if it["database"] == run["database"] and it["traces"] == 10_000]
            if same and largest > 10_000:
                base = same[0]["inside"][who]["next"]["p50"]
                grown.append((run["inside"][who]["next"]["p50"] / base, NAMES[run["database"]]))
        say(f"next{named}, with {largest:,} within 1.5 × of 10,000 (p50)", 1.5, grown, " ×")
    for number in (1, 8, 50):
        for paced in (False, True):
            say(
                f"verdict p95 under 20 ms beyond the sync, {number} at once"
                + (", each with pauses to read" if paced else ""),
                20,
                [
                    (hands["verdict"]["p95"] - hands["sync"]["p95"], where(run))
                    for run in runs
                    for hands in run["hands"]
                    if hands["reviewers"] == number and (hands["pause"] >= 0.1) == paced
                ],
            )
    return table(["aim", "best", "worst", "reached"], rows)


def all_of(found: dict[str, Any]) -> str:
    machine, runs = found["machine"], found["runs"]
    parts = [
        f"Measured {found['at']} on {machine['cores']} cores ({machine['processor']}, {machine['memory_gib']} GiB), "
        f"load {machine['load_before'][0]} before the run; Python {machine['python']}. Each number is of one run, not repeated. Times in ms where no unit stands.",
    ]
    if runs:
        seeded = [f"{where(run)}: {run['seconds']:.0f} s, {run['mib']:,.0f} MiB" for run in runs]
        shares = [f"{where(run)}: {run['core_before']:.0%} and {run['core_after']:.0%}" for run in runs]
        parts += [
            "Others worked on these cores meanwhile. Of one core a busy process got, in the second before and the "
            "second after each, which says little of the minutes between: "
            f"{'; '.join(shares)}.",
            "### The aims",
            aims(runs),
            "### Keystroke to the next trace painted",
            keystrokes(runs),
            "### Verdict to acknowledgement",
            verdicts(runs),
            "### Server time of `next`",
            server_time(runs),
            growth(runs),
            "### Opening the desk and long texts",
            pages(runs),
            reading(runs),
            f"Seeding took, and the database then held: {'; '.join(seeded)}.",
        ]
    if found.get("beside"):
        parts += ["### Beside Label Studio, doccano and Potato", peers(found["beside"])]
    return "\n\n".join(part for part in parts if part) + "\n"
