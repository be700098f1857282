"""What a run says when it ends before its end: hooks for ``@pipeline(on_init=..., on_failure=...)``.

A step that fails says it by the second. Ctrl-C may also come between two steps, where ZenML calls no hook and says "Aborted!"
alone, so the first has the signal itself say it.
"""

import signal
import threading
from typing import Any

from zenml import get_step_context

PRODUCTION_STANDS = "what earlier runs promoted stands, and the same command goes on from there"
"""After a self-play run: it promotes at its very end, so what earlier runs promoted is as it was."""
IT_GOES_ON = "what it had finished is kept, and the same command goes on where it stopped"
"""After a job that keeps what it has done, piece by piece."""


def say_on_ctrl_c(what_stands: str) -> None:
    """From now on Ctrl-C says what stands, at once, and then stops the run as ever."""
    import click

    def stop(number: int, frame: Any) -> None:
        click.echo(f"stopped; {what_stands}", err=True)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, stop)


def say_that_production_stands(exception: BaseException | None) -> None:
    """A step of a self-play run failed."""
    _say(exception, PRODUCTION_STANDS)


def say_that_it_goes_on(exception: BaseException | None) -> None:
    """A step of a job that keeps what it has done failed."""
    _say(exception, IT_GOES_ON)


def _say(exception: BaseException | None, what_stands: str) -> None:
    import click

    if not isinstance(exception, KeyboardInterrupt):  # which was said when it came
        click.echo(f"{get_step_context().step_run.name} failed; {what_stands}", err=True)
