"""What is written of a chunk depends on its documents, whatever happens to the workers that clean them."""

import os
import signal
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner.errors import CleanerError, InputError, ModelError
from cleaner.ingest.arrow import Request
from cleaner.ingest.encode import Target
from cleaner.ingest.pool import Order, Pool, steps
from cleaner.ingest.readers import Chunk
from cleaner.ingest.records import Item, Position
from cleaner.ingest.worker import Answer, Lost, Setup
from cleaner.options import Options
from cleaner.report.tally import Tally


def chunk_of(*texts):
    items = [Item(number, number + 1, text) for number, text in enumerate(texts)]
    return Chunk(0, 0, "jsonl", "in/a.jsonl", items, [], 0, Position(), 0)


def answer_to(task):
    """What a fake worker makes of documents: b… is bad, k kills it, r raises, t takes long."""
    data = task.documents
    for one in data:
        if one in {b"k", b"r", b"t"}:
            return Lost({b"k": "died", b"r": "raised", b"t": "too long"}[one], died=one == b"k")
    bad = [(number, "bad") for number, one in enumerate(data) if one.startswith(b"b")]
    good = [one for one in data if not one.startswith(b"b")]
    return Answer(b"".join(good), len(good), bad, Tally())


def play(chunk, worker):
    """Run the steps of a chunk with a fake worker; the answer, and the orders that it took."""
    running, orders = steps(chunk, 7.0), []
    order = next(running)
    while True:
        orders.append(order)
        try:
            order = running.send(worker(order.task))
        except StopIteration as end:
            return end.value, orders


@given(st.lists(st.sampled_from([b"a", b"c", b"bad", b"k", b"r", b"t"])))
def test_in_is_out_and_the_good_are_not_changed_by_the_others(texts):
    answer, orders = play(chunk_of(*texts), answer_to)
    assert answer.data == b"".join(text for text in texts if text in {b"a", b"c"})
    assert answer.documents + len(answer.bad) == len(texts)
    wanted = {b"bad": "bad", b"k": "died", b"r": "raised", b"t": "too long"}
    assert answer.bad == [(number, wanted[text]) for number, text in enumerate(texts) if text in wanted]
    assert len(orders) <= 1 + 2 * len(texts) + 1


@given(st.lists(st.sampled_from([b"a", b"bad", b"r"]), min_size=1, max_size=6), st.integers(0, 20))
def test_a_worker_that_somebody_kills_once_changes_nothing(texts, when):
    count = 0

    def worker(task):
        nonlocal count
        count += 1
        return Lost("killed", died=True) if count == when else answer_to(task)

    assert play(chunk_of(*texts), worker)[0][:3] == play(chunk_of(*texts), answer_to)[0][:3]


def test_documents_that_are_only_lost_together_are_told():
    def worker(task):
        return Lost("too much") if len(task.documents) > 1 else answer_to(task)

    answer, _ = play(chunk_of(b"a", b"k", b"c"), worker)
    assert answer.bad == [(0, "cleaned with others: too much"), (1, "died"), (2, "cleaned with others: too much")]
    with pytest.raises(CleanerError, match="cannot even clean nothing"):
        play(chunk_of(b"a"), lambda _: Lost("never"))


def test_one_document_has_its_time_and_many_have_more():
    _, orders = play(chunk_of(b"a", b"t", b"c"), answer_to)
    assert [(len(order.task.documents), order.seconds) for order in orders] == [
        (3, 12),
        (1, 7),
        (1, 7),
        (1, 7),
        (2, 21),
    ]
    assert isinstance(orders[0], Order) and orders[0].task.name == "a.jsonl"


@pytest.fixture(scope="module")
def setup(tiny_bundle):
    return Setup(str(tiny_bundle), Options(), Request(), Target(), 10**6)


def run(pool, *chunks):
    """The answers of a pool to some chunks, by their number."""
    waiting, done = list(enumerate(chunks)), {}
    while waiting or pool.busy:
        while waiting and pool.has_room:
            pool.submit(*waiting.pop(0))
        done.update(pool.wait())
    return done


def line(text):
    return b'{"text": "%s"}' % text.encode()


def test_workers_clean_and_end(setup):
    with Pool(2, setup, 30) as pool:
        answers = run(pool, *(chunk_of(line("a"), b"torn", line(f"line {n}\\nzzadvert")) for n in range(6)))
        processes = [worker.process for worker in pool._workers]
    for number, answer in answers.items():
        assert answer.data == b'{"text":"a"}\n{"text":"line %d"}\n' % number
        assert [place for place, _ in answer.bad] == [1] and answer.tally.documents == 2 and answer.tally.errors == 1
    assert all(process.returncode == -signal.SIGKILL for process in processes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_is_replaced(setup, number):
    with Pool(1, setup, 30) as pool:
        before = run(pool, chunk_of(line("a"), line("b")))[0]
        os.kill(pool._workers[0].process.pid, number)
        assert run(pool, chunk_of(line("a"), line("b")))[0][:3] == before[:3]


def test_a_worker_that_stands_still_is_replaced_in_time(setup):
    with Pool(1, setup, 0.1) as pool:
        run(pool, chunk_of(line("a")))
        os.kill(pool._workers[0].process.pid, signal.SIGSTOP)
        begin = monotonic()
        assert run(pool, chunk_of(line("a"), line("b")))[0].documents == 2
        assert monotonic() - begin < 60


def test_a_worker_that_is_stopped_in_the_middle_of_its_message_holds_nobody_up(setup, monkeypatch):
    monkeypatch.setattr("cleaner.ingest.pool._PATIENCE", 1.0)
    with Pool(1, setup, 30) as pool:
        run(pool, chunk_of(line("a")))
        os.kill(pool._workers[0].process.pid, signal.SIGSTOP)
        # Nobody wakes it; and its document is cleaned by another, because it may not be its fault.
        answer = run(pool, chunk_of(*[line("x" * 400_000)] * 2))[0]
        assert (answer.documents, answer.bad) == (2, [])


def test_workers_are_killed_while_others_wait_for_one(setup):
    chunks = [chunk_of(line(f"{n} a"), line(f"{n} b")) for n in range(12)]
    with Pool(4, setup, 30) as pool:
        for worker in pool._workers[1:]:
            worker.process.kill()  # while it reads the model, or before
        answers = run(pool, *chunks[:8])
        for worker in pool._workers[:3]:
            worker.process.kill()
        more = run(pool, *chunks[8:])
    told = [answers[n].data for n in range(8)] + [more[n].data for n in range(4)]
    assert told == [b'{"text":"%d a"}\n{"text":"%d b"}\n' % (n, n) for n in range(12)]
    assert not any(answer.bad for answer in [*answers.values(), *more.values()])


def test_large_chunks_are_cleaned_though_they_are_not_packed_ahead(setup, monkeypatch):
    monkeypatch.setattr("cleaner.ingest.pool._AHEAD", -1)
    with Pool(1, setup, 30) as pool:
        answers = run(pool, *(chunk_of(line(str(n))) for n in range(4)))
    assert [answers[n].data for n in range(4)] == [b'{"text":"%d"}\n' % n for n in range(4)]


def test_what_was_asked_for_wrongly_is_raised_with_its_file(setup):
    import pyarrow as pa

    rows = Chunk(0, 0, "parquet", "in/a.parquet", pa.record_batch({"n": [1]}), [], 0, Position(), 0)
    with Pool(1, setup, 30) as pool, pytest.raises(InputError, match=r"^a\.parquet: there is not one column 'text'"):
        run(pool, rows)


def test_a_worker_that_cannot_read_the_model_says_so(tmp_path):
    wrong = Setup(str(tmp_path), Options(), Request(), Target(), 10**6)
    with Pool(1, wrong, 30) as pool, pytest.raises(ModelError):
        run(pool, chunk_of(line("a")))


def test_a_worker_that_cannot_start_is_not_started_for_ever(setup, monkeypatch, capfd):
    monkeypatch.setattr("cleaner.ingest.pool._PROGRAM", "raise SystemExit(9)")
    with Pool(1, setup, 30) as pool, pytest.raises(CleanerError, match=r"cannot start \(exit code 9\)"):
        run(pool, chunk_of(line("a")))
    monkeypatch.setattr("cleaner.ingest.pool.sys.executable", "/no/such/python")
    with pytest.raises(CleanerError, match="cannot start a worker: No such file"):
        Pool(1, setup, 30)
    assert capfd.readouterr() == ("", "")


def test_workers_import_what_we_do_and_nothing_from_where_they_stand(setup, tmp_path, monkeypatch):
    for name in ("json", "numpy", "cleaner", "struct"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the folder')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with Pool(1, setup, 30) as pool:
        assert run(pool, chunk_of(line("a")))[0].documents == 1


def test_no_worker_outlives_a_parent_that_is_gone(setup):
    pool = Pool(1, setup, 30)
    process = pool._workers[0].process
    pool._workers[0].connection.close()  # as the end of the parent closes it
    until = monotonic() + 60
    while process.poll() is None and monotonic() < until:
        sleep(0.05)
    assert process.returncode == 0
