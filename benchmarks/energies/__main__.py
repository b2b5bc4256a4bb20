"""Try every energy and print what came of it, as a table in Markdown."""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
import textwrap
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from benchmarks.energies import analytic, graphs, images, packages, reasoning, tokens  # noqa: F401  # they fill the list
from benchmarks.energies.catalogue import ENTRIES, Entry
from benchmarks.energies.checkout import Checkout

from groundstate_export import ExportError, ExportReport, export


@dataclass(frozen=True)
class Outcome:
    """What came of an entry: ``matched``, ``refused`` by the exporter, or ``not run``, because PyTorch alone does not run it."""

    entry: Entry
    status: str
    detail: str
    seconds: float


def attempt(entry: Entry, folder: Path, unroll: int) -> Outcome:
    """Build, run in PyTorch, export."""
    begin = time.perf_counter()
    status, detail = "not run", ""
    name = entry.source.split("/")[-1]
    with Checkout(folder / name) as checkout, tempfile.TemporaryDirectory() as scratch, _quiet():
        torch.manual_seed(0)
        try:
            example = entry.build(checkout)
            example.energy(example.state, **example.inputs)
            status = "refused"
            report = export(
                example.energy, inputs=example.inputs, state=example.state, rule=example.rule, unroll=unroll,
                path=Path(scratch) / "energy.onnx", batches=example.batches, seeds=(0, 1),
            )  # fmt: skip
            status, detail = "matched", _matched(report)
        except ExportError as error:
            detail = str(error)
        except Exception as error:  # noqa: BLE001  # whatever other people's code raises is the answer
            status = "not run" if status == "not run" else "failed"
            detail = f"{type(error).__name__}: {error}"
    return Outcome(entry, status, " ".join(detail.split()), time.perf_counter() - begin)


def _matched(report: ExportReport) -> str:
    judged = f", against float64 (float32 PyTorch {max(report.judged.values()):.1e})" if report.judged else ""
    return f"{report.worst:.1e}{judged}; {report.nodes} nodes, {report.bytes / 1000:,.0f} kB"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def row(outcome: Outcome) -> str:
    """A row of the table."""
    entry = outcome.entry
    source = f"{entry.source} @{entry.commit}" if entry.commit else entry.source
    note = f" ({entry.note})" if entry.note else ""
    detail = textwrap.shorten(outcome.detail.replace("|", "/"), 220, placeholder=" …")
    return f"| {entry.number} | {entry.name}{note} | {source} | {outcome.status} | {detail} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.energies", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder that holds the checkouts")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the list; all by default")
    parser.add_argument("--unroll", type=int, default=4, help="steps in a segment")
    options = parser.parse_args()
    print("| # | energy | source | outcome | worst relative error, or why not |\n|---|---|---|---|---|")
    outcomes = []
    for entry in sorted(ENTRIES, key=lambda e: e.number):
        if not options.only or entry.number in options.only:
            outcomes.append(attempt(entry, options.folder, options.unroll))
            print(row(outcomes[-1]), flush=True)
    rows = {o.entry.number for o in outcomes}
    matched = {o.entry.number for o in outcomes if o.status == "matched"}
    whole = rows - {o.entry.number for o in outcomes if o.status != "matched"}
    print(f"\nOf {len(rows)} numbers, {len(whole)} matched in full and {len(matched - whole)} in part.")


if __name__ == "__main__":
    main()
