"""Without the library of an engine, its module can be imported, and says what to install when it is used."""

import subprocess
import sys

import pytest

USES = {
    "dask": "clean_dataframe(None)",
    "datatrove": "CleanDocuments()",
    "huggingface": "clean_dataset(None)",
    "polars": "clean_frame(None)",
    "ray": "clean_dataset(None)",
    "spark": "clean_dataframe(None)",
}
HIDE = """
import sys
class Hide:
    def __init__(self, library):
        self.library = library
    def find_spec(self, name, *_):
        if name == self.library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
"""
LIBRARIES = {"huggingface": "datasets", "spark": "pyspark"}


@pytest.mark.parametrize("name", USES)
def test_what_to_install_is_said(name):
    code = HIDE + f"sys.meta_path.insert(0, Hide({LIBRARIES.get(name, name)!r}))\n"
    code += f"from cleaner.integrations.{name} import *\n{USES[name]}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cleaner.errors.OptionError: this needs " in done.stderr
    assert done.stderr.endswith(f"pip install 'article-cleaner[{name}]'\n")
