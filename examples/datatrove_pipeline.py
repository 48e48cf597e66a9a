"""Cleans documents in a datatrove pipeline: python examples/datatrove_pipeline.py FOLDER."""

import sys

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.writers import JsonlWriter

from cleaner.ingest import Request
from cleaner.integrations.datatrove import CleanDocuments

ARTICLE = """The winter ferry will sail again from December, after the island council found the money for a third crew.
ADVERTISEMENT
“We are not asking for luxury,” the chairwoman told a full hall. “We are asking to be able to leave.”"""

if __name__ == "__main__":
    folder = sys.argv[1]
    articles = [Document(ARTICLE, str(number), metadata={"url": "https://lantern.example/"}) for number in range(8)]
    executor = LocalPipelineExecutor(
        pipeline=[
            articles,  # or JsonlReader(…), WarcReader(…) without an extractor behind it
            CleanDocuments(Request(extras=("quality",)), exclusion_writer=JsonlWriter(f"{folder}/not-cleaned")),
            JsonlWriter(f"{folder}/clean", compression=None),
        ],
        logging_dir=f"{folder}/logs",
    )
    executor.run()
