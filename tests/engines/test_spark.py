import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from cleaner.errors import InputError
from cleaner.ingest import Request
from cleaner.ingest.readers import DOCUMENT_BYTES
from cleaner.integrations.spark import clean_dataframe, count_sites, main
from cleaner.sites import SiteLines
from cleaner.sites.counting import LineCounts

BIN = Path(pyspark.__file__).parent / "bin"
MEMORY = "600m"
# These programs end before it pays to compile them well, and share two cores.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
WORKERS = 2


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def wait_for(found, seconds=300):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "a process of Spark does not come up"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    """A master of a standalone cluster and two workers, each a process of its own on the loopback interface."""
    home = tmp_path_factory.mktemp("spark")
    port = free_port()
    url = f"spark://127.0.0.1:{port}"
    environment = os.environ | {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": JAVA,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    os.environ |= {name: environment[name] for name in ("SPARK_LOCAL_IP", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")}
    at = ["--host", "127.0.0.1", "--webui-port", str(free_port())]
    commands = {"master": ["Master", *at, "--port", str(port)]}
    for number in range(WORKERS):
        room = ["--cores", "1", "--memory", "1g", "--work-dir", str(home / f"work-{number}")]
        commands[f"worker-{number}"] = ["Worker", "--host", "127.0.0.1", "--webui-port", str(free_port()), *room, url]
    started = []
    try:
        for name, (kind, *arguments) in commands.items():
            log = home / f"{name}.log"
            command = [BIN / "spark-class", f"org.apache.spark.deploy.{kind.lower()}.{kind}", *arguments]
            with log.open("wb") as file:
                started.append(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment))
            up = "I have been elected leader" if kind == "Master" else "Successfully registered with master"
            wait_for(lambda log=log, up=up: up in log.read_text(errors="replace"))
        yield url
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(30)


def settings(master):
    """One executor on each worker, both there before the first task; as one session, or for spark-submit."""
    return {
        "spark.master": master,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.executor.cores": "1",
        "spark.executor.memory": MEMORY,
        "spark.executor.extraJavaOptions": JAVA,
        "spark.driver.extraJavaOptions": JAVA,
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "300s",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "Asia/Tokyo",
        "spark.ui.enabled": "false",
        "spark.locality.wait": "0s",
    } | {f"spark.executorEnv.{name}": os.environ[name] for name in ("PYTHONPATH", "CLEANER_TEST_LOG")}


@pytest.fixture(scope="module")
def spark(master):
    builder = SparkSession.builder.appName("test")
    for name, value in settings(master).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def df(spark, documents):
    return spark.createDataFrame(documents).repartition(4).cache()


def collected(df):
    """The rows of a data frame, in order, as one Arrow table."""
    return df.orderBy("id").toArrow()


def test_a_frame_is_cleaned_as_by_the_core(df, recipe, expected, reads):
    lazy = clean_dataframe(df, *recipe)
    assert not reads(), "nothing is read before it is needed"
    after = collected(lazy)
    assert after.to_pylist() == expected.to_pylist()
    assert after.column_names == expected.column_names
    by_process = reads()
    assert len({executor for _, executor, _ in by_process}) == WORKERS, "both workers did some of the work"
    assert set(by_process.values()) == {1}, "each process reads the model once"
    assert str(os.getpid()) not in {process for process, _, _ in by_process}


def test_the_schema_is_known_before_and_other_columns_keep_theirs(spark, recipes):
    columns = [
        "'The council met.' AS text",
        "timestamp'2026-11-28 09:00:00' AS at",
        "timestamp_ntz'2026-11-28 09:00:00' AS ntz",
        "date'2026-11-28' AS day",
        "x'00ff' AS raw",
        "1.50BD AS price",
        "map('a', array(1)) AS m",
        "named_struct('x', 1Y) AS s",
    ]
    df = spark.sql(f"SELECT {', '.join(columns)}")
    after = clean_dataframe(df, recipes["shipped"].request)
    told = {
        "clean_kinds": "map<string,bigint>",
        "clean_quality": "double",
        "clean_flags": "array<string>",
        "clean_metadata": "struct<title:string,author:string,date:string,language:string,site:string,url:string>",
        "clean_removed": "array<struct<index:bigint,text:string,kind:string,score:double,reason:string>>",
        "clean_error": "string",
    }
    assert after.dtypes == [*df.dtypes, *told.items()]
    assert after.schema["text"].nullable
    assert after.drop(*told).first() == df.first()


@pytest.mark.parametrize("large", ["false", "true"])
def test_documents_may_be_bytes_and_batches_of_any_size(spark, documents, recipes, core, large):
    recipe = recipes["shipped"]
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", large)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 7)
    try:
        table = documents.set_column(1, "text", documents["text"].cast(pa.binary()))
        after = clean_dataframe(spark.createDataFrame(table).repartition(3), *recipe)
        assert dict(after.dtypes)["text"] == "string"
        assert collected(after).to_pylist() == core(recipe).to_pylist()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")


def test_what_is_no_text_is_said(df):
    with pytest.raises(AnalysisException, match="body"):
        clean_dataframe(df, Request(text="body"))
    with pytest.raises(InputError, match="'id' holds int64"):
        clean_dataframe(df, Request(text="id"))


def test_the_job_goes_from_json_to_json(df, documents, recipes, core, tmp_path):
    df.write.json(str(tmp_path / "in"))
    bundle, site_lines = recipes["tiny"].bundle, recipes["shipped"].site_lines
    told = ["--tell", "kinds", "--tell", "quality", "--bundle", bundle, "--options", '{"keep": ["caption"]}']
    main([str(tmp_path / "in"), str(tmp_path / "out"), "--format", "json", "--site-lines", site_lines, *told])
    lines = [line for path in (tmp_path / "out").glob("*.json") for line in path.read_text().splitlines()]
    written = {row["id"]: row for row in map(json.loads, lines)}
    assert len(lines) == len(written) == documents.num_rows
    for row in core(recipes["tiny"]).to_pylist():
        row["clean_kinds"] = None if row["clean_kinds"] is None else dict(row["clean_kinds"])
        assert written[row["id"]] == {name: value for name, value in row.items() if value is not None}


def test_the_job_says_what_is_wrong(df, tmp_path):
    df.write.parquet(str(tmp_path / "in"))
    with pytest.raises(SystemExit, match="no kind is called 'captoin'"):
        main([str(tmp_path / "in"), str(tmp_path / "out"), "--options", '{"keep": ["captoin"]}'])
    with pytest.raises(SystemExit, match="holds int64"):
        main([str(tmp_path / "in"), str(tmp_path / "out"), "--text", "id"])


@pytest.fixture
def dated(documents):
    """The documents with a date each, but for some."""
    days = [None if number % 7 == 0 else f"2026-11-{1 + number % 9:02}T0{number % 5}:00:00Z" for number in range(180)]
    return documents.append_column("date", pa.array(days))


def test_sites_are_counted_as_by_the_command(spark, dated, tmp_path, reads):
    """The same bytes, over several batches and partitions; broken, empty and missing documents are among them."""
    with LineCounts() as counts:
        counts.write(tmp_path / "key.db", partial=True)
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 11)
        try:
            counted = count_sites(spark.createDataFrame(dated).repartition(4), counts)
        finally:
            spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
        counts.write(tmp_path / "partial.db", partial=True)
        counts.write(tmp_path / "sites.db")
    assert str(os.getpid()) not in {process for process, _, _ in reads()}, "executors judge"
    pq.write_table(dated, tmp_path / "documents.parquet")
    command = [sys.executable, "-m", "cleaner", "sites", "--key-of", "key.db", "documents.parquet"]
    for name, how in (("partial.db", ["--partial"]), ("sites.db", [])):
        line = [*command, *how, "-o", f"here-{name}"]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 3 and "no site" in done.stderr and "more records left out" in done.stderr
        assert f"counted {counted} documents" in done.stderr
        assert (tmp_path / name).read_bytes() == (tmp_path / f"here-{name}").read_bytes()
    ferry = "The winter ferry will sail again from December, said berth 5."
    assert SiteLines(tmp_path / "sites.db").standing("lantern.example", ferry).documents > 9


def test_documents_and_dates_have_names_and_types(spark, dated, tmp_path):
    """Pages in bytes with an encoding; dates as dates and as times, which count in the time zone of the session."""
    code = "iso8859-5"
    crane = "Директор порта заявил, что новый кран привезут морем."
    page = f"<html><head><title>Кран</title></head><body><p>{crane}</p></body></html>"
    rows = [
        (page.encode(code), "lantern.example", code, "2026-11-01"),
        (page.encode(code), "https://lantern.example/1", code, "2026-11-02"),
    ]
    df = spark.createDataFrame(rows, "body binary, address string, coding string, day string")
    kinds = ["day", "to_date(day)", "to_timestamp(concat(day, ' 23:30:00'))", "to_timestamp_ntz(day)"]
    written = set()
    for number, kind in enumerate(kinds):
        with LineCounts(bytes(16)) as counts:
            request = Request("body", "html", "address", "coding")
            count_sites(df.selectExpr("body", "address", "coding", f"{kind} AS at"), counts, request, date="at")
            counts.write(tmp_path / f"{number}.db")
            written.add((tmp_path / f"{number}.db").read_bytes())
    assert len(written) == 1
    standing = SiteLines(tmp_path / "0.db").standing("lantern.example", crane)
    assert (standing.documents, standing.days) == (2, 2)
    with LineCounts() as counts, pytest.raises(InputError, match="'id' holds int64"):
        count_sites(spark.createDataFrame(dated), counts, Request(text="id"))


def test_what_stands_beside_documents_is_read_as_by_the_command(spark, tmp_path):
    """Encodings that are numbers, addresses that are bytes or numbers, and what is too long."""
    text = "The winter ferry will sail again from December."
    rows = [(text, 7, f"https://lantern.example/{day}".encode(), 123) for day in range(3)]
    rows.append(("ж" * (DOCUMENT_BYTES // 2 + 1), 7, b"lantern.example", 123))
    df = spark.createDataFrame(rows, "text string, charset int, url binary, number int")
    with LineCounts() as counts:
        assert count_sites(df, counts) == count_sites(df.selectExpr("CAST(text AS binary)", "url"), counts) == 3
        assert count_sites(df, counts, Request(url="number")) == 0
        counts.write(tmp_path / "sites.db")
    assert SiteLines(tmp_path / "sites.db").documents("lantern.example") == 6


@pytest.fixture
def submit(spark, master, df, tmp_path):
    """The words before a program that is submitted; the session has written its input, and left its cores."""
    df.write.parquet(str(tmp_path / "in"))
    spark.stop()
    return [str(BIN / "spark-submit"), *(f"--conf={name}={value}" for name, value in settings(master).items())]


def test_the_job_and_the_example_run_under_spark_submit(submit, recipes, core, run_example, tmp_path):
    recipe = recipes["shipped"]
    told = [f"--tell={extra}" for extra in recipe.request.extras] + [f"--site-lines={recipe.site_lines}"]
    run_example("spark_job.py", tmp_path / "in", tmp_path / "out", *told, program=submit)
    written = pq.read_table(tmp_path / "out").sort_by("id")
    assert written.to_pylist() == core(recipe).to_pylist()
    out = run_example("spark_dataframe.py", program=submit)
    assert "ADVERTISEMENT" not in out and "chairwoman" in out and "{'advert': 1}" in out
    out = run_example("spark_sites.py", tmp_path / "sites.db", program=submit)
    assert "in 12 of 12 articles, on 12 days" in out
