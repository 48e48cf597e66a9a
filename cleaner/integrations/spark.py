"""Cleaning in Apache Spark: a data frame in, a data frame out; and a job from files to files for ``spark-submit``.

    python -m cleaner.integrations.spark articles.parquet clean.parquet --tell kinds --tell quality

Executors need ``article-cleaner[spark]`` too.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cleaner.errors import CleanerError
from cleaner.ingest.arrow import EXTRAS, FORMS, Request, cleaned_schema
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import arrow_cleaner
from cleaner.options import Options

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def clean_dataframe(
    df: "DataFrame",
    request: Request | None = None,
    bundle: str | Path | None = None,
    options: Options | None = None,
) -> "DataFrame":
    """The same rows, cleaned; other columns keep their types. A bundle is a folder that every executor can read."""
    types = needed("pyspark.sql.pandas.types", "spark")
    request = request or Request()
    told = types.from_arrow_schema(cleaned_schema(types.to_arrow_schema(df.select(request.text).schema), request))
    kept = [told[0] if field.name == request.text else field for field in df.schema if field.name not in told.names[1:]]
    schema = types.StructType([*kept, *told[1:]])
    return df.mapInArrow(partial(_clean_batches, request=request, bundle=bundle, options=options), schema)


def _clean_batches(
    batches: "Iterable[pa.RecordBatch]", request: Request, bundle: str | Path | None, options: Options | None
) -> "Iterator[pa.RecordBatch]":
    yield from map(arrow_cleaner(request, bundle, options), batches)


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
    parser.add_argument("--options", type=json.loads, default={}, help='as JSON: {"keep": ["caption"]}')
    chosen = parser.parse_args(arguments)
    try:
        request = Request(chosen.text, chosen.form, chosen.url, extras=tuple(chosen.tell))
        options = Options(**chosen.options)
        spark = needed("pyspark.sql", "spark").SparkSession.builder.appName("cleaner").getOrCreate()
        df = spark.read.format(chosen.format).load(chosen.source)
        clean_dataframe(df, request, chosen.bundle, options).write.format(chosen.format).save(chosen.target)
    except (CleanerError, TypeError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
