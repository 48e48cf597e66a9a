"""Counts with Spark which lines a site repeats: python examples/spark_sites.py TABLE, or the same with spark-submit."""

import sys

from pyspark.sql import SparkSession

from cleaner.integrations.spark import count_sites
from cleaner.sites import SiteLines
from cleaner.sites.counting import LineCounts

APPEAL = "Our ferry desk is paid for by {} people in {}, and it would be glad of one more before the winter comes."
ARTICLE = """On day {day} the ferry brought letters, two bicycles and a doctor, and it left before the fog came in.
{appeal}"""

if __name__ == "__main__":
    spark = SparkSession.builder.appName("ferry").getOrCreate()
    rows = [
        (
            f"https://www.lantern.example/{day}",
            f"2026-11-{day:02}",
            ARTICLE.format(day=day, appeal=APPEAL.format(100 + day, "Skarholm")),
        )
        for day in range(1, 13)
    ]
    articles = spark.createDataFrame(rows, "url string, date string, text string")  # or spark.read.parquet
    with LineCounts() as counts:
        count_sites(articles, counts)
        counts.write(sys.argv[1])
    standing = SiteLines(sys.argv[1]).standing("lantern.example", APPEAL.format(7, "Skarholm"))
    print("the appeal stands in", standing.documents, "of", standing.of, "articles, on", standing.days, "days")
    spark.stop()
