"""The step that writes the report."""

from typing import Annotated

from zenml import get_step_context, log_metadata, step
from zenml.types import HTMLString

from steps.trackers import stack_trackers
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.promotion import Promotion
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.game.played_games import PlayedGames
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.diagnostics import Alarms
from vision_zero.training.state import StageState
from vision_zero.training.unplayed_games import UnplayedGames
from vision_zero.validation.verdict import Verdict


@step(enable_cache=False)
def report(
    config: SelfPlayConfig,
    rounds: int,
    before: StageState,
    state: StageState,
    policy: PolicyFolder,
    verdict: Verdict,
    scores: Scores,
    alarms: Alarms,
    suites: Scorecard,
    promotion: Promotion,
    clue_games: PlayedGames,
    vote_games: PlayedGames,
) -> Annotated[HTMLString, "report"]:
    """Send scores, alarms and a replay to the recipe's trackers, write the report and plain files, and print the summary."""
    from vision_zero.report.run_folder import Outcome, RunFolder, RunTimes, summary_table
    from vision_zero.report.tracked_outcome import send_outcome

    context = get_step_context()
    run = context.pipeline_run
    assert run.start_time is not None, "this step runs, so its run has begun"
    done = {
        name: (step.start_time, step.end_time)
        for name, step in run.steps.items()
        if step.status == "completed" and step.start_time is not None and step.end_time is not None
    }
    folder = RunFolder.of(config, run.name, context.model.name)
    times, unplayed = RunTimes.of(run.start_time, done), UnplayedGames.of(config, rounds, before, state)
    games = clue_games.and_then(vote_games)
    with stack_trackers(config.tracking):
        tracked = send_outcome(config.tracked(context.model.name), before, state, alarms, suites, games)
    if tracked.trackers:
        log_metadata({"tracking": {one.name: f"{one.place}: {one.sentence}" for one in tracked.trackers}})
    outcome = Outcome(before, state, verdict, scores, alarms, suites, promotion, times, unplayed, tracked)
    page = folder.write(outcome, policy, games)
    summary_table(outcome, folder)
    return HTMLString(page)
