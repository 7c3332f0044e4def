"""Nothing is skipped in silence: every skip is listed and counted, and in CI it is a failure.

The one exception is a comparison of bytes that another toolchain than the recorded one cannot make: it is counted as
"not comparable" (reference_module/build.py names the toolchain).
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

NOT_COMPARABLE = "not comparable"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        if not reason.startswith(NOT_COMPARABLE):
            report.outcome = "failed"
            report.longrepr = f"skipped, and nothing is skipped in CI: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        reasons = sorted({_reason(report) for report in skipped})
        line = f"NOT RUN: {len(skipped)} tests, because: {'; '.join(reasons)}"
        terminalreporter.write_line(line, yellow=True, bold=True)


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
