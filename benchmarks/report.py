"""What a benchmark found, as a table for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. It shall not exceed `bound` nor fall below `floor` on the machine of `docs/benchmarks.md`."""

    name: str
    told: str
    value: float
    unit: str = ""
    digits: int = 0
    bound: float | None = None
    floor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one benchmark, the most important first, and what there is to say about them."""

    name: str
    title: str
    figures: Sequence[Figure]
    remarks: Sequence[str] = ()


def table(report: Report) -> str:
    """Text with a line for each figure."""
    width = max((len(figure.told) for figure in report.figures), default=0)
    figures = (_line(figure, width) for figure in report.figures)
    return "\n".join([report.title, *figures, *(f"  {remark}" for remark in report.remarks)])


def document(report: Report) -> dict[str, float]:
    """The figures by name."""
    return {figure.name: round(figure.value, 3) for figure in report.figures}


def _line(figure: Figure, width: int) -> str:
    line = f"  {figure.told:<{width}}  {figure.value:>10,.{figure.digits}f} {figure.unit:<4}"
    return f"{line} {_verdict(figure)}".rstrip()


def _verdict(figure: Figure) -> str:
    if figure.bound is not None:
        verdict = "within" if figure.value <= figure.bound else "ABOVE"
        return f"{verdict} {figure.bound:,.{figure.digits}f}"
    if figure.floor is not None:
        verdict = "reaches" if figure.value >= figure.floor else "BELOW"
        return f"{verdict} {figure.floor:,.{figure.digits}f}"
    return ""
