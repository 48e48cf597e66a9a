"""The command as its users meet it: real processes, their output, their messages and their exit codes.

The lines are chosen so that no reasonable model can err on them; what the model is good for is measured elsewhere.
"""

import base64
import bz2
import gzip
import json
import lzma
import os
import pty
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cleaner.cli import main
from cleaner.cli.evaluate import regressions
from cleaner.cli.root import VERBS
from cleaner.cli.terminal import escape, escape_json

ROOT = Path(__file__).parent.parent
AD = "ADVERTISEMENT Advertisement"
STORY = [
    "The city council voted on Tuesday to rebuild the old harbour bridge, ending a dispute that had lasted nine years.",
    "Engineers told the meeting that two of its pillars had moved by several centimetres since the floods in spring.",
    "“We could not wait any longer,” the mayor said after the vote, which passed with the votes of both large parties.",
    "Work is expected to begin in March and to take about two years, during which a ferry will carry people across.",
]
ARTICLE = "\n".join([STORY[0], AD, *STORY[1:]]) + "\n"
CLEANED = "\n".join(STORY) + "\n"


class Result(SimpleNamespace):
    """What a process left behind."""

    code: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """The environment of this process, with the package importable from any folder and nothing that colours."""
    env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
    path = os.pathsep.join([str(ROOT), *filter(None, [env.get("PYTHONPATH")])])
    return {**env, "PYTHONPATH": path, "PYTHONUTF8": "1", **changes}


@pytest.fixture
def clean(tmp_path: Path) -> Callable[..., Result]:
    """Run the command in a folder of its own, so that no configuration file is near."""

    def run(*args: object, stdin: str | bytes = b"", **kwargs: object) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        options = {"capture_output": True, "cwd": tmp_path, "env": environment(), "timeout": 60, **kwargs}
        done = subprocess.run(command(*args), input=data, check=False, **options)  # type: ignore[call-overload]
        out, err = ((stream or b"").decode("utf-8", "backslashreplace") for stream in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return Result(code=done.returncode, out=out, err=err)

    return run


def command(*args: object) -> list[str]:
    """The command line of a process that runs `clean`."""
    return [sys.executable, "-m", "cleaner", *map(str, args)]


def record(text: str, **fields: object) -> str:
    """A record as a line of JSON."""
    return json.dumps({"id": 1, "text": text, **fields}, ensure_ascii=False) + "\n"


# The filter on text


def test_stdin_to_stdout(clean):
    assert clean(stdin=ARTICLE) == Result(code=0, out=CLEANED, err="")


def test_dash_is_stdin(clean):
    assert clean("-", stdin=ARTICLE).out == CLEANED


def test_cleaning_twice_changes_nothing(clean):
    assert clean(stdin=CLEANED).out == CLEANED


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n\n"])
def test_empty_input_is_empty_output(clean, text):
    assert clean(stdin=text) == Result(code=0, out="", err="")


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\r\n"])
def test_output_ends_in_one_newline(clean, end):
    assert clean(stdin=CLEANED.rstrip("\n") + end).out == CLEANED


def test_several_files_are_parted_by_an_empty_line(clean, tmp_path):
    (tmp_path / "a.txt").write_text(ARTICLE)
    (tmp_path / "ad.txt").write_text(AD)
    done = clean("a.txt", "ad.txt", "-", stdin=ARTICLE)
    assert (done.code, done.out) == (0, f"{CLEANED}\n{CLEANED}")
    assert "ad.txt: every line is boilerplate; nothing is left" in done.err


def test_nothing_left_is_said_unless_quiet(clean):
    assert clean(stdin=AD).err == "clean: <stdin>: every line is boilerplate; nothing is left\n"
    assert clean("-q", stdin=AD) == Result(code=0, out="", err="")


def test_undecodable_bytes_are_a_warning(clean):
    done = clean(stdin=ARTICLE.encode() + STORY[0].encode() + b" \xff\xfe\n")
    assert done.code == 0
    assert done.out.startswith(CLEANED) and "\ufffd" in done.out
    assert "not text in UTF-8" in done.err


def test_missing_file_and_directory_do_not_stop_the_others(clean, tmp_path):
    (tmp_path / "a.txt").write_text(ARTICLE)
    done = clean("missing.txt", ".", "a.txt")
    assert (done.code, done.out) == (4, CLEANED)
    assert done.err.splitlines() == [
        "clean: cannot read missing.txt: No such file or directory",
        "clean: cannot read .: Is a directory",
    ]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_no_text(clean, tmp_path, pack):
    packed = pack((json.dumps({"text": ARTICLE}) + "\n").encode())
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    for done in (
        clean("a.jsonl.gz"),
        clean("-f", "jsonl", "a.jsonl.gz"),
        clean(stdin=packed),
        clean("explain", stdin=packed),
    ):
        assert (done.code, done.out) == (4, "")
        assert "is packed with " in done.err and done.err.endswith("unpack it first, or give it to clean job\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(clean, tmp_path):
    (tmp_path / "a.txt").touch(mode=0)
    assert clean("a.txt").code == 4


def test_file_name_with_control_characters_is_escaped(clean):
    assert clean("\x1b[31m\nred").err == "clean: cannot read \\x1b[31m\\x0ared: No such file or directory\n"


def test_closed_stdin_and_stdout(clean):
    script = " ".join(command())
    assert clean(preexec_fn=lambda: os.close(1)).code == 0
    done = subprocess.run(["sh", "-c", f"{script} <&-"], capture_output=True, env=environment(), check=False)
    assert done.returncode == 4
    done = subprocess.run(
        ["sh", "-c", f"{script} >&-"], input=ARTICLE.encode(), capture_output=True, env=environment(), check=False
    )
    assert done.returncode == 6 and b"Traceback" not in done.stderr


# Verbs, help, usage


def test_a_verb_is_a_verb_only_as_the_first_word(clean, tmp_path):
    (tmp_path / "train").write_text(ARTICLE)
    assert clean("./train").out == clean("--", "train").out == clean("-q", "train").out == CLEANED
    assert clean("train").code == 2


def test_a_verb_without_what_it_needs_says_so_in_lines(clean):
    assert clean("completion").err.splitlines() == [
        "clean: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish",
        "clean: see clean completion --help",
    ]
    without = clean("model")
    assert without.code == 2 and without.err == clean("model", "--help").out


def test_two_dashes_end_the_options(clean, tmp_path):
    (tmp_path / "--check").write_text(ARTICLE)
    assert clean("--", "--check") == Result(code=0, out=CLEANED, err="")


@pytest.mark.parametrize("verb", [[], *([verb] for verb in VERBS), ["model", "info"], ["model", "verify"]])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(clean, verb, option):
    done = clean(*verb, option)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(['clean', *verb])} ")


def test_help_opens_with_examples_and_names_everything(clean):
    text = clean("--help").out
    assert text.index("clean < article.txt") < text.index("Options:")
    assert all(f"clean {verb} " in text for verb in VERBS)
    assert "Exit codes:" in text


def test_help_in_a_narrow_encoding(clean):
    done = clean("--help", env=environment(PYTHONIOENCODING="latin-1"))
    assert done.code == 0 and "KIND,\\u2026" in done.out
    assert clean("ü.txt", env=environment(PYTHONIOENCODING="latin-1")).err.startswith("clean: cannot read \\xfc.txt")


def test_version(clean):
    assert re.fullmatch(r"clean \d+\.\d+\.\d+\S*\n", clean("--version").out)


def test_help_when_stdin_is_a_terminal():
    leader, follower = pty.openpty()
    for args in [(), ("explain",)]:
        done = subprocess.run(
            command(*args), stdin=follower, capture_output=True, env=environment(), check=False, timeout=60
        )
        assert done.returncode == 0 and done.stdout.startswith(b"Usage: clean ")
    os.close(leader)
    os.close(follower)


@pytest.mark.parametrize(
    "args", [["--version"], ["--help"], ["explain", "--help"], ["train", "--help"], ["eval", "--help"]]
)
def test_help_loads_no_core(args):
    program = (
        f"import sys; from cleaner.cli import main; code = main({args!r});"
        "bad = {'numpy', 'sklearn', 'cleaner.pipeline', 'ftfy', 'tomllib'} & set(sys.modules);"
        "sys.exit(code or bad or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_command_loads_nothing():
    program = "import sys; import cleaner.cli; sys.exit({'click', 'numpy', 'cleaner.document'} & set(sys.modules) or 0)"
    subprocess.run([sys.executable, "-c", program], env=environment(), check=True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--no-such-option"], "--no-such-option"),
        (["--keep", "captoin"], "no kind is called 'captoin'"),
        (["--remove", "content"], "content cannot be removed"),
        (["--keep", "bio", "--remove", "bio"], "both to keep and to remove bio"),
        (["--threshold", "2"], "from 0 to 1"),
        (["--threshold", "high"], "KIND=NUMBER"),
        (["--threshold", "advert=nan"], "from 0 to 1"),
        (["--max-removed-share", "-1"], "from 0 to 1"),
        (["--phrases", "missing.txt"], "cannot read the phrases of missing.txt"),
        (["--json"], "--explain"),
        (["--check", "-o", "x"], "--output"),
        (["--errors", "x"], "-f jsonl"),
        (["--line-buffered"], "-f jsonl"),
        (["-f", "jsonl", "--errors", "x", "-o", "x"], "same file"),
        (["-f", "pdf"], "'pdf'"),
        (["--engine", "best"], "'best'"),
        (["a.txt", "b.jsonl"], "mixed"),
        (["--config", "missing.toml"], "missing.toml"),
        (["--config", "x.toml", "--no-config"], "exclude"),
        (["--no-config", "--config", "x.toml"], "exclude"),
        (["explain", "a.jsonl"], "-f jsonl --explain"),
        (["model"], ""),
        (["model", "sell"], "sell"),
        (["completion", "powershell"], "powershell"),
        (["eval", "x", "--model", "a", "--folds", "b"], "exclude"),
    ],
)
def test_usage_errors(clean, tmp_path, args, said):
    (tmp_path / "x.toml").touch()
    done = clean(*args, stdin=ARTICLE)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


# How to clean


def test_keep_and_remove(clean):
    assert clean("--keep", "advert,caption", "--keep", "bio", stdin=ARTICLE).out == ARTICLE


def test_threshold_is_accepted(clean):
    assert clean("--threshold", "0.9,advert=0.2", "--threshold", "bio=1", stdin=CLEANED).out == CLEANED


def test_phrases(clean, tmp_path):
    (tmp_path / "phrases.txt").write_text(f"# of our own\n\n{STORY[1]}\n  \\#{STORY[2]}\n", encoding="utf-8-sig")
    done = clean("--phrases", "phrases.txt", stdin=f"{STORY[0]}\n{STORY[1]}\n#{STORY[2]}\n{STORY[3]}\n")
    assert done.out == f"{STORY[0]}\n{STORY[3]}\n"
    (tmp_path / "phrases.txt").write_bytes(b"\xff")
    assert clean("--phrases", "phrases.txt").code == 2


def test_max_removed_share(clean):
    done = clean("--max-removed-share", "0.001", stdin=ARTICLE)
    assert (done.code, done.out) == (0, ARTICLE)
    assert "--max-removed-share" in done.err


def test_no_trims(clean):
    leaked = f"date 2023-10-13 {STORY[0]}\n{STORY[1]}\n"
    assert clean(stdin=leaked).out == f"{STORY[0]}\n{STORY[1]}\n"
    assert clean("--no-trims", stdin=leaked).out == leaked


def test_plain_quotes(clean):
    assert "“We" in clean(stdin=ARTICLE).out
    assert '"We' in clean("--plain-quotes", stdin=ARTICLE).out


# Accounts


def test_explain_goes_to_stderr(clean):
    done = clean("--explain", stdin=ARTICLE)
    assert done.out == CLEANED
    assert done.err.startswith("<stdin>: 1 of 5 lines removed, 0 trims\n")
    assert re.search(rf"^ +2  remove +advert +\d\.\d\d  \w+ +{AD}$", done.err, re.MULTILINE)
    assert "\x1b" not in done.err


def test_explain_shows_trims(clean):
    done = clean("--explain", stdin=f"date 2023-10-13 {STORY[0]}\n{STORY[1]}\n")
    assert re.search(r"^ +1  trim .*\[date 2023-10-13", done.err, re.MULTILINE)


def test_explain_as_json(clean, tmp_path):
    (tmp_path / "a.txt").write_text(ARTICLE)
    done = clean("--explain", "--json", "a.txt", "a.txt")
    accounts = [json.loads(line) for line in done.err.splitlines()]
    assert [account["name"] for account in accounts] == ["a.txt", "a.txt"]
    assert accounts[0]["text"] + "\n" == CLEANED
    assert [line["kept"] for line in accounts[0]["lines"]] == [True, False, True, True, True]


def test_explain_escapes_what_a_terminal_would_obey(clean):
    done = clean("explain", stdin=f"{STORY[0]} \x1b[2J\u202e end.\n{STORY[1]}\n")
    assert "\x1b" not in done.out and "\u202e" not in done.out
    done = clean("explain", "--json", stdin=f"{STORY[0]} \u202e\U000e0041 end.\n{STORY[1]}\n")
    assert "\u202e" not in done.out
    assert json.loads(done.out)["lines"][0]["raw"] == f"{STORY[0]} \u202e\U000e0041 end."


def test_escape():
    assert escape("a\r\nb\u2066\ud800\U000e0041 می‌خواهم 👩‍🚀") == "a\\x0d\\x0ab\\u2066\\ud800\\U000e0041 می‌خواهم 👩‍🚀"
    text = "\x7f\u202e\ufeff\U000e0041é"
    assert json.loads(escape_json(json.dumps(text, ensure_ascii=False))) == text


def test_explain_verb_shows_every_line(clean):
    done = clean("explain", stdin=ARTICLE)
    assert done.code == 0
    assert len(done.out.splitlines()) == 2 + 5
    assert all(line in done.out for line in [AD, *STORY])
    assert done.out.count("  keep ") == 4
    assert json.loads(clean("explain", "--json", stdin=ARTICLE).out)["name"] == "<stdin>"


def test_explain_verb_goes_on_after_a_missing_file(clean):
    done = clean("explain", "missing.txt", "-", stdin=ARTICLE)
    assert done.code == 4 and AD in done.out


def in_terminal(args: list[str], stream: str, **env: str) -> str:
    """What the command writes to stdout or stderr when that is a terminal."""
    leader, follower = pty.openpty()
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: follower}
    process = subprocess.Popen(command(*args), stdin=subprocess.PIPE, env=environment(**env), **streams)
    os.close(follower)
    process.stdin.write(ARTICLE.encode())
    process.stdin.close()
    output = b""
    try:
        while data := os.read(leader, 4096):
            output += data
    except OSError:  # Linux says EIO when the other end is closed
        pass
    os.close(leader)
    assert process.wait(60) in (0, 1)
    return output.decode()


@pytest.mark.parametrize(
    ("args", "stream"), [(["--explain"], "stderr"), (["explain"], "stdout"), (["--diff"], "stdout")]
)
def test_colour_only_at_a_terminal_and_never_with_no_color(clean, args, stream):
    assert "\x1b[" in in_terminal(args, stream, TERM="xterm")
    assert "\x1b[" not in in_terminal(args, stream, TERM="xterm", NO_COLOR="1")
    assert "\x1b[" not in in_terminal(args, stream, TERM="dumb")
    assert "\x1b[" not in in_terminal([*args, "--color", "never"], stream, TERM="xterm")
    done = clean(*args, "--color", "always", stdin=ARTICLE)
    assert "\x1b[" in done.out + done.err


def test_diff(clean, tmp_path):
    (tmp_path / "a.txt").write_text(ARTICLE)
    done = clean("--diff", "a.txt")
    assert done.code == 0
    assert done.out.startswith("--- a.txt\n+++ a.txt (clean)\n")
    assert f"\n-{AD}\n" in done.out
    assert clean("--diff", stdin=CLEANED).out == ""


@pytest.mark.parametrize(
    "text",
    [
        ARTICLE,
        ARTICLE.rstrip("\n"),
        ARTICLE.replace("\n", "\n\n"),
        AD,
        STORY[0],
        f"\n\n{ARTICLE}\x0c{ARTICLE}\u2028\n \n",
    ],
)
def test_diff_can_be_applied(clean, tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    expected = clean("-q", "a.txt").out
    try:
        subprocess.run(["patch", "-s", "a.txt"], input=clean("--diff", "a.txt").out.encode(), cwd=tmp_path, check=True)
    except FileNotFoundError:
        pytest.skip("patch is not installed")
    path = tmp_path / "a.txt"
    assert (path.read_text() if path.exists() else "") == expected


def test_diff_of_a_long_text_takes_no_minutes(clean):
    lines = [f"{AD} {number % 500}" if number % 3 else f"{STORY[0]} ({number})" for number in range(10_000)]
    assert clean("--diff", stdin="\n".join(lines), timeout=20).code == 0


def test_check(clean, tmp_path):
    (tmp_path / "dirty.txt").write_text(ARTICLE)
    (tmp_path / "clean.txt").write_text(CLEANED)
    assert clean("--check", "clean.txt") == Result(code=0, out="", err="")
    assert clean("--check", "clean.txt", "dirty.txt") == Result(code=1, out="", err="clean: dirty.txt: would change\n")
    done = clean("--check", "--diff", "dirty.txt")
    assert done.code == 1 and f"-{AD}" in done.out
    assert clean("--check", "dirty.txt", "missing.txt").code == 4


# Output


def test_output_file(clean, tmp_path):
    assert clean("-o", "out.txt", stdin=ARTICLE) == Result(code=0, out="", err="")
    assert (tmp_path / "out.txt").read_text() == CLEANED
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o666 & ~umask
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]
    assert clean("-o", "ü" * 120, stdin=ARTICLE).code == 0


def test_output_over_the_input(clean, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(ARTICLE)
    path.chmod(0o640)
    assert clean("a.txt", "-o", "a.txt").code == 0
    assert path.read_text() == CLEANED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_output_through_a_symbolic_link(clean, tmp_path):
    (tmp_path / "folder").mkdir()
    for target in ["real.txt", "new.txt"]:
        link = tmp_path / f"to-{target}"
        link.symlink_to(Path("folder") / target)
    (tmp_path / "folder/real.txt").write_text("old")
    for target in ["real.txt", "new.txt"]:
        assert clean("-o", f"to-{target}", stdin=ARTICLE).code == 0
        assert (tmp_path / f"to-{target}").is_symlink()
        assert (tmp_path / "folder" / target).read_text() == CLEANED


def test_output_to_what_cannot_be_replaced(clean, tmp_path):
    assert clean("-o", "/dev/stdout", stdin=ARTICLE).out == CLEANED
    assert clean("-o", "-", stdin=ARTICLE).out == CLEANED
    for path in [".", "missing/out.txt", "/dev/full"]:
        done = clean("-o", path, stdin=ARTICLE)
        assert done.code == 6 and done.err.startswith("clean: "), path
    assert not list(tmp_path.iterdir())


def test_unreadable_input_leaves_the_output_alone(clean, tmp_path):
    (tmp_path / "out.txt").write_text("old")
    assert clean("missing.txt", "-o", "out.txt").code == 4
    assert clean("-f", "jsonl", "missing.txt", "-o", "out.txt").code == 4
    assert (tmp_path / "out.txt").read_text() == "old"


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_full_disk_leaves_the_old_file(clean, tmp_path, form):
    (tmp_path / "out.txt").write_text("old")
    text = "".join(f"{line} ({number})\n" for number in range(500) for line in STORY)

    # A limit on the size of files stands for the full disk: write(2) fails in the same way.
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    stdin = text if form == "text" else record(text)
    done = clean("-f", form, "-o", "out.txt", stdin=stdin, preexec_fn=limit)
    assert done.code == 6 and done.err.startswith("clean: cannot write out.txt: ")
    assert (tmp_path / "out.txt").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "args", [[], ["-f", "jsonl"], ["--diff"], ["explain"], ["--help"], ["--version"], ["completion", "zsh"]]
)
def test_full_disk_behind_stdout(args):
    stdin = record(ARTICLE) if "jsonl" in args else ARTICLE
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*args), input=stdin.encode(), stdout=full, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert done.returncode == 6
    assert done.stderr.decode().splitlines() == ["clean: cannot write the output: No space left on device"]


@pytest.mark.parametrize("args", [[], ["-f", "jsonl"], ["--diff"], ["explain"]])
def test_reader_that_leaves(tmp_path, args):
    story = "".join(f"{line} ({{0}})\n" for line in STORY)
    lines = "".join(f"{AD}\n{story.format(number)}" for number in range(2000))
    (tmp_path / "big").write_text(record(ARTICLE) * 3000 if "jsonl" in args else lines)
    process = subprocess.Popen(
        command(*args, tmp_path / "big"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0
    process.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_interrupt_leaves_no_half_file(tmp_path, number, code):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the tests run under nohup, which the command has to respect")
    (tmp_path / "out.jsonl").write_text("old")
    process = subprocess.Popen(
        command("-f", "jsonl", "--line-buffered", "-o", "out.jsonl", "--errors", "bad.jsonl"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    process.stdin.write((record(ARTICLE) + "[]\n").encode())
    process.stdin.flush()
    assert b"not a JSON object" in process.stderr.readline()
    assert len(list(tmp_path.iterdir())) == 3, "the new files stand beside the old one"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, b"")
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert (tmp_path / "out.jsonl").read_text() == "old"


def test_interrupt_leaves_whole_records_on_stdout(tmp_path):
    (tmp_path / "in.jsonl").write_text(record(ARTICLE) * 2000)
    # Unbuffered, because `communicate` does not see what `readline` has read ahead.
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0}
    process = subprocess.Popen(command(tmp_path / "in.jsonl"), env=environment(), **pipes)
    # The process cannot be through: a pipe does not hold that much.
    lines = [process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    lines += out.splitlines(keepends=True)
    assert (process.returncode, err) == (130, b"")
    assert 1 <= len(lines) < 2000
    assert [json.loads(line)["text"] + "\n" for line in lines] == [CLEANED] * len(lines)


# Records


def test_jsonl_cleans_one_field_and_leaves_the_others(clean):
    fields = '"z": 123456789012345678901234567890, "text": %s, "a": {"b": [null, true, 1.5, "é\\u2028"]}, "_clean": 1'
    done = clean("-f", "jsonl", stdin="{" + fields % json.dumps(ARTICLE) + "}\n")
    expected = json.loads("{" + fields % json.dumps(CLEANED.rstrip("\n")) + "}")
    assert (done.code, done.err) == (0, "")
    assert done.out == json.dumps(expected, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", ["a.jsonl", "a.NDJSON"])
def test_jsonl_by_suffix(clean, tmp_path, name):
    (tmp_path / name).write_text(record(ARTICLE))
    assert json.loads(clean(name).out)["text"] + "\n" == CLEANED


def test_jsonl_keeps_order_over_batches_and_files(clean, tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(record(ARTICLE, number=number) for number in range(600)))
    (tmp_path / "b.jsonl").write_text(
        "\ufeff" + record(STORY[0], number=600) + "\r\n\n" + record("", number=601).strip()
    )
    done = clean("a.jsonl", "b.jsonl")
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [fields["number"] for fields in records] == list(range(602))
    assert {fields["text"] + "\n" for fields in records[:600]} == {CLEANED}
    assert records[601]["text"] == ""


def test_jsonl_bad_records_are_reported(clean, tmp_path):
    bad = [
        b"{",
        b"[1]",
        b'{"id": 7}',
        b'{"text": null}',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": 1' + b"0" * 9999 + b"}",
    ]
    good = record(ARTICLE).encode()
    (tmp_path / "in.jsonl").write_bytes(good + b"".join(line + b"\n" for line in bad) + good)
    done = clean("in.jsonl")
    assert done.code == 3
    assert len(done.out.splitlines()) == 2
    said = done.err.splitlines()
    assert [line.split(": ")[1] for line in said] == [f"in.jsonl:{number}" for number in range(2, 9)]
    assert "not a JSON object; record left out: [1]" in said[1]
    assert "no field 'text'" in said[2] and "not a string" in said[3] and "not UTF-8 at byte 11" in said[4]

    done = clean("-q", "in.jsonl", "--errors", "bad.jsonl", "-o", "out.jsonl")
    assert (done.code, done.err) == (3, "")
    errors = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [base64.b64decode(error["raw"]) for error in errors] == bad
    assert [(error["source"], error["line"]) for error in errors] == [("in.jsonl", number) for number in range(2, 9)]
    assert errors[1]["reason"] == "not a JSON object"
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2


def test_jsonl_fields_by_name(clean):
    line = json.dumps({"url": "u1", "body": ARTICLE}) + "\n" + json.dumps({"url": "u2", "body": AD}) + "\n"
    done = clean("-f", "jsonl", "--text-field", "body", "--id-field", "url", stdin=line)
    assert [json.loads(line)["body"] for line in done.out.splitlines()] == [CLEANED.rstrip("\n"), ""]
    assert done.err == "clean: <stdin>:2 (u2): every line is boilerplate; nothing is left\n"


def test_jsonl_explain_is_a_field(clean):
    done = clean("-f", "jsonl", "--explain", stdin=record(ARTICLE))
    account = json.loads(done.out)["_clean"]
    assert done.err == "" and "text" not in account
    assert [line["index"] for line in account["lines"] if not line["kept"]] == [1]


def test_jsonl_check_and_diff(clean):
    stdin = record(CLEANED.rstrip("\n")) + record(ARTICLE, id="b")
    assert clean("-f", "jsonl", "--check", stdin=stdin) == Result(
        code=1, out="", err="clean: <stdin>:2 (b): would change\n"
    )
    done = clean("-f", "jsonl", "--diff", stdin=record(ARTICLE, id="b"))
    assert done.out.startswith("--- <stdin>:1 (b)\n") and f"\n-{AD}\n" in done.out


def test_jsonl_survives_half_a_surrogate_pair(clean):
    done = clean("-f", "jsonl", stdin=json.dumps({"text": ARTICLE + "\ud800", "other": "\udfff"}))
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["other"] == "\udfff"


def test_jsonl_line_buffered_answers_at_once():
    process = subprocess.Popen(
        command("-f", "jsonl", "--line-buffered"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    for number in range(3):
        process.stdin.write(record(ARTICLE, number=number).encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["number"] == number
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


def test_jsonl_memory_is_bounded(tmp_path):
    """Five times the records, and hardly more memory."""
    peaks = []
    for count in (1_000, 5_000):
        (tmp_path / "in.jsonl").write_text(record(ARTICLE) * count)
        process = subprocess.Popen(command(tmp_path / "in.jsonl", "-o", tmp_path / "out"), env=environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] < peaks[0] + 20_000


# Configuration


def test_config_file_in_the_folder_or_the_repository(clean, tmp_path):
    (tmp_path / "cleaner.toml").write_text('keep = ["advert"]\n')
    assert clean(stdin=ARTICLE).out == ARTICLE
    inner = tmp_path / "inner"
    inner.mkdir()
    assert clean(stdin=ARTICLE, cwd=inner).out == CLEANED, "outside a repository only the folder itself counts"
    (tmp_path / ".git").mkdir()
    assert clean(stdin=ARTICLE, cwd=inner).out == ARTICLE
    (inner / "cleaner.toml").touch()
    assert clean(stdin=ARTICLE, cwd=inner).out == CLEANED, "the nearest file counts"


def test_config_in_pyproject(clean, tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "cleaner-of-mine"\n')
    assert clean(stdin=ARTICLE).out == CLEANED
    path.write_text('[tool.cleaner]\nkeep = ["advert"]\n')
    assert clean(stdin=ARTICLE).out == ARTICLE
    (tmp_path / "cleaner.toml").touch()
    assert clean(stdin=ARTICLE).out == CLEANED, "cleaner.toml comes first"


def test_command_line_wins(clean, tmp_path):
    (tmp_path / "cleaner.toml").write_text('keep = ["advert", "bio"]\ntrims = false\nmax-removed-share = 1\n')
    assert clean("--keep", "bio", stdin=ARTICLE).out == CLEANED
    assert clean("--remove", "advert", stdin=ARTICLE).out == CLEANED
    assert clean("--no-config", stdin=ARTICLE).out == CLEANED
    leaked = f"date 2023-10-13 {STORY[0]}\n{STORY[1]}\n"
    assert clean(stdin=leaked).out == leaked
    assert clean("--trims", stdin=leaked).out == f"{STORY[0]}\n{STORY[1]}\n"
    (tmp_path / "other.toml").write_text("plain-quotes = true")
    assert '"We' in clean("--config", "other.toml", stdin=ARTICLE).out


def test_config_takes_every_setting(clean, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/phrases.txt").write_text(STORY[1])
    (tmp_path / "etc/cleaner.toml").write_text(
        'from = "jsonl"\nkeep = []\nremove = ["headline"]\nthreshold = { advert = 0.3 }\nphrases = "phrases.txt"\n'
        "max-removed-share = 0.9\ntrims = true\nplain-quotes = true\nplain-dashes = true\n"
        'engine = "fast"\ntext-field = "body"\nid-field = "url"\ncolor = "never"\n'
    )
    done = clean("--config", "etc/cleaner.toml", stdin=json.dumps({"body": ARTICLE}))
    assert json.loads(done.out)["body"].splitlines()[0] == STORY[0]
    assert STORY[1] not in done.out, "paths are relative to the configuration file"
    (tmp_path / "cleaner.toml").write_text("threshold = 0.4")
    assert clean("explain", stdin=ARTICLE).code == 0
    (tmp_path / "cleaner.toml").write_text('model = "no-such-bundle"')
    assert clean(stdin=ARTICLE).code == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 'auto'", "no setting 'colour'"),
        ("check = true", "no setting 'check'"),
        ("keep = 'advert'", "keep must be a list of kinds"),
        ("keep = ['captoin']", "no kind is called 'captoin'"),
        ("threshold = '0.5'", "threshold must be"),
        ("threshold = 7", "from 0 to 1"),
        ("threshold = { advrt = 0.5 }", "advrt"),
        ("threshold = { advert = 'x' }", "threshold"),
        ("trims = 1", "trims must be true or false"),
        ("max-removed-share = true", "max-removed-share must be"),
        ("from = 'pdf'", "from must be one of"),
        ("engine = 'best'", "engine must be one of default, fast"),
        ("text-field = 1", "text-field must be a string"),
        ("phrases = 1", "phrases must be"),
        ("model = 1", "model must be"),
        ("keep = [", "not valid TOML"),
    ],
)
def test_config_errors_name_the_file_and_the_key(clean, tmp_path, text, said):
    (tmp_path / "cleaner.toml").write_text(text)
    done = clean(stdin=ARTICLE)
    assert (done.code, done.out) == (2, "")
    assert "cleaner.toml" in done.err and said in done.err
    (tmp_path / "cleaner.toml").rename(tmp_path / "pyproject.toml")
    (tmp_path / "pyproject.toml").write_text(f"[tool.cleaner]\n{text}")
    assert "pyproject.toml" in clean(stdin=ARTICLE).err


def test_config_option_needs_settings(clean, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert "no table [tool.cleaner]" in clean("--config", "pyproject.toml", stdin=ARTICLE).err


# Models and the other verbs


def test_missing_and_damaged_model(clean, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/manifest.json").write_text("{")
    for path in ["missing", "bundle"]:
        for args in [
            ["--model", path],
            ["explain", "--model", path],
            ["model", "info", path],
            ["model", "verify", path],
        ]:
            done = clean(*args, stdin=ARTICLE)
            assert (done.code, done.out) == (5, ""), args
            assert done.err.startswith("clean: ")


def test_model_info_and_verify(clean):
    info = clean("model", "info")
    assert (info.code, info.err) == (0, "")
    assert all(word in info.out for word in ("name", "features_version", "thresholds", "metrics"))
    assert json.loads(clean("model", "info", "--json").out)["format"]
    assert re.search(r": ok, \d+ files? match", clean("model", "verify").out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(clean, shell):
    done = clean("completion", shell)
    assert done.code == 0 and "_CLEAN_COMPLETE" in done.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("clean ", {"explain", "train", "eval", "model", "completion"}),
        ("clean ex", {"explain"}),
        ("clean --thr", {"--threshold"}),
        ("clean --keep adv", {"advert"}),
        ("clean --keep bio,adv", {"bio,advert"}),
        ("clean -f ", {"auto", "text", "html", "jsonl"}),
        ("clean -t ", {"text", "json", "markdown"}),
        ("clean --engine ", {"default", "fast"}),
        ("clean model ", {"info", "verify"}),
        ("clean model info --j", {"--json"}),
        ("clean explain --js", {"--json"}),
        ("clean train --fo", {"--folds"}),
        ("clean completion z", {"zsh"}),
    ],
)
def test_completion(clean, words, expected):
    env = environment(_CLEAN_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
    lines = clean(env=env).out.splitlines()
    assert expected <= {line.partition(",")[2] for line in lines}


def test_completion_offers_files(clean):
    env = environment(_CLEAN_COMPLETE="bash_complete", COMP_WORDS="clean a.txt b", COMP_CWORD="2")
    assert clean(env=env).out == "file,b\n"


def test_completion_in_bash(clean, tmp_path):
    script = clean("completion", "bash").out
    (tmp_path / "clean").write_text(f'#!/bin/sh\nexec {sys.executable} -m cleaner "$@"\n')
    (tmp_path / "clean").chmod(0o755)
    program = script + '\nCOMP_WORDS=(clean mod); COMP_CWORD=1; _clean_completion clean; echo "${COMPREPLY[@]}"'
    env = environment(PATH=f"{tmp_path}:{os.environ['PATH']}")
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=env, check=False)
    assert done.stdout == "model\n", done.stderr


def test_train_calls_the_trainer(tmp_path, monkeypatch, capsys):
    calls = []

    def train(corpora, data, output, folds=None, progress=print):
        calls.append((corpora, data, output, folds))
        progress("fitting")
        return {"bF1": 0.5}

    monkeypatch.setitem(sys.modules, "cleaner.training.fit", SimpleNamespace(train=train))
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    assert main(["train", ".", "-o", "new", "--folds", "folds"]) == 0
    assert main(["train", ".", "-o", "new", "--data", "data", "--progress", "always"]) == 0
    assert calls == [(Path(), Path("data"), Path("new"), Path("folds")), (Path(), Path("data"), Path("new"), None)]
    out, err = capsys.readouterr()
    assert json.loads(out[: out.index("}") + 1]) == {"bF1": 0.5}
    assert err == "clean: fitting\n", "progress is for terminals, unless it is asked for"
    assert main(["train", "missing", "-o", "new"]) == 4
    assert main(["train", ".", "-o", "new", "--data", "missing"]) == 4
    assert main(["train", "."]) == 2
    assert main(["train", ".", "-o", "new", "--reproduce"]) == 2
    assert main(["train", ".", "--reproduce", "--folds", "folds"]) == 2


@pytest.mark.parametrize("change", ["", "weights.npz", "manifest.json"])
def test_train_reproduces_the_shipped_model_or_says_what_differs(tmp_path, monkeypatch, capsys, change):
    def train(_corpora, _data, output, progress=print):
        progress("fitting")
        shutil.copytree(ROOT / "models" / output.name, output)
        if change:
            with (output / change).open("ab") as file:
                file.write(b" ")

    monkeypatch.setitem(sys.modules, "cleaner.training.fit", SimpleNamespace(train=train))
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    assert main(["train", ".", "--reproduce"]) == bool(change)
    out, err = capsys.readouterr()
    assert ("byte for byte" in out, f"reproduced: {change} came out different" in err) == (not change, bool(change))


def test_train_without_its_libraries(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cleaner.training.fit", None)
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    with pytest.raises(ModuleNotFoundError):
        main(["train", ".", "-o", "new"])

    def train(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")

    monkeypatch.setitem(sys.modules, "cleaner.training.fit", SimpleNamespace(train=train))
    assert main(["train", ".", "-o", "new"]) == 2
    assert "article-cleaner[train]" in capsys.readouterr().err


def test_eval_prints_a_table_and_compares(tmp_path, monkeypatch, capsys):
    table = {"extracted": {"docs": 3, "bF1": 0.75, "lost%": 0.5, "after": 0.9}, "- fundus": {"docs": 1, "bF1": 0.5}}
    monkeypatch.setitem(sys.modules, "cleaner.training.evaluate", SimpleNamespace(evaluate=lambda *_: table))
    monkeypatch.chdir(tmp_path)
    Path("corpus").touch()
    assert main(["eval", "corpus"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["docs", "bF1", "lost%", "after"]
    assert rows[1] == ["extracted", "3", "0.7500", "0.50", "0.9000"]

    assert main(["eval", "corpus", "--json"]) == 0
    Path("floor.json").write_text(capsys.readouterr().out)
    assert main(["eval", "corpus", "--baseline", "floor.json"]) == 0
    Path("floor.json").write_text(json.dumps({"extracted": {"bF1": 0.8}}))
    assert main(["eval", "corpus", "--baseline", "floor.json"]) == 1
    assert "extracted: bF1 is 0.7500" in capsys.readouterr().err
    for text in ["{", "[]", '{"a": 1}', '{"a": {"b": "c"}}']:
        Path("floor.json").write_text(text)
        assert main(["eval", "corpus", "--baseline", "floor.json"]) == 4
    assert main(["eval", "missing"]) == 4


def test_regressions():
    before = {"all": {"bF1": 0.8, "lost%": 0.5, "docs": 9, "undec%": 1.0}}
    assert regressions({"all": {"bF1": 0.7996, "lost%": 0.54, "docs": 3, "undec%": 5.0}}, before) == []
    assert len(regressions({"all": {"bF1": 0.79, "lost%": 0.6}}, before)) == 2
    assert len(regressions({}, before)) == 2


def test_start_up_stays_close_to_that_of_numpy():
    """A loose bound against accidents; the figure itself is measured by the speed benchmark."""

    def seconds(argv: list[str]) -> float:
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run(argv, input=ARTICLE.encode(), capture_output=True, env=environment(), check=True)
            times.append(time.perf_counter() - begin)
        return sorted(times)[2]

    assert seconds(command()) < 3 * seconds([sys.executable, "-c", "import numpy"]) + 0.05
