# ruff: noqa: INP001 -- a module beside its scripts, in no package
"""Documents for the benchmarks of jobs: drawn from a seed, in words of our own, and no text of anybody else.

What they say means nothing. They have the shape of news: paragraphs of some sentences, and boilerplate between them.
"""

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

WHO = (
    "the harbour board", "the mayor", "a retired pilot", "the island council", "her neighbour", "the school",
    "an engineer", "the new owner of the mill", "Lenka Orsova", "the minister for roads",
    "a group of parents", "the choir", "Tomasz Ruhl", "the night watch", "the head of the museum",
    "every second household", "the ferry company", "a judge", "the coach",
)  # fmt: skip
DOES = (
    "wants to rebuild", "has sold", "will close", "found money for", "voted against", "cannot explain",
    "paid twice for", "lost", "opened", "is still waiting for", "asked again about", "had promised",
    "measured", "forgot", "defended", "painted over", "moved", "counted", "will not pay for",
    "has reached an agreement over",
)  # fmt: skip
WHAT = (
    "the old bridge", "a third ferry", "the lower pasture", "four empty classrooms", "the winter timetable",
    "the lighthouse", "a loan of {n} crowns", "the water tower", "{n} street lamps",
    "the road to the quarry", "the summer stage", "the tram line", "a report of {n} pages",
    "the lock at the canal", "the archive", "two barns", "the café on the pier", "the forest path",
)  # fmt: skip
WHEN = (
    "on Tuesday", "after nine years", "in March", "before the first frost", "without a word",
    "for the second time", "at noon", "when the floods had gone", "in the year {n}", "by a narrow majority",
    "to the surprise of many", "over the weekend",
)  # fmt: skip
BOILERPLATE = (
    "ADVERTISEMENT", "Advertisement", "Read more: {s}", "Share this article on Facebook",
    "© {n} The Island Letter. All rights reserved.", "Sign up for our newsletter and never miss a story",
    "Follow us on Twitter", "Home | News | Sport | Weather", "Photo: {s}",
    "Support independent journalism: donate today", "Subscribe now for {n} cents a week", "Related articles",
    "This website uses cookies.", "Comments ({n})", "By Lenka Orsova", "Published on {n} March",
    "Print this page",
)  # fmt: skip


def sentence(draw: random.Random) -> str:
    """One sentence."""
    said = " ".join(map(draw.choice, (WHO, DOES, WHAT, WHEN))).format(n=draw.randint(2, 2000))
    return said[0].upper() + said[1:] + "."


def article(draw: random.Random, paragraphs: int) -> str:
    """A text of about so many paragraphs, with boilerplate between some."""
    lines = []
    for _ in range(draw.randint(max(1, paragraphs // 2), paragraphs * 3 // 2)):
        lines.append(" ".join(sentence(draw) for _ in range(draw.randint(1, 4))))
        if draw.random() < 0.2:  # noqa: PLR2004 -- as many as extractors leave
            lines.append(draw.choice(BOILERPLATE).format(s=sentence(draw), n=draw.randint(2, 99)))
    return "\n".join(lines)


def page(draw: random.Random, paragraphs: int) -> str:
    """The same as a page."""
    menu = "".join(f'<li><a href="/{n}">{draw.choice(WHO)}</a></li>' for n in range(6))
    body = "".join(f"<p>{line}</p>\n" for line in article(draw, paragraphs).split("\n"))
    title = sentence(draw)
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title></head><body><nav><ul>{menu}</ul></nav>'
        f"<article><h1>{title}</h1>{body}</article><footer>© The Island Letter</footer></body></html>"
    )


def records(count: int, seed: int = 1, paragraphs: int = 12) -> Iterator[dict[str, Any]]:
    """So many records of JSON Lines."""
    draw = random.Random(seed)  # noqa: S311 -- a corpus keeps no secret
    for number in range(count):
        yield {"id": number, "url": f"https://letter.example/{number}", "text": article(draw, paragraphs)}


def line_of(record: Mapping[str, Any]) -> bytes:
    """A record as a line."""
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def write_jsonl(path: Path, count: int, seed: int = 1, paragraphs: int = 12) -> Path:
    """A file of so many records."""
    with path.open("wb") as file:
        file.writelines(map(line_of, records(count, seed, paragraphs)))
    return path


def capture_of(number: int, html: bytes) -> bytes:
    """A page as a record of a WARC file."""
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html
    headers = (
        "WARC/1.1\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:{number:08d}-0000-4000-8000-000000000000>\r\n"
        f"WARC-Date: 2024-05-{1 + number % 28:02d}T08:00:00Z\r\nWARC-Target-URI: https://letter.example/{number}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return headers.encode() + http + b"\r\n\r\n"


def write_warc(path: Path, count: int, seed: int = 1, paragraphs: int = 12) -> Path:
    """A file of so many captures, compressed record by record when its name ends in .gz."""
    draw = random.Random(seed)  # noqa: S311 -- a corpus keeps no secret
    pack = gzip.compress if path.suffix == ".gz" else bytes
    with path.open("wb") as file:
        for number in range(count):
            file.write(pack(capture_of(number, page(draw, paragraphs).encode())))
    return path


def command(*arguments: object) -> list[str]:
    """The command line of ``clean job`` with this interpreter."""
    return [sys.executable, "-m", "cleaner", "job", "--no-config", "-q", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """The environment of this process, in which the package of this checkout is found, and numpy has one thread."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", **more}


def run_job(*arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run ``clean job`` to its end; ``more`` goes to its environment."""
    return subprocess.run(  # noqa: S603 -- our own command
        command(*arguments), env=environment(**more), capture_output=True, encoding="utf-8", check=False
    )


def written(output: Path) -> dict[str, bytes]:
    """What a job has written that does not tell the time: shards and errors."""
    files = [path for path in output.rglob("*") if path.is_file() and ".job" not in path.parts]
    return {str(path.relative_to(output)): path.read_bytes() for path in files if not path.name.startswith("_summary")}


def ids_of(output: Path) -> list[Any]:
    """The ids of all records in shards of JSON Lines, in order."""
    lines = (line for path in sorted(output.glob("part-*.jsonl")) for line in path.read_bytes().splitlines())
    return [json.loads(line)["id"] for line in lines]
