"""The Spark job that comes with the package, as a file for spark-submit.

spark-submit --master spark://… examples/spark_job.py s3a://crawl/articles s3a://crawl/clean --tell kinds
"""

from cleaner.integrations.spark import main

if __name__ == "__main__":
    main()
