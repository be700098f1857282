"""Steps that play, train, evaluate, switch stages and raise alarms."""

from typing import Annotated

from zenml import get_step_context, log_metadata, step

from steps.cache_policy import BY_CONTENT
from steps.trackers import stack_trackers
from vision_zero.atomic_dir import dir_of_process
from vision_zero.config.learning import Stage
from vision_zero.config.self_play import BaseMeasureConfig, SelfPlayConfig
from vision_zero.data.table import PairTable
from vision_zero.evaluation.estimates import BaseMeasures, Scores
from vision_zero.game.played_games import PlayedGames
from vision_zero.policy.folder import PolicyFolder
from vision_zero.training.diagnostics import Alarms
from vision_zero.training.state import StageState


@step(enable_cache=False)
def clue_stage(
    config: SelfPlayConfig, state: StageState, policy: PolicyFolder, pairs: PairTable
) -> tuple[Annotated[StageState, "clue_state"], Annotated[PolicyFolder, "clue_policy"], Annotated[PlayedGames, "clue_games"]]:
    """In the clue stage, play games and train on the clues; else pass the policy on."""
    state, policy, games = _run("clue", config, state, policy, pairs, config.iterations_per_round)
    return state, policy, games  # elements: ZenML reads the source of a step to tell several outputs from one


@step(enable_cache=False)
def decision_stage(
    config: SelfPlayConfig, before: StageState, state: StageState, policy: PolicyFolder, pairs: PairTable
) -> tuple[
    Annotated[StageState, "decision_state"], Annotated[PolicyFolder, "trained_policy"], Annotated[PlayedGames, "vote_games"]
]:
    """In the decision stage, play games and train on the votes for the round's remaining iterations; else pass the policy on."""
    left = config.iterations_per_round - (state.iteration - before.iteration)
    state, policy, games = _run("decision", config, state, policy, pairs, left)
    return state, policy, games


def _run(
    stage: Stage, config: SelfPlayConfig, state: StageState, policy: PolicyFolder, pairs: PairTable, iterations: int
) -> tuple[StageState, PolicyFolder, PlayedGames]:
    """The state and policy after so many iterations of the stage, if it is its turn, and the games that were played."""
    from vision_zero.training.job import StageJob, run_stage

    context = get_step_context()
    run, tracked = context.pipeline_run.name, config.tracked(context.model.name)
    job = StageJob.of(config, state, policy, pairs, dir_of_process(stage), run=run, iterations=iterations, tracked=tracked)
    with stack_trackers(config.tracking):
        result = run_stage(stage, job)
    games = PlayedGames.of(result.transcripts, pairs, config.rewards, config.replay_games, config.game.spy_image)
    log_metadata(result.summary(state))
    return result.state, result.policy, games


@step(cache_policy=BY_CONTENT)
def measure_base(
    config: BaseMeasureConfig, held_out: PairTable, fingerprint: str
) -> tuple[Annotated[BaseMeasures, "base_measures"], Annotated[PlayedGames, "base_games"]]:
    """Evaluate the frozen base on held-out games and questions; cached by ``fingerprint``."""
    from vision_zero.evaluation.held_out import HeldOut
    from vision_zero.policy.loading import load_policy

    measures, games = HeldOut.of(config, held_out).measure_base(load_policy(config.policy, None))
    log_metadata({**measures.texts()})
    return measures, PlayedGames.of(games, held_out, config.rewards, config.replay_games, config.game.spy_image)


@step(enable_cache=False)
def evaluate(
    config: SelfPlayConfig,
    state: StageState,
    policy: PolicyFolder,
    held_out: PairTable,
    base_measures: BaseMeasures,
    base_games: PlayedGames,
) -> tuple[Annotated[Scores, "scores"], Annotated[PlayedGames, "head_to_head"]]:
    """Evaluate the policy beside its frozen base on held-out games and questions."""
    from vision_zero.evaluation.held_out import HeldOut
    from vision_zero.policy.loading import load_policy

    player = load_policy(config.policy, policy.path, is_merged=config.learning.merged_play, beside_base=True)
    asked = HeldOut.of(config.of_base, held_out)
    base = asked.still_true(base_measures, base_games.transcripts, player)
    scores, transcripts = asked.measure(player, *base, state.iteration)
    log_metadata({score.name: score.policy.text() for score in scores.scores})
    return scores, PlayedGames.of(transcripts, held_out, config.rewards, config.replay_games, config.of_base.game.spy_image)


@step(enable_cache=False)
def switch_stage(before: StageState, trained: StageState, scores: Scores) -> Annotated[StageState, "stage_state"]:
    """Let the controller choose the next stage from this round's votes."""
    from vision_zero.training.controller import replayed

    state = replayed(before, trained, scores)
    switches = [f"iteration {switch.iteration} → {switch.to} ({switch.cause})" for switch in state.switches]
    log_metadata({"next stage": state.stage, "iteration": state.iteration, "switches so far": switches or ["none"]})
    return state


@step(enable_cache=False)
def watch(
    config: SelfPlayConfig, state: StageState, clue_games: PlayedGames, vote_games: PlayedGames, scores: Scores
) -> Annotated[Alarms, "alarms"]:
    """Raise alarms on the round's games and scores: see :mod:`vision_zero.training.diagnostics`."""
    from vision_zero.training.diagnostics import watch as watch_round

    games = clue_games.and_then(vote_games).transcripts
    alarms = watch_round(state, games, scores, config.rewards, config.alarms, confidence=config.evaluation.confidence)
    log_metadata({"alarms": {alarm.name: f"{alarm.state}: {alarm.sentence}" for alarm in alarms.alarms}})
    return alarms
