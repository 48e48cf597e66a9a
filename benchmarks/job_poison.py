#!/usr/bin/env python3
"""Jobs over records of which one in ten is poisoned: the good come out as if they stood alone, the rest is set aside.

    OPENBLAS_NUM_THREADS=1 python benchmarks/job_poison.py           # every position, a line of 100 MB
    OPENBLAS_NUM_THREADS=1 python benchmarks/job_poison.py --short   # one position, as in CI

Some poison makes the cleaner hang, die or raise. No text is known that does, so a ``sitecustomize`` that this program
puts in the way of the workers, and of nothing else, patches the cleaner to do so when it meets certain words.
"""

import argparse
import base64
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from job_corpus import capture_of, line_of, page, records, run_job, written
from job_kill import check

HOOK = """
import sys
if "cleaner.ingest.worker" in " ".join(sys.orig_argv):
    import os, signal
    from cleaner.pipeline import Cleaner

    def act(word):
        if word == "zzhang":
            while True:
                pass
        if word == "zzraise":
            raise RuntimeError("so it was asked")
        if word == "zzmemory":
            bytearray(8 << 30)  # more than a worker may have
            raise ValueError("memory has no end")
        if word == "zzdeep":
            act(word)
        if word == "zzsay":
            os.write(1, b"what a library says on stdout\\\\n")
        if word == "zzexit":
            os._exit(7)
        if word == "zzdie":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "zzstop":
            os.kill(os.getpid(), signal.SIGSTOP)

    def patched(name):
        real = getattr(Cleaner, name)
        def clean(self, texts, *more, **named):
            texts = list(texts) if name == "clean_batch" else texts
            for text in texts if name == "clean_batch" else [texts]:
                text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
                if "zz" in text:
                    for word in text.split():
                        if word.startswith("zz"):
                            act(word)
            return real(self, texts, *more, **named)
        setattr(Cleaner, name, clean)

    patched("clean_batch")
    patched("clean_html")
"""
STORY = "The harbour board wants to rebuild the old bridge on Tuesday.\nADVERTISEMENT"


class Poison(NamedTuple):
    """A line that is no good record: what it is, its bytes, and the beginning of the reason, if there must be one."""

    name: str
    line: bytes
    reason: str | None


def torn(limit: int, long: int) -> list[Poison]:
    """Lines that are no records; one is ``long`` and must not be held."""
    good = json.dumps({"id": "p", "text": STORY}).encode()
    raw = [
        ("torn", good[:-9], "not JSON"),
        ("two in a line", good + good, "not JSON"),
        ("no object", b'["a", "b"]', "not a JSON object"),
        ("a string", b'"text"', "not a JSON object"),
        ("a number", b"1e999", "not a JSON object"),
        ("null", b"null", "not a JSON object"),
        ("no field", b'{"id": "p", "body": "x"}', "no field"),
        ("no string", b'{"id": "p", "text": 17}', "field 'text' is not a string"),
        ("null text", b'{"id": "p", "text": null}', "field 'text' is not a string"),
        ("a list of texts", b'{"id": "p", "text": ["x"]}', "field 'text' is not a string"),
        ("not UTF-8", b'{"id": "p", "text": "caf\xe9"}', "not UTF-8"),
        ("UTF-16", good.decode().encode("utf-16"), "not"),
        ("cut in a letter", '{"id": "p", "text": "é"}'.encode()[:-3], "not UTF-8"),
        ("surrogate in UTF-8", b'{"id": "p", "text": "\xed\xa0\x80"}', "not UTF-8"),
        ("only nulls", b"\0" * 300, "not JSON"),
        ("a null inside", b'{"id": "p", "text": "a\0b"}', "not JSON"),
        ("a carriage return inside", b'{"id": "p",\r "text": 5}\r', "field 'text'"),
        (
            "nested arrays",
            b'{"id": "p", "text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "not JSON that can be read",
        ),
        ("nested objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "not JSON that can be read"),
        ("nested beside", b'{"text": "x", "b": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON that can be read"),
        ("a bad escape", b'{"id": "p", "text": "\\x41"}', "not JSON"),
        ("half an escape", b'{"id": "p", "text": "\\u00', "not JSON"),
        ("no JSON at all", b"Der Rat tagt. <html>", "not JSON"),
        ("a huge number", b'{"id": "p", "text": 1' + b"0" * 10_000 + b"}", "field 'text' is not a string"),
        ("just too long", b'{"id": "p", "text": "' + b"y" * limit + b'"}', f"longer than {limit} bytes"),
        ("far too long", b'{"id": "p", "text": "' + b"z " * (long // 2) + b'"}', f"longer than {limit} bytes"),
        ("long and torn", b"\xff\r" * limit, f"longer than {limit} bytes"),
    ]
    return [Poison(*one) for one in raw]


def hostile(scale: int) -> list[Poison]:
    """Records whose documents mean harm; whether they can be cleaned is left open."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    pages = {
        "an entity bomb": f'<!DOCTYPE html [<!ENTITY e0 "ha">{entities}]><html><body><p>&e11;</p></body></html>',
        "an outer entity": '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><p>&x;</p></html>',
        "nested tags": "<html><body>" + "<div>" * scale + STORY,
        "nested tables": "<html><body>" + "<table><tr><td>" * (scale // 10) + STORY,
        "unclosed links": "<html><body>" + '<a href="/x">x' * (scale // 10),
        "end tags": "<html><body>" + "</div></p></b>" * (scale // 10) + "<p>x</p></body></html>",
        "attributes": "<html><body " + " ".join(f"a{n}=1" for n in range(scale // 10)) + "><p>x</p></body></html>",
        "one attribute": f'<html><body class="{"c " * scale}"><p>x</p></body></html>',
        "less-than signs": "<html><body><p>" + "<" * scale + "</p></body></html>",
        "references to surrogates": "<html><body><p>&#xD800; &#xDFFF; &#0; &#x110000; &#99999999999;</p></body></html>",
        "nulls": "<html><body><p>a\0b\0c</p></body></html>",
        "plaintext": "<html><body><plaintext>" + "</plaintext><p>x" * 1000,
        "comments": "<html><body>" + "<!--" * (scale // 10) + "<p>x</p></body></html>",
        "scripts": "<html><body>" + "<script><!--<script>" * 1000 + "<p>x</p></body></html>",
        "JSON-LD": '<html><body><script type="application/ld+json">' + "[" * scale + "</script><p>x</p></body></html>",
    }
    texts = {
        "empty": "", "only breaks": "\n" * scale, "one long line": "x" * scale,
        "one long word with marks": "e\u0301" * scale,
        "marks alone": "\u0301" * scale, "many short lines": "a\n" * (scale // 10),
        "ampersands": "&amp;" * (scale // 10),
        "escaped ampersands": "&" + "amp;" * (scale // 10) + "lt;", "tags in text": "<b>" * (scale // 10) + STORY,
        "turned round": "\u202e" * 1000 + STORY, "mojibake": "Ã¤â€™" * (scale // 40), "null characters": "a\0b\n" * 100,
        "every plane": "".join(map(chr, range(0x10000, 0x10000 + 5000))),
    }  # fmt: skip
    told = [(name, json.dumps({"id": "p", "text": text}).encode()) for name, text in {**pages, **texts}.items()]
    told += [
        ("lone surrogates", b'{"id": "p", "text": "a \\ud800 b \\udc00", "k\\udfff": "\\ud83d"}'),
        ("no number", b'{"id": "p", "text": "x", "n": [NaN, Infinity, -Infinity]}'),
        ("the same field twice", b'{"id": "p", "text": 5, "text": "x"}'),
        (
            "hostile names",
            json.dumps({"id": "../../../x\0\n/" + "n" * 5000, "text": STORY, "url": "\0\r\nX: y"}).encode(),
        ),
    ]
    return [Poison(name, line, None) for name, line in told]


def breaking() -> list[Poison]:
    """Records at which the patched cleaner does what their word says; a chunk must pay for each, so there are few."""
    words = {
        "zzhang": "took longer than", "zzraise": "cleaning failed, please report this: RuntimeError",
        "zzmemory": "cleaning failed, please report this: MemoryError",
        "zzdeep": "cleaning failed, please report this: Rec",
        "zzexit": "ended the process that cleaned it (exit code 7)",
        "zzdie": "ended the process that cleaned it (signal 9)",
        "zzstop": "took longer than", "zzsay": None,
    }  # fmt: skip
    return [
        Poison(word, json.dumps({"id": "p", "text": f"{word} {STORY}"}).encode(), said) for word, said in words.items()
    ]


class Mixed(NamedTuple):
    """A file of good and poisoned lines."""

    path: Path
    good: list[dict[str, Any]]
    poison: list[tuple[int, Poison]]


def mixed(path: Path, poison: list[Poison], position: int, count: int) -> Mixed:
    """A file in which every tenth line, from a position on, is poisoned, until all poison is used at least once."""
    good, used = [], []
    fresh = records(max(count, 10 * len(poison)), seed=position, paragraphs=4)
    with path.open("wb") as file:
        for number, record in enumerate(fresh):
            if number % 10 == position % 10:
                one = poison[(number // 10) % len(poison)] if number // 10 < max(len(poison), count // 10) else None
                if one is not None:
                    used.append((number + 1, one))
                    file.write(one.line + b"\n")
                    continue
            good.append(record)
            file.write(line_of(record))
    return Mixed(path, good, used)


def lines_in(files: dict[str, bytes]) -> Iterator[bytes]:
    """The lines of all shards, in order."""
    for name in sorted(files):
        if name.startswith("part-"):
            yield from files[name].splitlines(keepends=True)


def run(source: Path, output: Path, *arguments: object, limit: int, hook: Path) -> dict[str, bytes]:
    """What a job makes of a file; it must end well."""
    shutil.rmtree(output, ignore_errors=True)
    done = run_job(source, "-o", output, "--limit-bytes", limit, *arguments, PYTHONPATH=f"{hook}:{ROOT}")
    errors = (output / "_errors.jsonl").read_bytes().count(b"\n") if (output / "_errors.jsonl").exists() else 0
    check(done.returncode == (3 if errors else 0), (done.returncode, errors, done.stderr))
    told = json.loads((output / "_summary.json").read_bytes())["tally"]["errors"]
    check(told == errors, f"{errors} errors are written, and {told} told of")
    check(
        not (output / ".job" / "spills").exists() or not any((output / ".job" / "spills").iterdir()), "spills are left"
    )
    return written(output)


ROOT = Path(__file__).resolve().parents[1]


def check_against(mix: Mixed, files: dict[str, bytes], alone: dict[int, bytes]) -> Counter[str]:
    """In is out; good lines are what they are alone, and in order; bad ones are told with their bytes."""
    out = [line for line in lines_in(files) if not line.startswith(b'{"id":"p"')]
    out = [line for line in out if b'"id":"../' not in line]
    check(
        out == [alone[record["id"]] for record in mix.good], f"{mix.path.name}: good records are not as without poison"
    )
    errors = {one["number"]: one for one in map(json.loads, files["_errors.jsonl"].splitlines())}
    cleaned = sum(1 for _ in lines_in(files))
    check(
        cleaned + len(errors) == len(mix.good) + len(mix.poison), (cleaned, len(errors), len(mix.good), len(mix.poison))
    )
    told: Counter[str] = Counter()
    for number, one in mix.poison:
        error = errors.get(number)
        told["set aside" if error else "cleaned"] += 1
        if one.reason is None:
            check(error is None or one.name != "zzsay", (one.name, error and error["reason"]))
        else:
            check(error is not None and error["reason"].startswith(one.reason), (one.name, error and error["reason"]))
        if error is not None:
            raw = base64.b64decode(error["raw"])
            wanted = one.line.removesuffix(b"\r")
            check(
                raw == wanted, f"{one.name}: the bytes are not those that came: {raw[:80]!r} {len(raw)} {len(wanted)}"
            )
    return told


def main() -> int:
    """Poison, clean and compare."""
    parser = argparse.ArgumentParser(description="Jobs over poisoned records.")
    parser.add_argument("--short", action="store_true", help="one position and less poison, as in CI")
    given = parser.parse_args()
    begin = monotonic()
    limit, long = (1_000_000, 25_000_000) if given.short else (5_000_000, 100_000_000)
    scale = 50_000 if given.short else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hook = folder / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK.replace("\\\\n", "\\n"), encoding="utf-8")
        plain = folder / "plain"
        plain.mkdir()
        kinds = {"torn": torn(limit, long), "hostile": hostile(scale), "breaking": breaking()}
        for kind, poison in kinds.items():
            for position in range(1 if given.short else 10):
                mix = mixed(folder / f"{kind}-{position}.jsonl", poison, position, 100)
                with (folder / "good.jsonl").open("wb") as file:
                    file.writelines(map(line_of, mix.good))

                def job(output: str, *more: object, source: Path = mix.path, where: Path = hook) -> dict[str, bytes]:
                    return run(source, folder / output, *more, limit=limit, hook=where)

                seconds = ["--timeout", 1 if kind == "breaking" else 60]
                unpoisoned = job("good", source=folder / "good.jsonl", where=plain)
                alone = dict(zip((record["id"] for record in mix.good), lines_in(unpoisoned), strict=True))
                files = job("out", *seconds, "-j", 2)
                told = check_against(mix, files, alone)
                if position == 0:
                    # One worker; small shards, and so other chunks; and without order: the same.
                    one = job("one", *seconds, "-j", 1)
                    check(one == files, f"{kind}: one worker writes something else than two")
                    cut = job("cut", *seconds, "-j", 2, "--shard-documents", 97)
                    check(list(lines_in(cut)) == list(lines_in(files)), f"{kind}: other chunks give something else")
                    check(cut["_errors.jsonl"] == files["_errors.jsonl"], f"{kind}: other chunks give other errors")
                    free = job("free", *seconds, "-j", 2, "--unordered")
                    check(
                        sorted(lines_in(free)) == sorted(lines_in(files)), f"{kind}: without order it is something else"
                    )
                    check(
                        sorted(free["_errors.jsonl"].splitlines()) == sorted(files["_errors.jsonl"].splitlines()),
                        f"{kind}: without order there are other errors",
                    )
                print(f"{kind}, from line {position}: {len(mix.good)} good, {dict(told)}", flush=True)
        check_captures(folder, hook, limit)
    print(f"in = out + errors, good records as without poison; {monotonic() - begin:.0f} s")
    return 0


def check_captures(folder: Path, hook: Path, limit: int) -> None:
    """The same of pages in a WARC file: every tenth makes the worker hang, die or raise, or is too long."""
    import random

    draw = random.Random(5)  # noqa: S311 -- a corpus keeps no secret
    source, poisoned, words = folder / "in.warc", set(), ["zzdie", "zzraise", "long", "zzhang"]
    with source.open("wb") as file:
        for number in range(80):
            html = page(draw, 4)
            if number % 10 == 3:  # noqa: PLR2004
                word = words[number // 10 % len(words)]
                poisoned.add(number)
                html = html.replace("<article>", f"<article>{'x' * limit if word == 'long' else f'<p> {word} </p>'}")
            file.write(capture_of(number, html.encode()))
    files = run(source, folder / "warc", "-j", 2, "--timeout", 1, limit=limit, hook=hook)
    ids = [int(json.loads(line)["id"].split(":")[2].split("-")[0]) for line in lines_in(files)]
    check(ids == [number for number in range(80) if number not in poisoned], "captures are not as without poison")
    check(files["_errors.jsonl"].count(b"\n") == len(poisoned), "captures are missing among the errors")
    print(f"captures: {len(ids)} good, {len(poisoned)} set aside", flush=True)


if __name__ == "__main__":
    sys.exit(main())
