#!/usr/bin/env python3
"""How much memory a job takes, and whether that grows with the number of documents or the size of one.

    OPENBLAS_NUM_THREADS=1 python benchmarks/job_memory.py           # a million records, a line of 100 MB
    OPENBLAS_NUM_THREADS=1 python benchmarks/job_memory.py --short   # 20,000 records, a line of 60 MB

Resident memory is that which Linux tells of each process. Growth is the most that a process held at any time behind
the 10,000th record (of --short: the 4,000th), less what it held there.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep

from job_corpus import article, command, environment, line_of, write_warc
from job_kill import check

# What is promised, in docs/reliability.md; in megabytes.
MOST_GROWTH = 20.0
MOST_OF_A_WORKER = 300.0
# Beside a line of 100 MB the parent holds as much of it as a document may have, and copies of that.
MOST_FOR_A_LONG_LINE = 70.0
# A record has one of so many texts, and a number, so that no two lines are the same.
TEXTS = 5000


def write_records(path: Path, count: int) -> None:
    """Short records: a few lines each."""
    draw = random.Random(3)  # noqa: S311 -- a corpus keeps no secret
    texts = [article(draw, 2) for _ in range(TEXTS)]
    with path.open("wb") as file:
        for number in range(count):
            text = f"{draw.choice(texts)}\nOn day {number} it rained.\nRead more: what {number} gulls saw"
            file.write(line_of({"id": number, "text": text}))


def resident(process: int, field: str = "VmRSS") -> float:
    """The memory that a process holds, in megabytes; ``VmHWM`` is the most it ever held."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith(field)), 0.0)


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [
            int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
        ]
    except OSError:
        return []


class Watched:
    """What the processes of a job held: at a mark, the most behind it, and the most of all."""

    def __init__(self, *arguments: object, output: Path, mark: int) -> None:
        """Run the job to its end; ``mark`` is the number of the shard behind which growth counts."""
        job = subprocess.Popen(command(*arguments, "-o", output), env=environment(), stderr=subprocess.PIPE)  # noqa: S603
        self.at_mark: dict[str, float] = {}
        self.behind: dict[str, float] = {}
        self.most: dict[str, float] = {}
        marker, marked = output / f".job/{mark:05}.json", False
        while job.poll() is None:
            held = {"parent": resident(job.pid)}
            held |= {f"worker {n}": resident(worker) for n, worker in enumerate(children(job.pid), 1)}
            self.most |= {name: max(size, self.most.get(name, 0.0)) for name, size in held.items()}
            self.most["parent"] = max(self.most["parent"], resident(job.pid, "VmHWM"))
            if not marked and marker.exists():
                marked, self.at_mark = True, held
            if marked:
                self.behind |= {name: max(size, self.behind.get(name, 0.0)) for name, size in held.items()}
            sleep(0.02)
        said = job.communicate()[1].decode()
        check(job.returncode in {0, 3}, said)

    def growth(self) -> dict[str, float]:
        """How much each process grew."""
        return {name: round(size - self.at_mark.get(name, size), 1) for name, size in self.behind.items()}


def rounded(sizes: dict[str, float]) -> dict[str, int]:
    """Sizes in whole megabytes."""
    return {name: round(size) for name, size in sizes.items()}


def main() -> int:
    """Measure, print, and say whether the bars are reached."""
    parser = argparse.ArgumentParser(description="How much memory a job takes.")
    parser.add_argument("--short", action="store_true", help="fewer records, as in CI")
    parser.add_argument("--records", type=int)
    given = parser.parse_args()
    count = given.records or (20_000 if given.short else 1_000_000)
    long = 60_000_000 if given.short else 100_000_000
    begin = monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_records(folder / "in.jsonl", count)
        shard = 2_000 if given.short else 10_000
        many = Watched(
            folder / "in.jsonl", "-j", 2, "--shard-documents", shard, output=folder / "many", mark=given.short * 1
        )
        grown = many.growth()
        with (folder / "long.jsonl").open("wb") as file:
            good = line_of({"id": 1, "text": "The ferry sails again."})
            file.write(good)
            for _ in range(long // 1_000_000):
                file.write(b"x" * 1_000_000)
            file.write(b"\n" + good)
        (folder / "short.jsonl").write_bytes(good * 2)
        base = Watched(folder / "short.jsonl", output=folder / "base", mark=0).most["parent"]
        line = Watched(folder / "long.jsonl", output=folder / "long", mark=0).most["parent"]
        (folder / "long.jsonl").unlink()
        raw = len(json.loads((folder / "long/_errors.jsonl").read_bytes())["raw"])
        check(raw == -(-long // 3) * 4, f"{raw} characters of base64 for {long} bytes")
        pages = Watched(
            write_warc(folder / "in.warc.gz", 500 if given.short else 5000), output=folder / "pages", mark=0
        )
    told = {
        "records": count,
        "at_the_mark": rounded(many.at_mark),
        "most": rounded(many.most),
        "growth": grown,
        "parent_with_a_short_line": round(base),
        "parent_with_a_long_line": round(line),
        "long_line": long // 1_000_000,
        "pages": rounded(pages.most),
        "bars": {"growth": MOST_GROWTH, "worker": MOST_OF_A_WORKER, "long_line": MOST_FOR_A_LONG_LINE},
        "seconds": round(monotonic() - begin),
    }
    print(json.dumps(told, indent=1))
    workers = [size for name, size in many.most.items() if name != "parent"]
    ok = max(grown.values()) <= MOST_GROWTH and max(workers) < MOST_OF_A_WORKER and line - base < MOST_FOR_A_LONG_LINE
    return int(not ok or not grown)


if __name__ == "__main__":
    sys.exit(main())
