"""The page of a summary in a real browser: it stands as it was written, runs nothing, and asks nobody for anything."""

import json
import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from lxml import html

from cleaner.document import CleanResult, Kind, LineColumns, Reason
from cleaner.report.page import summary_of, summary_page
from cleaner.report.tally import MOST, Tally

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
SECONDS = 120

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium, chromium-browser or google-chrome on the PATH to open the page with"
)

TITLE = "Summary of a cleaning job"
# Each changes the title if it is ever more than text; the address is that of a server that only the test knows.
INJECTED = [
    "<script>document.title = 'owned'</script>",
    "<img src='{address}/image' onerror=\"document.title = 'owned'\">",
    "</caption></table><svg onload=\"document.title = 'owned'\"></svg>",
    "</style><link rel=stylesheet href='{address}/style'><script src='{address}/script'></script>",
    "<iframe src='{address}/frame'></iframe><meta http-equiv=refresh content='0; url={address}/moved'>",
    '" onmouseover="document.title = \'owned\'" style="background: url({address}/ground)"',
]


@pytest.fixture(scope="module")
def server():
    """A server that remembers what it was asked for, and shows the page that it is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(self.server.page.encode() if self.path == "/page" else b"")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.address = f"http://127.0.0.1:{server.server_port}"
        server.asked = []
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def page_of_a_job(address):
    texts = [text.format(address=address) for text in INJECTED]
    tally = Tally()
    for number in range(30):
        lines = len(texts) + 1
        columns = LineColumns(
            range(lines),
            ["The ferry sails again.", *texts],
            ["The ferry sails again.", *texts],
            [True] + [False] * len(texts),
            [Kind.CONTENT] + [Kind.ADVERT] * len(texts),
            [0.5] * lines,
            [Reason.MODEL] * lines,
            [()] * lines,
        )
        tally.add(f"{number} {texts[number % len(texts)]}", 500, CleanResult("The ferry.", (), 0.5, columns), 0.01)
    for text in texts:
        tally.add_error(text)
    job = {"inputs": texts, "output": texts[0], "options": {text: text for text in texts}, "finished": texts[1]}
    return texts, summary_page(json.loads(json.dumps(summary_of(job, tally))))


def browse(folder, address, *switches):
    """What the browser made of the page, after its scripts have run."""
    command = [BROWSER, *SWITCHES, f"--user-data-dir={folder}", "--virtual-time-budget=2000", *switches, address]
    return subprocess.run(command, capture_output=True, timeout=SECONDS, check=True).stdout.decode()


@pytest.mark.parametrize("guarded", [True, False], ids=["as it is", "without its policy"])
def test_injected_text_does_nothing(guarded, server, tmp_path):
    texts, page = page_of_a_job(server.address)
    # Escaping has to hold by itself; the policy is a second wall.
    server.page = page if guarded else re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert (server.page == page) is guarded
    server.asked.clear()
    seen = html.document_fromstring(browse(tmp_path, f"{server.address}/page", "--dump-dom"))
    assert seen.findtext("head/title") == TITLE
    assert set(server.asked) <= {"/page", "/favicon.ico"}  # the browser's own question
    tables = {one.findtext("caption"): [*one.find("tbody").iter("tr")] for one in seen.iter("table")}
    assert [row[0].text_content() for row in tables["Lines removed most often"]] == sorted(texts)
    assert [row[0].text_content() for row in tables["Errors by reason"]] == sorted(texts)
    assert [row[2].text_content() for row in tables["Lines removed by kind"]] == [f"{30 * len(texts)}"]
    assert len(tables["Documents that took longest"]) == len(tables["Documents trusted least"]) == MOST
    assert not {one.tag for one in seen.iter()} & {"script", "img", "iframe", "link"}


def test_a_script_would_have_been_noticed(server, tmp_path):
    """The test above can fail: unescaped, the same text owns the page and asks the server."""
    server.page = "".join(text.format(address=server.address) for text in INJECTED[:2])
    server.asked.clear()
    assert "<title>owned</title>" in browse(tmp_path, f"{server.address}/page", "--dump-dom")
    assert "/image" in server.asked


def test_the_policy_lets_the_style_of_the_page_through(tmp_path):
    """Opened as a file: the style counts, so its digest is right."""
    page = tmp_path / "summary.html"
    page.write_text(page_of_a_job("http://lantern.example")[1], encoding="utf-8")
    shots = []
    for name, text in (
        ("styled", page.read_text(encoding="utf-8")),
        ("bare", re.sub(r"<style>[^<]*", "<style>", page.read_text(encoding="utf-8"))),
    ):
        page.write_text(text, encoding="utf-8")
        picture = tmp_path / f"{name}.png"
        browse(tmp_path / name, page.as_uri(), f"--screenshot={picture}", "--window-size=800,600")
        shots.append(picture.read_bytes())
    assert all(shot.startswith(b"\x89PNG") for shot in shots)
    assert shots[0] != shots[1]
