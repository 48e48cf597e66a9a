"""The page of a summary shows the numbers of the tally, and whatever comes from documents as text."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from lxml import html

from cleaner.document import CleanResult, Flag, Kind, LineColumns, Reason
from cleaner.report.markup import to_html
from cleaner.report.page import FLAG_MEANINGS, REASON_MEANINGS, SUMMARY_VERSION, summary_of, summary_page
from cleaner.report.tally import BINS, MOST, Tally

HOSTILE = [
    "<script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</td></tr></table><h1>owned</h1>",
    "</style></title></textarea><svg onload=alert(1)>",
    "\"' onmouseover='alert(1)' x=\"",
    "<!-- <a href='https://lantern.example/'>",
    "&lt;b&gt; &amp; &#60;b&#62;",
    "]]><![CDATA[",
    "{policy} {0} %s %(x)s",
    "javascript:alert(1)",
]
UNSEEN = [
    "\x00",
    "\x1b[2J",
    "\r\n",
    "\x85",
    "\xad",
    "\u200b",
    "\u202e",
    "\u2028",
    "\u2066",
    "\ufeff",
    "\ud800",
    "\U000e0041",
]

JOB = {
    "inputs": ["crawl/a.jsonl.gz", "crawl/b.jsonl.gz"],
    "output": "clean/",
    "options": {"keep": ["caption"], "threshold": None, "trims": True},
    "model": {"name": "news-1", "digest": "sha256:00ff"},
    "versions": {"cleaner": "0.1.0"},
    "started": "2024-11-08T09:00:00+00:00",
    "finished": "2024-11-08T09:00:50+00:00",
    "seconds": 50.0,
    "workers": 2,
    "resumed": 0,
}


def cleaned(*removed, kind=Kind.ADVERT, flags=(), quality=0.42):
    texts = ["The ferry sails again.", *removed]
    lines = len(removed)
    columns = LineColumns(
        range(lines + 1),
        texts,
        texts,
        [True] + [False] * lines,
        [Kind.CONTENT] + [kind] * lines,
        [0.5] * (lines + 1),
        [Reason.MODEL] * (lines + 1),
        [()] * (lines + 1),
    )
    return CleanResult(texts[0], flags, quality, columns)


def tally_of_a_job():
    tally = Tally()
    for number in range(3000):
        flags = (Flag.UNDECODABLE_BYTES,) if number % 100 == 0 else ()
        tally.add(f"{number:04}", 60, cleaned("Share", "Deal", flags=flags, quality=number / 3000), number / 1000)
    tally.add("menu", 50, cleaned(*["Home"] * 9, kind=Kind.NAVIGATION), 0.001)
    for reason in ["not JSON", "not JSON", "too large"]:
        tally.add_error(reason)
    return tally


def parsed(job, tally):
    page = summary_page(summary_of(job, tally))
    page.encode()
    return html.document_fromstring(page)


def table(page, caption):
    """The rows of the table with that caption, as texts."""
    (found,) = (one for one in page.iter("table") if one.findtext("caption") == caption)
    return [[cell.text_content() for cell in row] for row in found.find("tbody").iter("tr")]


def fact(page, name):
    (found,) = (row.find("dd") for row in page.iter("div") if row.findtext("dt") == name)
    return found.text_content()


def number(text):
    return int(text.replace(",", ""))


@pytest.fixture(scope="module")
def tally():
    return tally_of_a_job()


@pytest.fixture(scope="module")
def page(tally):
    return parsed(JOB, tally)


def test_the_summary_is_the_job_and_the_tally(tally):
    assert summary_of(JOB, tally) == {"version": SUMMARY_VERSION, "job": JOB, "tally": tally.as_dict()}


def test_documents_in_are_those_out_and_errors(page):
    (equation,) = page.find_class("equation")
    assert " ".join(equation.text_content().split()) == "3,004 in = 3,001 out + 3 errors"


def test_the_tables_show_the_numbers_of_the_tally(page, tally):
    lines, size = table(page, "Lines and bytes before and after")
    assert [*map(number, lines[1:4])] == [tally.lines_in, tally.lines_out, tally.lines_in - tally.lines_out]
    assert [*map(number, size[1:4])] == [tally.bytes_in, tally.bytes_out, tally.bytes_in - tally.bytes_out]
    for caption, counts in (
        ("Lines removed by kind", tally.removed_by_kind),
        ("Lines removed by reason", tally.removed_by_reason),
        ("Documents by flag", tally.flags),
    ):
        rows = table(page, caption)
        assert [number(row[2]) for row in rows] == sorted(counts.values(), reverse=True)
        assert all(row[0].startswith(name) for row, (name, _) in zip(rows, counts.most_common(), strict=True))
    assert table(page, "Lines removed by kind")[1] == ["navigation", "", "9", "0.1 %"]
    assert table(page, "Errors by reason") == [["not JSON", "2"], ["too large", "1"]]
    assert table(page, "Lines removed most often") == [
        ["Deal", "advert", "3,000"],
        ["Share", "advert", "3,000"],
        ["Home", "navigation", "9"],
    ]
    assert table(page, "Documents that took longest")[:2] == [["2999", "2.999"], ["2998", "2.998"]]
    assert table(page, "Documents trusted least")[0] == ["0000", "0.00"]
    assert len(table(page, "Documents trusted least")) == len(table(page, "Documents that took longest")) == MOST


def test_the_histograms_show_the_numbers_of_the_tally(page, tally):
    for caption, bins in (
        ("Quality of the documents", tally.quality),
        ("Share of each document that was removed", tally.removed_share),
    ):
        assert [number(count) for _, count in table(page, caption)] == bins
        (figure,) = (one for one in page.iter("figure") if one.find("figcaption").text == caption)
        heights = [float(bar.get("height")) for bar in figure.iter("rect")]
        assert len(heights) == BINS
        assert max(heights) == 100
        assert [height > 0 for height in heights] == [count > 0 for count in bins]
        said = figure.find("svg").get("aria-label")
        assert f"with {max(bins):,} of 3,001 documents." in said
        assert f"The median lies in {table(page, caption)[middle(bins)][0]}." in said


def middle(bins):
    documents = [place for place, count in enumerate(bins) for _ in range(count)]
    return documents[(len(documents) - 1) // 2]


def test_the_job_says_what_it_was(page):
    assert fact(page, "Inputs") == "crawl/a.jsonl.gzcrawl/b.jsonl.gz"
    assert fact(page, "Options") == 'keep: ["caption"]threshold: nulltrims: true'
    assert fact(page, "Model") == "name: news-1digest: sha256:00ff"
    assert fact(page, "Took") == "50.0 s"
    assert fact(page, "Workers") == "2"
    assert fact(page, "Documents a second") == "60.1"  # 3,004 in 50 seconds
    assert fact(page, "Text a second") == "3.6 kB"


def test_a_resumed_job_has_no_rate(tally):
    page = parsed(JOB | {"resumed": 3}, tally)
    assert (fact(page, "Documents a second"), fact(page, "Text a second")) == ("–", "–")


def test_of_many_inputs_the_first_are_named():
    page = parsed({"inputs": [f"part-{number}" for number in range(1234)]}, Tally())
    assert fact(page, "Inputs").endswith("part-19and 1,214 more")


def test_a_fact_without_a_label_is_shown_all_the_same():
    assert fact(parsed({"machine": "<two cores>"}, Tally()), "machine") == "<two cores>"


def test_lower_bounds_are_said_to_be_some(tally):
    notes = lambda page: [one.text_content() for one in page.find_class("note")]  # noqa: E731
    assert "All counts are exact." in notes(parsed(JOB, tally))
    missing = tally_of_a_job()
    missing.frequent_lines.missed = 1234
    assert "Counts are lower bounds: each may be up to 1,234 too low." in notes(parsed(JOB, missing))


def test_errors_that_are_not_named_are_counted():
    tally = Tally()
    for reason in range(MOST + 7):
        tally.add_error(f"{reason:03}")
    rows = table(parsed({}, tally), "Errors by reason")
    assert rows[-1] == ["others", "7"]
    assert sum(number(row[1]) for row in rows) == tally.errors


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_outside_becomes_markup(text):
    plain, hostile = Tally(), Tally()
    for tally, given in ((plain, "text"), (hostile, text)):
        tally.add(given, 100, cleaned(given), 0.5)
        tally.add_error(given)
        tally.removed_by_kind[given] += 5
        tally.removed_by_reason[given] += 5
        tally.flags[given] += 5
    jobs = [
        {
            **dict.fromkeys(("output", "started", "finished", "workers", "resumed"), given),
            "inputs": [given],
            "options": {given: given, "more": [given]},
            "model": {given: given},
            "other": given,
        }
        for given in ("text", text)
    ]
    shapes = [
        [(one.tag, *sorted(one.attrib)) for one in parsed(job, tally).iter()]
        for job, tally in zip(jobs, (plain, hostile), strict=True)
    ]
    assert shapes[0] == shapes[1]
    page = parsed(jobs[1], hostile)
    assert table(page, "Lines removed most often")[0][0] == text
    assert table(page, "Documents trusted least")[0][0] == text
    assert table(page, "Errors by reason")[0][0] == text
    assert fact(page, "Inputs") == fact(page, "Output") == fact(page, "other") == text
    assert not {one.tag for one in page.iter()} & {"script", "img", "a", "iframe", "link", "object", "form", "h3"}
    assert not [name for one in page.iter() for name in one.attrib if name.startswith("on") or name in ("src", "href")]


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_written_out(text):
    tally = Tally()
    tally.add(f"a{text}b", 100, cleaned(f"c{text}d"), 0.5)
    source = summary_page(summary_of({"output": text}, tally))
    assert not re.search(r"[^\n\x20-\x7e\xa0-\uffff]|[\xad\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", source)
    shown = "".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in text)
    page = html.document_fromstring(source)
    assert table(page, "Lines removed most often")[0][0] == f"c{shown}d"
    assert table(page, "Documents trusted least")[0][0] == f"a{shown}b"


def test_other_scripts_stay_as_they_are():
    for text in ("می‌خواهیم بمانیم", "क्‍ष", "👩‍🚒 — “ferry”"):
        assert to_html(text).replace("&quot;", '"') == text


def test_a_line_of_which_nothing_can_be_seen_says_so():
    tally = Tally()
    tally.add("", 9, cleaned("", kind=Kind.RESIDUE), 0.5)
    page = parsed({}, tally)
    assert table(page, "Lines removed most often")[0][0] == "(nothing visible)"


def test_an_empty_job_has_a_page():
    page = parsed({}, Tally())
    (equation,) = page.find_class("equation")
    assert " ".join(equation.text_content().split()) == "0 in = 0 out + 0 errors"
    assert [*page.iter("svg")] == []
    assert [row[1:] for row in table(page, "Lines and bytes before and after")] == [["0", "0", "0", "–"]] * 2
    assert fact(page, "Documents a second") == fact(page, "Inputs") == fact(page, "Took") == "–"
    assert "Errors by reason: none." in page.text_content()


def test_a_job_of_errors_only_has_a_page():
    tally = Tally()
    tally.add_error("not JSON")
    (equation,) = parsed(JOB, tally).find_class("equation")
    assert " ".join(equation.text_content().split()) == "1 in = 0 out + 1 errors"


def test_huge_numbers_are_shown_whole():
    huge = 10**18
    tally = tally_of_a_job()
    for name in ("documents", "errors", "bytes_in", "lines_in", "trims", "microseconds"):
        setattr(tally, name, huge)
    tally.removed_by_kind["advert"] = huge
    tally.quality[7] = huge
    page = parsed(JOB | {"seconds": 1e9}, tally)
    assert table(page, "Lines and bytes before and after")[0][1] == "1,000,000,000,000,000,000"
    assert table(page, "Lines removed by kind")[0][2] == "1,000,000,000,000,000,000"
    assert table(page, "Quality of the documents")[7][1] == "1,000,000,000,000,000,000"
    assert fact(page, "Took") == "277,777 h 46 min 40 s"


def test_every_flag_and_every_reason_is_explained():
    assert set(FLAG_MEANINGS) == set(Flag)
    assert set(REASON_MEANINGS) == set(Reason)


def test_the_page_needs_nothing_else_and_allows_nothing_else(page):
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = (one.text for one in page.iter("style"))
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    assert "url(" not in style
    assert "@import" not in style
    assert page.get("lang") == "en"


def test_everything_has_a_name_for_those_who_do_not_see_it(page):
    assert len([*page.iter("h1")]) == 1
    assert all(one.find("h2") is not None for one in page.iter("section"))
    assert all(one.findtext("caption") for one in page.iter("table"))
    assert all(one.get("scope") in ("row", "col") for one in page.iter("th"))
    for chart in page.iter("svg"):
        assert chart.get("aria-hidden") == "true" or (chart.get("role"), bool(chart.get("aria-label"))) == ("img", True)
