"""A run's end as trackers get it, and what the report says of them."""

from pathlib import Path

import pytest

from tests.report.test_pages import EVIL, alarms, assert_self_contained, card, outcome, played, record, scores, state
from tests.tracking.stores import read
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.tracking import TrackedRun
from vision_zero.data.table import PairTable
from vision_zero.game.played_games import PlayedGames
from vision_zero.report.run_folder import report_page, rewrite
from vision_zero.report.tracked_outcome import TrackedOutcome, replay_table, send_outcome
from vision_zero.tracking.tracking import ALREADY_THERE


@pytest.fixture
def followed(tmp_path, monkeypatch):
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR", raising=False)
    return TrackedRun(trackers=("tensorboard",), model="my_model", folder=str(tmp_path))


def games(text="a red cube"):
    transcript, pair = played(text)
    return PlayedGames((transcript,), PairTable.from_pairs([(0, pair)], "train"), RewardsConfig())


def before():
    return state().before("r2")


def after(**lost):
    """The second run's state: one iteration, measured; ``lost`` says who did not get it."""
    reached = state()
    history = (*reached.history[:2], reached.history[2].model_copy(update={"unsent": lost}))
    return reached.model_copy(update={"history": history, "measured": (scores(),)})


def test_scores_alarms_and_a_replay_are_sent_after_the_last_iteration(followed):
    sent = send_outcome(followed, before(), after(), alarms(), card(), games())
    found = read("tensorboard", Path(followed.folder), "my_model")
    assert found.eval["decision/accuracy"] == [(3, 0.5)]
    assert found.eval["base/decision/accuracy"] == [(3, 0.5)]
    assert (found.eval["alarm/plateau"], found.eval["alarm/negative transfer"]) == ([(3, 0.0)], [(3, 1.0)])
    assert "fell" in found.tables["alarms"][3]
    assert "no spheres" in found.tables["replay"][3]
    assert [tracked.sentence for tracked in sent.trackers] == ["1 of 1 iterations sent"]
    assert sent.trackers[0].place.endswith("tensorboard/my_model")
    assert sent.trackers[0].is_complete


def test_a_run_that_trained_nothing_sends_its_scores_once(followed):
    send_outcome(followed, before(), after(), alarms(), card(), games())
    again = send_outcome(followed, after(), after(), alarms(), card(), games())
    assert [tracked.sentence for tracked in again.trackers] == ["0 of 0 iterations sent"]
    assert read("tensorboard", Path(followed.folder), "my_model").eval["decision/accuracy"] == [(3, 0.5)]


def test_scores_of_a_run_after_a_refused_one_that_a_tracker_does_not_take_are_counted(followed):
    """The iteration was measured before, but of the policy that was refused."""
    send_outcome(followed, before(), after(), alarms(), card(), games())
    (again,) = send_outcome(followed, before(), after(), alarms(), card(), games()).trackers
    assert again.sentence == f"1 of 1 iterations sent; scores, alarms and replay not sent: {ALREADY_THERE}"
    assert not again.is_complete


def test_what_a_tracker_missed_is_counted_by_reason(followed):
    (Path(followed.folder) / "tensorboard").write_text("a file where the folder should be")
    state_after = after(tensorboard=ALREADY_THERE)
    (lost,) = send_outcome(followed, before(), state_after, alarms(), card(), games()).trackers
    assert not lost.is_complete
    assert lost.sentence.startswith(f"0 of 1 iterations sent; 1 not sent: {ALREADY_THERE}; scores, alarms and replay not sent: ")


def test_nothing_is_sent_without_trackers():
    assert send_outcome(TrackedRun(), before(), after(), alarms(), card(), games()) == TrackedOutcome()


def test_the_report_says_what_each_tracker_got(followed):
    sent = send_outcome(followed, before(), after(tensorboard=EVIL), alarms(), card(), games())
    shown = outcome()
    page = report_page("r2", type(shown)(**{**vars(shown), "tracking": sent}))
    assert_self_contained(page)
    assert "0 of 1 iterations sent; 1 not sent: &lt;script&gt;" in page
    assert "<h2>Tracking</h2>" not in report_page("r2", shown)


def test_a_folder_of_a_version_without_trackers_is_written_again(tmp_path):
    from vision_zero.policy.folder import PolicyFolder
    from vision_zero.report.run_folder import RunFolder

    folder = RunFolder(tmp_path / "r2", "r2")
    folder.write(outcome(), PolicyFolder(None), games())
    (folder.path / "tracking.json").unlink()
    assert "Self-play report" in rewrite(folder.path).read_text()


def test_a_replay_is_a_table_of_moves():
    rows = {(row[2], row[3]): row for row in replay_table(games(EVIL)).rows}
    assert rows["clue 1", 1][4:] == ("civilian", EVIL, None, EVIL, pytest.approx(0.0333, abs=0.0001))
    assert rows["clue 1", 2][4:6] == ("spy", "no spheres")
    assert rows["vote", 1][5:7] == ("player 2", True)
    assert rows["vote", 3][5:7] == ("N/A", False)
    assert rows["vote", 4][5:7] == ("cannot be read: no_box", False)


def test_records_of_earlier_versions_are_read():
    stored = record(0).model_dump()
    del stored["unsent"]
    assert type(record(0)).model_validate(stored).unsent == {}
