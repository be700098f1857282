"""All suites: a line each. The configuration, the command line and the evaluation read it."""

from __future__ import annotations

from typing import NamedTuple


class SuiteEntry(NamedTuple):
    """A registered suite.

    Attributes:
        module: the module below ``vision_zero.evaluation`` whose ``open_suite(config)`` loads it.
        has_look: its images or questions depend on ``look``.
    """

    module: str
    has_look: bool = True


SUITES: dict[str, SuiteEntry] = {
    "scenes": SuiteEntry("suites.scenes"),
    "charts": SuiteEntry("suites.charts"),
    "differences": SuiteEntry("suites.differences"),
    "odd_one_out": SuiteEntry("suites.odd_one_out"),
    "easy_vqa": SuiteEntry("suites.easy_vqa"),
    "chartqa": SuiteEntry("benchmarks.chartqa", has_look=False),
    "mathvista": SuiteEntry("benchmarks.mathvista", has_look=False),
}
