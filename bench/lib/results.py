"""Writes the page and the table of a run."""

import csv
import sys
from dataclasses import asdict, fields

from bench.lib import machine


def write(name, text, rows, digits=5):
    """To bench/results: the page as NAME.md, and the rows, all of one dataclass, as NAME.csv with so many digits behind the point."""
    folder = machine.ROOT / "bench/results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    with open(folder / f"{name}.csv", "w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(rows[0])] if rows else [], lineterminator="\n")
        table.writeheader()
        table.writerows({key: round(value, digits) if isinstance(value, float) else value for key, value in asdict(row).items()} for row in rows)
    print(f"Written to bench/results/{name}.md and .csv", file=sys.stderr)
