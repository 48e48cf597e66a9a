#!/usr/bin/env python3
"""Kills jobs at random moments, resumes them, and compares what they wrote with what an unbroken job writes.

    OPENBLAS_NUM_THREADS=1 python benchmarks/job_kill.py           # 100 kills
    OPENBLAS_NUM_THREADS=1 python benchmarks/job_kill.py --short   # 6 kills, as in CI

The parent alone, one worker alone, and all processes of the job are killed in turn, with SIGKILL; half of the moments
are drawn from the whole life of the job, the other half stands where a shard has just begun to come to its place.
Then SIGTERM and SIGINT, two jobs on one output, and changes that must not be resumed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from job_corpus import command, environment, ids_of, line_of, records, run_job, write_jsonl, write_warc, written

from cleaner.ingest.places import STATE

# Every process of a job carries this, so that those that are left can be found.
TAG = "CLEAN_JOB_KILL"
INTERRUPTED = 130
FORMS = (
    ["-t", "jsonl"],
    ["-t", "parquet", "--tell", "kinds,quality"],
    ["-t", "jsonl", "--compress", "zst"],
    ["-t", "text"],
)
# A job that is not killed ends within these seconds, on a busy machine too.
PATIENCE = 300.0


def check(holds: bool, what: object) -> None:
    """Assert something, also under ``python -O``."""
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def tagged(tag: str) -> list[int]:
    """The processes that carry a tag."""
    found = []
    wanted = f"{TAG}={tag}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                if status[0] != "Z":
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def gone(tag: str, within: float = 10.0) -> bool:
    """Whether no process of a job is left."""
    until = monotonic() + within
    while tagged(tag):
        if monotonic() > until:
            return False
        sleep(0.02)
    return True


class Killing:
    """Jobs over one corpus that are killed again and again."""

    def __init__(self, folder: Path, seed: int, scale: int) -> None:
        """Write the corpus: JSON Lines with bad and with overlong records, and captures."""
        self.folder = folder
        self.counts = 300 * scale, 120 * scale, 30 * scale
        lines, packed, captures = self.counts
        self.draw = random.Random(seed)  # noqa: S311 -- moments need not be secret
        self.inputs = [folder / "a.jsonl", folder / "b.jsonl.gz", folder / "c.warc.gz"]
        with self.inputs[0].open("wb") as file:
            for record in records(lines, seed):
                file.write(b'{"torn": \n' if record["id"] % 97 == 5 else line_of(record))  # noqa: PLR2004
                if record["id"] % 300 == 299:  # noqa: PLR2004
                    file.write(line_of({"id": -1, "text": "x" * 300_000}))
        plain = write_jsonl(folder / "b.jsonl", packed, seed + 1)
        subprocess.run(["gzip", "-f", plain], check=True)  # noqa: S603, S607
        write_warc(self.inputs[2], captures, seed + 2)
        self.kills: Counter[str] = Counter()
        self.jobs = 0

    def arguments(self, form: list[str], output: Path) -> list[object]:
        """The job, but for --resume."""
        limits = ["--limit-bytes", "200KB", "--shard-documents", 300, "-j", 2]
        return [*self.inputs, *form, *limits, "-o", output, "--progress", "never"]

    def unbroken(self, form: list[str]) -> tuple[dict[str, bytes], float]:
        """What a job writes that nobody kills, and how long that takes."""
        output = self.folder / "unbroken"
        shutil.rmtree(output, ignore_errors=True)
        start = monotonic()
        done = run_job(*self.arguments(form, output))
        check(done.returncode == 3, done.stderr)  # noqa: PLR2004 -- there are bad records
        return written(output), monotonic() - start

    def broken(self, form: list[str], lasts: float, most: int) -> tuple[dict[str, bytes], Path]:
        """What a job writes that is killed, some times, and resumed."""
        output, kills = self.folder / "broken", 0
        shutil.rmtree(output, ignore_errors=True)
        whom = list(KILLS)
        while True:
            tag = f"{os.getpid()}-{self.jobs}"
            self.jobs += 1
            started = (output / STATE / "job.json").exists()
            arguments = [*self.arguments(form, output), *(["--resume"] if started else [])]
            job = subprocess.Popen(  # noqa: S603 -- our own command
                command(*arguments), env=environment(**{TAG: tag}), stderr=subprocess.PIPE, start_new_session=True
            )
            if kills < most:
                self._wait_for_a_moment(job, output, lasts)
                name = whom[sum(self.kills.values()) % len(whom)]
                if job.poll() is None and KILLS[name](self, job, tag):
                    self.kills[name] += 1
                    kills += 1
            _, said = job.communicate(timeout=PATIENCE)
            check(gone(tag), f"processes outlive their job: {tagged(tag)}")
            if job.returncode == 3:  # noqa: PLR2004 -- there are bad records
                return written(output), output
            check(job.returncode == -signal.SIGKILL, said.decode())

    def _wait_for_a_moment(self, job: "subprocess.Popen[bytes]", output: Path, lasts: float) -> None:
        if self.draw.random() < 0.5:  # noqa: PLR2004 -- half of them
            sleep(self.draw.random() * lasts)
            return
        # Until one more file stands in the state, and a little longer.
        state, until = output / STATE, monotonic() + lasts
        before = len(list(state.iterdir())) if state.exists() else 0
        steps = self.draw.randint(1, 12)
        while job.poll() is None and monotonic() < until and steps:
            now = len(list(state.iterdir())) if state.exists() else 0
            steps -= now != before
            before = now
        sleep(self.draw.random() * 0.002)

    def kill_parent(self, job: "subprocess.Popen[bytes]", _: str) -> bool:
        """The parent alone; its workers must not live on."""
        job.kill()
        return True

    def kill_worker(self, job: "subprocess.Popen[bytes]", tag: str) -> bool:
        """One worker alone; the job must go on."""
        workers = [one for one in tagged(tag) if one != job.pid]
        if not workers:
            return False
        os.kill(self.draw.choice(workers), signal.SIGKILL)
        return True

    def kill_all(self, job: "subprocess.Popen[bytes]", tag: str) -> bool:
        """The group of the parent, and every worker."""
        workers = [one for one in tagged(tag) if one != job.pid]
        os.killpg(job.pid, signal.SIGKILL)
        for one in workers:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return True


KILLS: dict[str, Callable[[Killing, "subprocess.Popen[bytes]", str], bool]] = {
    "parent": Killing.kill_parent,
    "worker": Killing.kill_worker,
    "all": Killing.kill_all,
}


def check_left(killing: Killing, output: Path) -> None:
    """Nothing unfinished is left, and nothing was lost or doubled."""
    left = [path.name for path in (output / STATE).rglob("*") if path.name.endswith(".tmp")]
    check(not left and not any((output / STATE / "spills").iterdir()), f"left over: {left}")
    tally = json.loads((output / "_summary.json").read_text(encoding="utf-8"))["tally"]
    errors = (output / "_errors.jsonl").read_bytes().count(b"\n")
    # Behind every 300th record stands one that is too long.
    wanted = sum(killing.counts) + killing.counts[0] // 300
    check(tally["documents"] + tally["errors"] == wanted, (tally["documents"], tally["errors"], wanted))
    check(errors == tally["errors"], f"{errors} errors in the file, {tally['errors']} counted")


def check_ids(killing: Killing, output: Path) -> None:
    """Every id once."""
    lines, packed, captures = killing.counts
    # Those of both files of JSON Lines begin at 0.
    good = [n for n in range(lines) if n % 97 != 5]  # noqa: PLR2004
    urns = (f"urn:uuid:{n:08d}-0000-4000-8000-000000000000" for n in range(captures))
    wanted, often = Counter(map(str, [*good, *range(packed), *urns])), Counter(map(str, ids_of(output)))
    check(often == wanted, f"ids: {often - wanted} too many, {wanted - often} too few")


def check_signals(killing: Killing) -> None:
    """SIGTERM and Ctrl-C end a job with 130, and leave one that can be resumed."""
    form = FORMS[0]
    whole, lasts = killing.unbroken(form)
    for number in (signal.SIGTERM, signal.SIGINT):
        output = killing.folder / "stopped"
        shutil.rmtree(output, ignore_errors=True)
        tag = f"{os.getpid()}-{number}"
        job = subprocess.Popen(  # noqa: S603 -- our own command
            command(*killing.arguments(form, output)), env=environment(**{TAG: tag}), stderr=subprocess.PIPE
        )
        until = monotonic() + PATIENCE
        while not (output / STATE / "00000.json").exists() and monotonic() < until:
            sleep(0.005)
        job.send_signal(number)
        _, said = job.communicate(timeout=PATIENCE)
        check(job.returncode == INTERRUPTED and b"--resume" in said, (job.returncode, said))
        check(gone(tag), "processes outlive their job")
        done = run_job(*killing.arguments(form, output), "--resume")
        check(done.returncode == 3 and written(output) == whole, done.stderr)  # noqa: PLR2004
    print(f"SIGTERM and SIGINT: exit code {INTERRUPTED}, resumed to the same bytes ({lasts:.1f} s a job)")


def check_refusals(killing: Killing) -> None:
    """Two jobs on one output refuse each other; and what has changed is not resumed."""
    form, output = FORMS[0], killing.folder / "shared"
    first = subprocess.Popen(command(*killing.arguments(form, output)), env=environment(), stderr=subprocess.DEVNULL)  # noqa: S603
    until = monotonic() + PATIENCE
    while not (output / STATE / "job.json").exists() and monotonic() < until:
        sleep(0.005)
    second = run_job(*killing.arguments(form, output), "--resume")
    check(second.returncode == 6 and "another job" in second.stderr, (second.returncode, second.stderr))  # noqa: PLR2004
    first.kill()
    first.wait()
    refused = {
        "no --resume": run_job(*killing.arguments(form, output)),
        "options": run_job(*killing.arguments(form, output), "--resume", "--keep", "caption"),
        "request": run_job(*killing.arguments(form, output), "--resume", "--tell", "kinds"),
        "target": run_job(*killing.arguments(FORMS[1], output), "--resume"),
    }
    bundle = killing.folder / "other-1"
    shutil.copytree(Path(__file__).parents[1] / "models/news-1", bundle)
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    (bundle / "manifest.json").write_text(json.dumps(manifest | {"note": "another"}), encoding="utf-8")
    refused["model"] = run_job(*killing.arguments(form, output), "--resume", "--model", bundle)
    with killing.inputs[0].open("ab") as file:
        file.write(b"\n")
    refused["inputs"] = run_job(*killing.arguments(form, output), "--resume")
    for name, done in refused.items():
        check(done.returncode == 2 and "resume" in done.stderr, (name, done.returncode, done.stderr))  # noqa: PLR2004
    print(f"refused: two at once; to resume with another {', '.join(list(refused)[1:])}; to begin where a job was")


def main() -> int:
    """Kill, resume and compare."""
    parser = argparse.ArgumentParser(description="Kills jobs and resumes them.")
    parser.add_argument("--short", action="store_true", help="a few kills, as in CI")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    kills, begin = given.kills or (6 if given.short else 100), monotonic()
    forms = FORMS[: 2 if given.short else None]
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(Path(folder), given.seed, 2 if given.short else 5)
        whole = [killing.unbroken(form) for form in forms]
        turn = 0
        while (so_far := sum(killing.kills.values())) < kills:
            form, (wanted, lasts) = forms[turn % len(forms)], whole[turn % len(forms)]
            got, output = killing.broken(form, lasts, min(5, kills - so_far))
            differ = [name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name)]
            check(not differ, f"not as without being killed: {form}: {differ}")
            check_left(killing, output)
            if form == FORMS[0]:
                check_ids(killing, output)
            turn += 1
        print(f"{kills} kills ({dict(killing.kills)}) in {turn} jobs: nothing lost, nothing doubled, same bytes")
        check_signals(killing)
        check_refusals(killing)
    print(f"{monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
