"""What trackers get at a run's end, and what the report says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from vision_zero.config.tracking import TrackedRun, TrackerName
from vision_zero.config_base import Config
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.game.played_games import PlayedGames
from vision_zero.game.transcript import Move, Transcript
from vision_zero.rewards.clue import clue_totals
from vision_zero.tracking.table import Cell, Table
from vision_zero.tracking.tracking import ALREADY_THERE, Tracking, Unsent
from vision_zero.training.diagnostics import Alarms
from vision_zero.training.state import IterationRecord, StageState

REPLAY_COLUMNS = ("game", "pair", "move", "player", "role", "said", "is right", "reasoning", "clue reward")


class Tracked(Config):
    """What one tracker got of a run.

    Attributes:
        place: where to look at it; empty where the tracker was never reached.
        iterations: of the run.
        unsent: iterations that it did not get, by reason.
        end_unsent: why it did not get the scores, alarms and replay of the run's end; empty if it did.
    """

    name: TrackerName
    place: str = ""
    iterations: int = 0
    unsent: dict[str, int] = Field(default_factory=dict)
    end_unsent: str = ""

    @property
    def is_complete(self) -> bool:
        """Did it get everything?"""
        return not self.unsent and not self.end_unsent

    @property
    def sentence(self) -> str:
        """In one line."""
        sent = self.iterations - sum(self.unsent.values())
        missing = [f"{number} not sent: {reason}" for reason, number in self.unsent.items()]
        if self.end_unsent:
            missing.append(f"scores, alarms and replay not sent: {self.end_unsent}")
        return "; ".join([f"{sent} of {self.iterations} iterations sent", *missing])


class TrackedOutcome(Config):
    """All trackers of a run; none where the recipe names none."""

    trackers: tuple[Tracked, ...] = ()


def send_outcome(
    run: TrackedRun, before: StageState, state: StageState, alarms: Alarms, suites: Scorecard, games: PlayedGames
) -> TrackedOutcome:
    """Send the run's held-out scores, its alarms, its suites and a replay, and sum up what its trackers got.

    Args:
        before: where the run began.
        state: where it ended.
        games: of its last round.
    """
    own = state.measured[len(before.measured) :]
    unsent: Unsent = {}
    with Tracking(run) as tracking:
        for scores in own[:-1]:
            unsent |= tracking.send("eval", scores.iteration, score_metrics(scores))
        last = score_metrics(own[-1]) if own else {}
        last |= {f"alarm/{alarm.name}": float(alarm.is_raised) for alarm in alarms.alarms}
        last |= {f"suite/{name}": accuracy.mean for name, accuracy in suites.accuracies.items()}
        seen = tuple((alarm.name, alarm.state, alarm.sentence) for alarm in alarms.alarms)
        table = Table("alarms", ("alarm", "state", "what it saw"), seen)
        unsent |= tracking.send("eval", state.iteration, last, table, replay_table(games))
        places = tracking.places()
        unsent |= tracking.close()
    records = state.history[len(before.history) :]
    return TrackedOutcome(
        trackers=tuple(_summary(name, places.get(name, ""), records, unsent.get(name, "")) for name in run.trackers)
    )


def _summary(name: TrackerName, place: str, records: Sequence[IterationRecord], end_unsent: str) -> Tracked:
    unsent = Counter(record.unsent[name] for record in records if name in record.unsent)
    # A run that trained nothing measures the same policy again; after a refused run another policy has that iteration.
    is_repeated = not records and end_unsent == ALREADY_THERE
    return Tracked(
        name=name, place=place, iterations=len(records), unsent=dict(unsent), end_unsent="" if is_repeated else end_unsent
    )


def score_metrics(scores: Scores) -> dict[str, float]:
    """The policy's mean of each held-out score under its name, the frozen base's as ``base/<name>``."""
    means = {score.name: score.policy.mean for score in scores.scores if score.policy.units}
    return means | {f"base/{score.name}": score.base.mean for score in scores.scores if score.base.units}


def replay_table(games: PlayedGames) -> Table:
    """The games of the replay, a move a row."""
    rows: list[tuple[Cell, ...]] = []
    for game in games.shown()[0]:
        earned = clue_totals(game, games.rewards)
        rows += [_row(game, move, earned) for move in game.moves]
    return Table("replay", REPLAY_COLUMNS, tuple(rows))


def _row(game: Transcript, move: Move, earned: Mapping[int, float]) -> tuple[Cell, ...]:
    if move.unreadable:
        said = f"cannot be read: {move.unreadable}"
    elif move.kind == "clue":
        said = move.clue
    else:
        said = "N/A" if move.vote is None else f"player {move.vote}"
    about = (game.game_id, game.pair_id)
    if move.kind == "clue":
        return (*about, f"clue {move.round}", move.seat, move.role, said, None, move.reasoning, round(earned[move.seat], 4))
    return (*about, "vote", move.seat, move.role, said, move.vote == game.spy, move.reasoning, None)
