"""All suites: a line each. The configuration, the command line and the evaluation read it."""

from __future__ import annotations

from typing import NamedTuple


class SuiteEntry(NamedTuple):
    """A registered suite.

    Attributes:
        module: the module below ``vision_zero.evaluation`` whose ``open_suite(config)`` loads it.
        has_look: its images or questions depend on ``look``.
        is_named_by_look: the name of its scores tells its look, unless that is ``full``.
    """

    module: str
    has_look: bool = True
    is_named_by_look: bool = True


SUITES: dict[str, SuiteEntry] = {
    "scenes": SuiteEntry("suites.scenes"),
    "charts": SuiteEntry("suites.charts"),
    "differences": SuiteEntry("suites.differences"),
    "odd_one_out": SuiteEntry("suites.odd_one_out"),
    "easy_vqa": SuiteEntry("suites.easy_vqa", is_named_by_look=False),
    "chartqa": SuiteEntry("benchmarks.chartqa", has_look=False, is_named_by_look=False),
    "mathvista": SuiteEntry("benchmarks.mathvista", has_look=False, is_named_by_look=False),
}
