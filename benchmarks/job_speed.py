#!/usr/bin/env python3
"""How fast a job is, against the bare library on the same documents in memory, and with two workers against one.

    OPENBLAS_NUM_THREADS=1 python benchmarks/job_speed.py           # 30,000 documents, three rounds
    OPENBLAS_NUM_THREADS=1 python benchmarks/job_speed.py --short   # what CI runs

Each round times, one after the other, what is compared, and the best round counts: what else the machine does only
ever makes things slower. The time of a job is that of the whole process, from its start to its end; what starting
costs is told by a job of a single document. The processor time of all its processes is told as well, less that of a
start: it hardly depends on what else the machine does, so ``--short``, which runs where others run, judges by it alone.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from job_corpus import environment, run_job, write_jsonl
from job_kill import check

# The aim by the clock (docs/reliability.md says what was reached), and what --short lets pass, by processor time.
MOST_OVER_BARE = 1.25
LEAST_BY_TWO = 1.7
MOST_PROCESSOR = 2.0

# Documents of 5 kB and 36 lines. Those of the public corpora are longer: in the median 9.5 kB and 52 lines.
PARAGRAPHS = 30

BARE = """
import json, sys, time
from cleaner import Cleaner
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
cleaner = Cleaner.load()
cleaner.clean_batch(texts[:64])
start, begun = time.perf_counter(), time.process_time()
for begin in range(0, len(texts), 256):
    cleaner.clean_batch(texts[begin : begin + 256])
print(time.perf_counter() - start, time.process_time() - begun)
"""
COPY = """
import msgspec, sys, time
start, begun = time.perf_counter(), time.process_time()
with open(sys.argv[1], "rb") as lines, open(sys.argv[2], "wb") as out:
    for line in lines:
        out.write(msgspec.json.encode(msgspec.json.decode(line)) + b"\\n")
print(time.perf_counter() - start, time.process_time() - begun)
"""


class Took(NamedTuple):
    """Seconds by the clock, and of processors."""

    clock: float
    processor: float

    def best(self, other: "Took") -> "Took":
        """The lower of both."""
        return Took(min(self.clock, other.clock), min(self.processor, other.processor))


def timed(code: str, *arguments: object) -> Took:
    """The seconds that some code says it took, in an interpreter of its own."""
    done = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", code, *map(str, arguments)], env=environment(), capture_output=True, check=True
    )
    return Took(*map(float, done.stdout.split()))


def timed_job(source: Path, output: Path, workers: int) -> Took:
    """The seconds of a whole job, with those of its workers."""
    start, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_job(source, "-o", output, "-j", workers)
    seconds, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    check(done.returncode == 0, done.stderr)
    shutil.rmtree(output)
    return Took(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> int:
    """Measure, print, and say whether the bars are reached."""
    parser = argparse.ArgumentParser(description="How fast a job is.")
    parser.add_argument("--short", action="store_true", help="fewer documents, as in CI")
    parser.add_argument("--documents", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--paragraphs", type=int, default=PARAGRAPHS, help="about so many a document")
    given = parser.parse_args()
    count = given.documents or (6_000 if given.short else 100_000)
    with tempfile.TemporaryDirectory() as folder:
        source, one, output = Path(folder, "in.jsonl"), Path(folder, "one.jsonl"), Path(folder, "out")
        write_jsonl(source, count, paragraphs=given.paragraphs)
        write_jsonl(one, 1)
        best: dict[str, Took] = {}
        for _ in range(given.rounds or (2 if given.short else 3)):
            took = {
                "bare": timed(BARE, source),
                "start": timed_job(one, output, 1),
                "one": timed_job(source, output, 1),
                "two": timed_job(source, output, 2),
                "copy": timed(COPY, source, Path(folder, "copy.jsonl")),
            }
            best = {name: took[name].best(best.get(name, took[name])) for name in took}
        size = source.stat().st_size
    bare, start = best["bare"], best["start"]
    over, by_two = best["one"].clock / bare.clock, best["one"].clock / best["two"].clock
    processor = (best["one"].processor - start.processor) / bare.processor
    told = {
        "documents": count,
        "megabytes": round(size / 1e6, 1),
        "seconds": {name: round(seconds.clock, 2) for name, seconds in best.items()},
        "processor_seconds": {name: round(seconds.processor, 2) for name, seconds in best.items()},
        "documents_a_second": {name: round(count / best[name].clock) for name in ("bare", "one", "two", "copy")},
        "over_bare": round(over, 3),
        "by_two_workers": round(by_two, 3),
        "processor_over_bare": round(processor, 3),
        "load": [round(load, 1) for load in os.getloadavg()],
    }
    print(json.dumps(told, indent=1))
    if given.short:
        return int(processor > MOST_PROCESSOR)
    two_cores = len(os.sched_getaffinity(0)) > 1
    return int(over > MOST_OVER_BARE or (two_cores and by_two < LEAST_BY_TWO))


if __name__ == "__main__":
    sys.exit(main())
