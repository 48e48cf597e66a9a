"""What the integrations share of a process."""

import json
import shutil

from cleaner.integrations.tables import cleaner_of
from cleaner.model.bundle import MANIFEST


def test_a_model_that_was_written_anew_is_read_anew(tiny_bundle, tmp_path):
    bundle = tmp_path / "model"
    shutil.copytree(tiny_bundle, bundle)
    first = cleaner_of(bundle)
    assert cleaner_of(str(bundle)) is first
    manifest = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps(manifest, indent=3))
    assert cleaner_of(bundle) is not first
