# ruff: noqa: INP001 -- a module beside its script, in no package
"""The pictures of the quality report, drawn with matplotlib from plain arrays; what they show is measured elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

BLUE, RUST, GREEN, GREY, PALE = "#4a6d8c", "#b0704f", "#6f8f72", "#6b6b6b", "#d9d9d9"
COLOURS = (GREY, BLUE, GREEN, RUST)
DPI, TITLE = 150, 11


class Lines(NamedTuple):
    """The scores of some lines, and which of them were removed."""

    score: Floats
    removed: NDArray[np.bool_]


def curve(found: Floats, content: Floats) -> tuple[Floats, Floats]:
    """Precision and recall of removing all lines from some score on, for every score that occurs, highest first.

    >>> precision, recall = curve(np.array([0.9, 0.8]), np.array([0.8, 0.1]))
    >>> precision.round(2).tolist(), recall.tolist()
    ([1.0, 0.67, 0.5], [0.5, 1.0, 1.0])
    """
    scores = np.unique(np.concatenate([found, content]))[::-1]
    hit, lost = (len(part) - np.searchsorted(np.sort(part), scores) for part in (found, content))
    return hit / (hit + lost), hit / len(found)


def precision_recall(kinds: Mapping[str, Lines], content: Lines, path: Path) -> None:
    """Draw a small diagram for each kind: its lines against those of content, with the point where cleaning stands."""
    kinds = {name: lines for name, lines in kinds.items() if len(lines.score)}
    kinds["all of these"] = Lines(*map(np.concatenate, zip(*kinds.values(), strict=True)))
    columns = 4
    rows = -(-len(kinds) // columns)
    figure, axes = _figure(rows, columns, (2.3 * columns, 2.2 * rows + 1))
    for ax, (name, lines) in zip(axes, kinds.items(), strict=False):
        precision, recall = curve(lines.score, content.score)
        average = float(np.sum(precision * np.diff(recall, prepend=0)))
        ax.plot(recall, precision, color=BLUE, linewidth=1.5)
        gone, lost = int(lines.removed.sum()), int(content.removed.sum())
        ax.plot(gone / len(lines.removed), gone / max(gone + lost, 1), "o", color=RUST, markersize=6)
        ax.set_title(f"{name}\n{len(lines.score):,} lines, area {average:.2f}", fontsize=TITLE - 1)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    for ax in axes[len(kinds) :]:
        ax.axis("off")
    figure.supxlabel("recall: share of the lines of this kind that are removed", fontsize=TITLE)
    figure.supylabel("precision: their share among them and the content removed", fontsize=TITLE)
    figure.suptitle(
        "Removal score and what readers called the line (extracted text, out of fold)\n"
        f"each kind against {len(content.score):,} lines of content; the dot is where cleaning stands",
        fontsize=TITLE,
    )
    _save(figure, path)


def reliability(groups: Mapping[str, tuple[Floats, float]], path: Path) -> None:
    """Draw the share of boilerplate by score, and how many lines have such a score.

    Of each group the sums by bin (lines, scores, boilerplate) and the expected calibration error.
    """
    figure, (above, below) = _figure(2, 1, (6.5, 6.8), sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color=PALE, linewidth=4, label="as the score says")
    for colour, (name, (sums, error)) in zip(COLOURS, groups.items(), strict=False):
        lines, scores, truths = sums[:, sums[0] > 0]
        label = f"{name} (error {error:.3f})"
        above.plot(scores / lines, truths / lines, "o-", color=colour, markersize=4, linewidth=1.5, label=label)
        below.stairs(sums[0] / sums[0].sum(), np.linspace(0, 1, sums.shape[1] + 1), color=colour, linewidth=1.5)
    above.set_ylabel("share of boilerplate")
    above.legend(frameon=False, loc="upper left", fontsize=9)
    below.set(yscale="log", xlabel="score", ylabel="share of lines", ylim=(0.002, 1.3))
    below.set_yticks([0.01, 0.1, 1], labels=["1 %", "10 %", "100 %"])
    below.minorticks_off()
    figure.suptitle("How often a line with some score is boilerplate (out of fold)", fontsize=TITLE)
    _save(figure, path)


def learning_curve(points: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw what more sites to learn from are worth; ``headroom`` and ``lost`` in per cent by number of ``sites``."""
    points = sorted(points, key=lambda point: point["sites"])
    sites = [point["sites"] for point in points]
    figure, axes = _figure(1, 2, (8.5, 3.6))
    for ax, colour, name, title in zip(
        axes, (BLUE, RUST), ("headroom", "lost"), ("headroom won, %", "content lines lost, %"), strict=True
    ):
        ax.plot(sites, [point[name] for point in points], "o-", color=colour, markersize=5, linewidth=1.5)
        ax.set(xlabel="sites learned from", xlim=(0, 1.05 * sites[-1]))
        ax.set_ylim(min(0, ax.get_ylim()[0]), 1.1 * max(point[name] for point in points))
        ax.set_title(title, fontsize=TITLE - 1)
    figure.suptitle("What more sites to learn from are worth (out of fold)", fontsize=TITLE)
    _save(figure, path)


def _figure(
    rows: int,
    columns: int,
    size: tuple[float, float],
    *,
    sharex: bool = False,
    height_ratios: Sequence[float] | None = None,
) -> tuple["Figure", list["Axes"]]:
    """An empty figure that no window shows, and its diagrams row by row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, sharex=sharex, squeeze=False, height_ratios=height_ratios).ravel().tolist()
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.tick_params(labelsize=9, color=GREY)
    return figure, axes


def _save(figure: "Figure", path: Path) -> None:
    """Write a picture that does not name the version of the library, so that the same figures give the same file."""
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
