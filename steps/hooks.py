"""Messages of a run that fails or is interrupted: hooks for ``@pipeline(on_init=..., on_failure=...)``.

``on_failure`` handles failed steps. Ctrl-C between two steps makes ZenML print only "Aborted!" without calling a hook, so
``on_init`` installs a signal handler.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from zenml import get_step_context

PRODUCTION_STANDS = "the version promoted before is unchanged, and the same command continues from it"
IT_GOES_ON = "finished work is kept, and the same command continues from it"


def say_on_ctrl_c(what_stands: str) -> None:
    """Make Ctrl-C print the message at once, and then stop the run as usual."""

    def stop(number: int, frame: Any) -> None:
        # Not by sys.stderr: a signal may come in the middle of a write to it, and it cannot be entered twice.
        os.write(2, f"stopped; {what_stands}\n".encode())
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, stop)


def say_that_production_stands(exception: BaseException | None) -> None:
    """A step of a self-play run failed."""
    _say(exception, PRODUCTION_STANDS)


def say_that_it_goes_on(exception: BaseException | None) -> None:
    """A step of a job that stores finished parts failed."""
    _say(exception, IT_GOES_ON)


def _say(exception: BaseException | None, what_stands: str) -> None:
    import click

    if not isinstance(exception, KeyboardInterrupt):  # The signal handler has printed the message.
        click.echo(f"{get_step_context().step_run.name} failed; {what_stands}", err=True)


def _options(what_stands: str, on_failure: Callable[[BaseException | None], None]) -> dict[str, Any]:
    return {"on_init": say_on_ctrl_c, "on_init_kwargs": {"what_stands": what_stands}, "on_failure": on_failure}


PROMOTING = _options(PRODUCTION_STANDS, say_that_production_stands)
"""Options of a pipeline that promotes a policy at its end."""
RESUMABLE = _options(IT_GOES_ON, say_that_it_goes_on)
"""Options of a pipeline that stores finished parts as it goes."""
