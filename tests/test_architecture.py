"""The house: imports go down only, and what stands in lists stands in the docs."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_go_down_only():
    found = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


def test_no_file_has_grown_past_what_can_be_read_from_top_to_bottom():
    long = {
        path.relative_to(ROOT): lines
        for folder in ("annotator", "reviews")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 450
    }
    assert not long
