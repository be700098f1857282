"""The main pipeline: resume, take fingerprints → pairs → validate → measure base → clue stage → decision stage → evaluate →
switch stage → alarms → suites → compare with the version in production → report → promote.

    zenml pipeline run pipelines.self_play.self_play -c configs/self_play/nano.yaml

Static, so that it runs on every orchestrator and on a schedule: the first and later runs have the same graph, and ``resume``
finds out at run time whether there is a promoted policy to continue from.
"""

from pipelines.recipes import recipe_pipeline
from steps.cache_policy import take_fingerprints
from steps.evaluation import ask_suites
from steps.hooks import PROMOTING
from steps.pairs import make_all_pairs, validate_pairs
from steps.promotion import judge, promote, resume
from steps.reporting import report
from steps.stages import clue_stage, decision_stage, evaluate, measure_base, switch_stage, watch
from vision_zero.config.self_play import SelfPlayConfig


@recipe_pipeline(enable_cache=True, **PROMOTING)
def self_play(config: SelfPlayConfig, rounds: int = 1) -> None:
    """Run ``rounds`` rounds; for more iterations raise ``iterations_per_round`` or run again."""
    resumed, production, version = resume(config)
    *prints, validation_print, base_print = take_fingerprints(config)
    made = make_all_pairs(config, rounds, resumed, prints)
    pairs, held_out, own_pairs, _, verdict = validate_pairs(config, made, validation_print)
    base = measure_base(config.of_base, held_out, base_print)
    state, policy = resumed, production
    for number in range(1, rounds + 1):
        before = state
        state, policy, clue_games = clue_stage(config, before, policy, pairs, id=f"clue_stage_{number}")
        state, policy, vote_games = decision_stage(config, before, state, policy, pairs, id=f"decision_stage_{number}")
        scores, _ = evaluate(config, state, policy, held_out, *base, id=f"evaluate_{number}")
        state = switch_stage(before, state, scores, id=f"switch_stage_{number}")
        alarms = watch(config, state, clue_games, vote_games, scores, id=f"watch_{number}")
    suites = ask_suites(config, resumed, policy)
    judged = judge(config, resumed, production, version, state, policy, own_pairs)
    page = report(config, rounds, resumed, state, policy, verdict, scores, alarms, suites, judged, clue_games, vote_games)
    promote(version, state, policy, alarms, suites, judged, page)
