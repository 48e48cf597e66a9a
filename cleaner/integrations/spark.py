"""Cleaning and counting in Apache Spark: a data frame in, a data frame or the counts of its sites out.

There is a job from files to files, too, for ``spark-submit``:

    python -m cleaner.integrations.spark articles.parquet clean.parquet --tell kinds --tell quality

Executors need ``article-cleaner[spark]`` too.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cleaner.errors import CleanerError
from cleaner.ingest.arrow import EXTRAS, FORMS, Request, cleaned_schema, type_of_text
from cleaner.ingest.counting import LineJudge, partial_counts
from cleaner.ingest.needs import needed
from cleaner.ingest.readers import DOCUMENT_BYTES
from cleaner.integrations.tables import ROWS, arrow_cleaner, cleaner_of
from cleaner.options import Options
from cleaner.sites.arrow import counts_schema
from cleaner.sites.fingerprints import DOCUMENT

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from cleaner.sites.counting import LineCounts

# So many sums are held in the driver as rows.
_SUMS: Final = 10_000


def clean_dataframe(
    df: "DataFrame",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
    site_lines: str | Path | None = None,
) -> "DataFrame":
    """The same rows, cleaned; other columns keep their types. Every executor can read the bundle and the site lines."""
    types = needed("pyspark.sql.pandas.types", "spark")
    request = request or Request()
    told = types.from_arrow_schema(cleaned_schema(types.to_arrow_schema(df.select(request.text).schema), request))
    kept = [told[0] if field.name == request.text else field for field in df.schema if field.name not in told.names[1:]]
    schema = types.StructType([*kept, *told[1:]])
    clean = partial(_clean_batches, request=request, bundle=bundle, options=options, site_lines=site_lines)
    return df.mapInArrow(clean, schema)


def _clean_batches(batches: "Iterable[pa.RecordBatch]", **how: Any) -> "Iterator[pa.RecordBatch]":
    yield from map(arrow_cleaner(**how), batches)


def count_sites(
    df: "DataFrame",
    counts: "LineCounts",
    request: Request | None = None,
    bundle: str | Path | None = None,
    date: str = "date",
) -> int:
    """Add the documents of a data frame to counts, as ``clean sites`` does: it writes the same bytes with the same key.

    Executors judge the documents and Spark adds up; one partition of the sums at a time comes to the driver. ``date``
    names the column of dates, which may be missing; times count for their day in the time zone of the session. Returns
    how many documents were counted: those without a site, too long ones and those that break the cleaner are left out.
    """
    pa, types = needed("pyarrow", "jobs"), needed("pyspark.sql.pandas.types", "spark")
    request = request or Request()
    count = partial(_count_batches, request=request, date=date, bundle=bundle, key=counts.key)
    found = _documents(df, request, date).mapInArrow(count, types.from_arrow_schema(counts_schema()))
    rows = (row.asDict() for row in _added_up(found).toLocalIterator())
    counted = 0
    while some := list(islice(rows, _SUMS)):
        counted += sum(row["documents"] for row in some if row["fingerprint"] == DOCUMENT)
        counts.add_counts(pa.RecordBatch.from_pylist(some, counts_schema()))
    return counted


def _documents(df: "DataFrame", request: Request, date: str) -> "DataFrame":
    """What counting reads; too long documents are cut to what is still too long."""
    functions = needed("pyspark.sql.functions", "spark")
    types = needed("pyspark.sql.pandas.types", "spark")
    type_of_text(types.to_arrow_schema(df.select(request.text).schema).field(0))
    text = functions.substring(request.text, 1, DOCUMENT_BYTES + 1).alias(request.text)
    beside = [name for name in (request.charset, date) if df.columns.count(name) == 1]
    return df.select(text, *dict.fromkeys([request.url, *beside]))


def _added_up(counts: "DataFrame") -> "DataFrame":
    """Partial counts with one row for each site, fingerprint and day."""
    functions = needed("pyspark.sql.functions", "spark")
    sums = [functions.sum(name).alias(name) for name in ("documents", "edges", "steps")]
    bounds = functions.min("low").alias("low"), functions.max("high").alias("high")
    return counts.groupBy("site", "fingerprint", "day").agg(*sums, *bounds)


def _count_batches(
    batches: "Iterable[pa.RecordBatch]", request: Request, date: str, bundle: str | Path | None, key: bytes
) -> "Iterator[pa.RecordBatch]":
    judge = LineJudge(cleaner_of(bundle), request.form)
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS):
            yield partial_counts(batch.slice(start, ROWS), judge, key, request, date)


def main(arguments: Sequence[str] | None = None) -> None:
    """Clean files into files, as the command line says."""
    parser = argparse.ArgumentParser(prog="cleaner.integrations.spark", description="Clean a data set with Spark.")
    parser.add_argument("source", metavar="IN", help="what to read: a file or folder, on any file system of Spark")
    parser.add_argument("target", metavar="OUT", help="the folder to write; it must not exist")
    parser.add_argument("--format", choices=["parquet", "json"], default="parquet", help="of both (default: parquet)")
    parser.add_argument("--text", default="text", help="the column of documents (default: text)")
    parser.add_argument("--url", default="url", help="the column of addresses, if any (default: url)")
    parser.add_argument("--form", choices=FORMS, default="auto", help="what the documents are (default: auto)")
    parser.add_argument("--tell", choices=EXTRAS, action="append", default=[], help="what to add; may be repeated")
    parser.add_argument("--bundle", help="folder of a model that every executor can read, in place of the shipped one")
    parser.add_argument("--site-lines", help="table of `clean sites` that every executor can read")
    parser.add_argument("--options", type=json.loads, default={}, help='as JSON: {"keep": ["caption"]}')
    chosen = parser.parse_args(arguments)
    try:
        request = Request(chosen.text, chosen.form, chosen.url, extras=tuple(chosen.tell))
        options = Options(**chosen.options)
        spark = needed("pyspark.sql", "spark").SparkSession.builder.appName("cleaner").getOrCreate()
        df = spark.read.format(chosen.format).load(chosen.source)
        cleaned = clean_dataframe(df, request, chosen.bundle, options, chosen.site_lines)
        cleaned.write.format(chosen.format).save(chosen.target)
    except (CleanerError, TypeError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
