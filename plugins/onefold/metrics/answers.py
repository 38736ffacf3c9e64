"""The metrics of the register API: of each process its own, which begin at 0 when it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from onefold.metrics.text import Metric, Sample


def answer_metrics(
    by_class: Mapping[str, int], bounds: Sequence[float], took: Sequence[int], seconds: float
) -> Iterator[Metric]:
    """`took`: how many answers kept which bound, in seconds, and at last how many kept none."""
    samples = [Sample(count, {"status": status}) for status, count in sorted(by_class.items())]
    yield Metric("onefold_api_answers_total", "counter", "Answers of the register API, by status.", samples)
    limits = [*(f"{bound:g}" for bound in bounds), "+Inf"]
    within = [Sample(count, {"le": le}, "_bucket") for le, count in zip(limits, accumulate(took), strict=True)]
    totals = [Sample(seconds, {}, "_sum"), Sample(sum(took), {}, "_count")]
    yield Metric("onefold_api_answer_seconds", "histogram", "How long an answer took.", [*within, *totals])
