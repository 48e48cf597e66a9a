"""Cleans a Ray data set with two actors, each of which reads the model once: python examples/ray_dataset.py."""

import ray

from cleaner.ingest import Request
from cleaner.integrations.ray import clean_dataset

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”"""

if __name__ == "__main__":
    ray.init()
    articles = ray.data.from_items([{"id": number, "text": ARTICLE} for number in range(8)])  # or ray.data.read_parquet
    actors = ray.data.ActorPoolStrategy(size=2)
    cleaned = clean_dataset(articles, Request(extras=("kinds",)), compute=actors)
    rows = cleaned.take_all()  # or cleaned.write_parquet(…)
    print(rows[0]["text"])
    print(len(rows), "articles,", sum(row["clean_error"] is not None for row in rows), "not cleaned")
