"""What a benchmark found, as a table for people and as a document for programs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. `bound` is what it shall not exceed on the machine of `docs/benchmarks.md`; None if it only tells."""

    name: str
    told: str
    value: float
    unit: str = ""
    digits: int = 0
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one benchmark, the most important first."""

    name: str
    title: str
    figures: list[Figure]


def table(report: Report) -> str:
    """Text with a line for each figure."""
    width = max(len(figure.told) for figure in report.figures)
    lines = [report.title, *(_line(figure, width) for figure in report.figures)]
    return "\n".join(lines)


def document(report: Report) -> dict[str, float]:
    """The figures by name."""
    return {figure.name: round(figure.value, 3) for figure in report.figures}


def _line(figure: Figure, width: int) -> str:
    line = f"  {figure.told:<{width}}  {figure.value:>10,.{figure.digits}f} {figure.unit:<4}"
    if figure.bound is None:
        return line.rstrip()
    verdict = "within" if figure.value <= figure.bound else "ABOVE"
    return f"{line} {verdict} {figure.bound:,.{figure.digits}f}"
