"""Run the proofs on this machine and write what they found into README.md.

    python -m benchmarks [--quick|--long] [--only NAME ...] [--list] [--readme PATH]

A proof that fails or cannot be run here does not stop the others. To add one, see proof.py, and name it in PROOFS.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path
from typing import cast

from benchmarks.machine import busy_with, machine
from benchmarks.proof import CannotProve, Effort, Proof, ProofModule, Row, Verdict, add_efforts
from benchmarks.readme import write_part

PROOFS = [
    "observer",
    "overhead",
    "tail",
    "wait_read",
    "company",
    "control",
    "stress_fidelity",
    "frame_cost",
    "view_cost",
    "key_latency",
    "monitors",
    "start_up",
    "histogram",
    "memory",
    "same_twice",
    "claims",
    "coverage",
    "planner",
    "false_claims",
]

README = Path(__file__).with_name("README.md")


def module_of(name: str) -> ProofModule:
    return cast(ProofModule, importlib.import_module(f"benchmarks.{name}"))


def proven(name: str, effort: Effort) -> Proof:
    """The proof's result, whatever happens to it."""
    claim = ""
    try:
        module = module_of(name)
        claim = module.CLAIM
        return module.prove(module.PLANS[effort])
    except CannotProve as error:
        return Proof(name, claim, "", [Row("all", "", "", Verdict.SKIPPED, str(error))])
    except Exception as error:
        traceback.print_exc()
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200].replace("|", "\\|")
        return Proof(name, claim, "", [Row("all", "", "", Verdict.FAILED, text)])


def stamp(effort: Effort, busy: str) -> str:
    """When and where, for the head of a table."""
    when = time.strftime("%Y-%m-%d")
    return f"{when}, {effort}, {machine()}" + (f"; **not alone on the machine: {busy}**" if busy else "")


def main() -> int:
    """Run them; 1 if one failed (a missed aim is a result), 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    add_efforts(parser)
    parser.add_argument("--only", nargs="+", choices=PROOFS, metavar="NAME", help="these alone")
    parser.add_argument("--list", action="store_true", help="what each shows, and its aim")
    parser.add_argument("--readme", type=Path, default=README, help="where the tables are written")
    options = parser.parse_args()
    names = options.only or PROOFS
    if options.list:
        for name in names:
            module = module_of(name)
            print(f"{name}\n    {module.CLAIM}\n    Aim: {module.AIM}")
        return 0

    began_s = time.monotonic()
    failed, summary = False, []
    print(f"{machine()}; {options.effort}")
    for name in names:
        # Before each: a cron job may come in the middle.
        busy = busy_with()
        if busy:
            print(f"Warning: something else uses the CPU ({busy}): these numbers cannot be trusted.", file=sys.stderr)
        proof_began_s = time.monotonic()
        try:
            proof = proven(name, options.effort)
        except KeyboardInterrupt:
            print(f"\nInterrupted in {name}; what was done before is written.", file=sys.stderr)
            return 130
        took_s = time.monotonic() - proof_began_s
        print(f"\n## {name} ({took_s:.0f} s)\n\n{proof.claim}\n{proof.how}\n\n{proof.table()}", flush=True)
        write_part(options.readme, proof, stamp(options.effort, busy))
        verdicts = [row.verdict for row in proof.rows]
        failed |= Verdict.FAILED in verdicts
        counts = {str(v).strip("*"): verdicts.count(v) for v in Verdict if v != Verdict.SHOWN and v in verdicts}
        summary.append(f"{name}: " + (", ".join(f"{many} {verdict}" for verdict, many in counts.items()) or "shown"))
    print(f"\n{(time.monotonic() - began_s) / 60:.1f} minutes, written to {options.readme}", *summary, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
