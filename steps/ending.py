"""What a run says when it ends before its end: hooks for ``@pipeline(on_failure=...)``."""

from zenml import get_step_context


def say_that_production_stands(exception: BaseException | None) -> None:
    """After a self-play run: it promotes at its very end, so what earlier runs promoted is as it was."""
    _say(exception, "what earlier runs promoted stands, and the same command goes on from there")


def say_that_it_goes_on(exception: BaseException | None) -> None:
    """After a job that keeps what it has done, piece by piece."""
    _say(exception, "what it had finished is kept, and the same command goes on where it stopped")


def _say(exception: BaseException | None, what_stands: str) -> None:
    import click

    happened = "was stopped" if isinstance(exception, KeyboardInterrupt) else "failed"
    click.echo(f"{get_step_context().step_run.name} {happened}; {what_stands}", err=True)
