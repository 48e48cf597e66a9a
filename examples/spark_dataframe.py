"""Cleans a Spark data frame: python examples/spark_dataframe.py, or spark-submit examples/spark_dataframe.py."""

from pyspark.sql import SparkSession

from cleaner.ingest import Request
from cleaner.integrations.spark import clean_dataframe

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”"""

if __name__ == "__main__":
    spark = SparkSession.builder.appName("ferry").getOrCreate()
    articles = spark.createDataFrame([(7, ARTICLE), (8, None)], "id long, text string")  # or spark.read.parquet
    cleaned = clean_dataframe(articles, Request(extras=("kinds",)))
    for row in cleaned.orderBy("id").collect():  # or cleaned.write.parquet
        print(row.id, row.clean_kinds, row.clean_error, row.text, sep="\n")
    spark.stop()
