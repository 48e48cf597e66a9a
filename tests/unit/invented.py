"""Pages of our own: one to look at closely, and generated ones on which laws are tried."""

import json
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from cleaner.features import LineFeatures, line_features
from cleaner.normalize import normalize_lines
from cleaner.page.blocks import Page, parse_markup, read_blocks
from cleaner.page.evidence import Evidence, read_evidence
from cleaner.page.head import read_head

STORY = [
    "The council of Pell met on Tuesday evening and voted for the new bridge over the river after years of talks.",
    "Work is to begin in May, the mayor said, and the ferry will go on until the last stone has been laid down.",
    "Neighbours on the far bank had asked for a second lane, but there was no money left for it in the end.",
]
TITLE = "Council votes for the bridge"
PAGE = f"""<html lang="en"><head><title>{TITLE} | The Pell Paper</title>
<meta property="og:title" content="{TITLE}"><meta name="description" content="After years of talks there will be one">
</head><body>
<nav class="main-menu"><a href="/">Home</a> <a href="/news">News</a></nav>
<main><article class="story">
<h1>{TITLE}</h1>
<p>{STORY[0]}</p><p>{STORY[1]}</p><p>{STORY[2]}</p>
<ul class="more"><li><a href="/1">Ferry to Pell is late</a></li><li><a href="/2">Rain on Sunday</a></li></ul>
</article></main>
<footer hidden>Made in Pell</footer>
</body></html>"""


class Read(NamedTuple):
    """What is known of a page before any model looks at it."""

    page: Page
    lines: list[str]
    features: LineFeatures
    evidence: Evidence


def read(markup):
    """Read a page as cleaning does."""
    root, _ = parse_markup(markup)
    page = read_blocks(root)
    lines = normalize_lines(page.texts, markup=False)
    return Read(
        page, lines, line_features(lines, np.array([0, len(lines)])), read_evidence(page, read_head(root), lines)
    )


def json_ld(body):
    """A script that says what the article is."""
    return f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "articleBody": body})}</script>'


_texts = st.sampled_from(
    [*STORY, *STORY, TITLE, "Share", "Read more", "\u200b", "x", "日本", " ", "© Pell 2024", "zzadvert"]
)
_tags = st.sampled_from(
    "p p p div div span li ul ol a b br h1 h2 h4 td tr table pre blockquote article main nav aside section figure"
    " figcaption button custom-part".split()
)
_attributes = st.sampled_from(
    ["", "", ' class="story"', ' class="Story-body leadText x"', ' id="main"', " hidden", ' style="display:none"',
     ' role="navigation"', ' itemprop="articleBody" itemtype="https://schema.org/NewsArticle"', ' class=""']
)  # fmt: skip
_parts = st.recursive(
    _texts,
    lambda inner: st.builds(
        lambda tag, said, parts: f"<{tag}{said}>{' '.join(parts)}</{tag}>",
        _tags,
        _attributes,
        st.lists(inner, max_size=5),
    ),
    max_leaves=30,
)
_heads = st.lists(
    st.sampled_from(
        [f"<title>{TITLE}</title>", f'<meta name="description" content="{STORY[1]}">', json_ld("\n".join(STORY)),
         '<meta property="og:title" content="…">', json_ld("Share " * 50)]
    ),
    max_size=3,
)  # fmt: skip
markups = st.builds(
    lambda head, body: f"<html><head>{''.join(head)}</head><body>{''.join(body)}</body></html>",
    _heads,
    st.lists(_parts, max_size=8),
)
