"""Cleaning in datatrove: a step of a pipeline that replaces the text of each document."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from cleaner.ingest.arrow import ERROR, ArrowCleaner, Outcome, Request, kinds_removed
from cleaner.ingest.needs import needed
from cleaner.integrations.tables import clean_records, cleaner_of
from cleaner.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datatrove.data import Document
    from datatrove.pipeline.writers.disk_base import DiskWriter
try:
    from datatrove.pipeline.base import PipelineStep
except ModuleNotFoundError:
    # Without datatrove there is nothing to inherit from; making a step says what to install.
    PipelineStep = object


class CleanDocuments(PipelineStep):  # type: ignore[misc]  # of a library without types
    """Cleans the text of documents, and counts what was removed by kind.

    ``url`` of the request names what holds the address of a document in its metadata. A document that cannot be cleaned
    goes to ``exclusion_writer``, as those do that a filter drops; without one it goes on as it came. Either way its
    metadata holds ``clean_error``, and it is counted. A document of which nothing is left goes on without text.
    """

    name = "article-cleaner"
    type = "🧹 - CLEANER"

    def __init__(
        self,
        request: Request | None = None,
        bundle: str | Path | None = None,
        options: Options | None = None,
        site_lines: str | Path | None = None,
        exclusion_writer: "DiskWriter | None" = None,
        batch_size: int = 256,
    ) -> None:
        """Say how; the model is read where the step runs."""
        needed("datatrove", "datatrove")
        super().__init__()
        self.request, self.bundle, self.options, self.site_lines = request or Request(), bundle, options, site_lines
        self.exclusion_writer, self.batch_size = exclusion_writer, batch_size

    def run(self, data: "Iterable[Document]", rank: int = 0, world_size: int = 1) -> "Iterable[Document]":  # noqa: ARG002
        """Clean documents, in order."""
        from datatrove.utils.batching import batched

        clean = ArrowCleaner(cleaner_of(self.bundle, self.options, self.site_lines), self.request, self._count)
        with self.exclusion_writer or nullcontext() as writer:
            for batch in batched(data, self.batch_size):
                with self.track_time("batch"):
                    urls = [document.metadata.get(self.request.url) for document in batch]
                    rows = clean_records(clean, self.request, [document.text for document in batch], urls)
                for document, row in zip(batch, rows, strict=True):
                    text = row.pop(self.request.text)
                    if row[ERROR] is None:
                        document.text = text
                    document.metadata |= {name: value for name, value in row.items() if value is not None}
                    self.stat_update("total", "dropped" if writer and row[ERROR] else "forwarded")
                    if writer and row[ERROR]:
                        writer.write(document, rank)
                    else:
                        if document.text:
                            self.update_doc_stats(document)
                        yield document

    def _count(self, _row: int, outcome: Outcome) -> None:
        if outcome.result is None:
            self.stat_update("not_cleaned")
            return
        for kind, lines in kinds_removed(outcome.result).items():
            self.stat_update(f"removed_{kind}", value=lines)
