"""Pages show what happened, escape what a model said, and need nothing from elsewhere."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.make import clue, game, scene_pairs, vote
from vision_zero.config.learning import LearningConfig, StageConfig, SwitchConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.data.image_pair import outlines
from vision_zero.data.table import PairTable
from vision_zero.errors import GameError
from vision_zero.evaluation.comparison import Refused
from vision_zero.evaluation.estimates import Bound, Estimate, Score, Scores
from vision_zero.evaluation.promotion import Promotion
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.game.played_games import PlayedGames
from vision_zero.game.transcript import Transcript
from vision_zero.game.transcript_files import read_transcripts, write_transcripts
from vision_zero.policy.folder import PolicyFolder
from vision_zero.report.curves import curve_charts, curves_page, stage_bands
from vision_zero.report.gallery import gallery_page
from vision_zero.report.line_chart import Chart, Line, Threshold
from vision_zero.report.replay import replay_page
from vision_zero.report.reply_stats import replies_by_role
from vision_zero.report.run_folder import Outcome, RunFolder, RunTimes, StepTime, report_page, rewrite, summary_table
from vision_zero.training.diagnostics import Alarm, Alarms
from vision_zero.training.state import IterationRecord, StageState, Switch
from vision_zero.training.unplayed_games import UnplayedGames
from vision_zero.validation.verdict import Expectation, Quarantined, Verdict

TIMES = RunTimes(steps=(StepTime(name="clue_stage_1", start=0.5, end=9.5), StepTime(name="watch_1", start=9.5, end=10.0)))
PROMOTION = Promotion(
    rival="version 2",
    judged=3,
    pairs=64,
    objections=("right votes fell -21 [-33, -8] from 62 % of version 2",),
    refused=(Refused(version=3, reason=f"the suites: {'<b>'}charts is worse than before"),),
)
UNPLAYED = UnplayedGames(planned=10, reached=7, games=96)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def record(iteration, stage="decision", run="r1", **metrics):
    return IterationRecord(
        iteration=iteration,
        stage=stage,
        run=run,
        accuracy=0.4,
        abstention=0.1,
        running_accuracy=0.35,
        running_abstention=0.12,
        metrics={"vote/unreadable": 0.0, **metrics},
    )


def state():
    history = (
        record(0, kl=0.01, zero_variance=0.5, tokens=20.0),
        record(1, kl=0.02, zero_variance=0.4, tokens=21.0),
        record(
            2, "clue", "r2", **{"reward/spy": -0.1, "reward/civilian": 0.03, "seconds/play": 2.0, "vote/unreadable/no_box": 0.1}
        ),
    )
    return StageState(
        rules=SwitchConfig(),
        stage="clue",
        iteration=3,
        history=history,
        switches=(Switch(iteration=2, to="clue", cause="patience"),),
    )


def scores():
    value = Estimate(mean=0.5, low=0.4, high=0.6, units=8)
    return Scores(
        iteration=3, scores=(Score(name="decision/accuracy", policy=value, base=value, difference=value, judgement="same"),)
    )


def alarms():
    return Alarms(
        iteration=3,
        alarms=(
            Alarm(name="plateau", is_raised=False, sentence="1 of 5 measurements so far"),
            Alarm(name="negative transfer", is_raised=True, sentence=f"{EVIL} fell", blocks_promotion=True),
        ),
    )


def card(blocked=None):
    return Scorecard(policy="tiny", base=None, suites=(), blocked=blocked)


def outcome(blocked=None):
    return Outcome(state().before("r2"), state(), verdict(), scores(), alarms(), card(blocked), PROMOTION, TIMES, UNPLAYED)


def verdict():
    return Verdict(
        checked=10,
        passed=9,
        expectations=(Expectation(rule="has an id of its own", broken_by=0, holds=True),),
        quarantined=(Quarantined(pair_id=EVIL, reasons=(EVIL,)),),
    )


def played(text="a red cube"):
    pair = scene_pairs(1)[0]
    moves = (
        clue(1, "civilian", text, reasoning=text),
        clue(2, "spy", "no spheres"),
        vote(1, 2),
        vote(3, None),
        vote(4, "no_box"),
    )
    return Transcript("game-1", pair.pair_id, 4, 2, moves), pair


def assert_self_contained(page):
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:|report\.html|replay\.html)', page)
    assert "url(" not in page


def test_model_text_is_escaped_everywhere_it_is_shown():
    transcript, pair = played(EVIL)
    page = replay_page(EVIL, [transcript], {pair.pair_id: pair}, RewardsConfig())
    assert_self_contained(page)
    assert "&lt;script&gt;" in page
    assert "<img src=x" not in page
    assert_self_contained(report_page(EVIL, outcome()))
    assert_self_contained(gallery_page(EVIL, [replace(pair, pair_id=EVIL)], 1))


def test_a_replay_shows_clues_votes_and_rewards():
    transcript, pair = played()
    page = replay_page("Replay", [transcript], {pair.pair_id: pair}, RewardsConfig())
    assert_self_contained(page)
    for words in ("player 2 is the spy and was caught", "a red cube", "no spheres", "N/A", "unreadable: no box", "+1.0", "-0.5"):
        assert words in page, words
    assert page.count("data:image/png") == 2
    assert "-0.100" in page  # one vote on the spy costs it β
    for change in pair.changes:
        assert change.sentence() in page


def test_outlines_are_where_the_image_changed():
    pair = scene_pairs(1)[0]
    left, top, right, bottom = pair.changes[0].box
    found = outlines(pair)[0]
    assert (found.left, found.top) == (100 * left / 112, 100 * top / 112)
    assert (found.width, found.height) == (100 * (right - left) / 112, 100 * (bottom - top) / 112)


def test_the_course_has_thresholds_stages_and_curves():
    page = curves_page(state())
    assert_self_contained(page)
    for words in ("Votes: right, and N/A", "to clue", "Clue reward by role", "KL to the base", "Groups with equal rewards"):
        assert words in page, words
    bands = stage_bands(state().history)
    assert [(band.start, band.stop) for band in bands] == [(-0.5, 1.5), (1.5, 2.5)]
    assert curve_charts(StageState()) == []
    assert "No iteration has been trained yet" in curves_page(StageState())


@pytest.mark.parametrize("points", [[(0, 0.5)], [(0, 0.5), (1, 0.5)], [(3, -1e-9), (90, 1e9)], [(n, n % 7) for n in range(100)]])
def test_charts_stay_inside_their_frame(points):
    svg = Chart("t", [Line("a", points, "#123456")], [Threshold("level", 0.5, "#654321")]).svg()
    drawn = re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)" r="[\d.]+" fill="#123456" fill-opacity', svg)
    drawn += [point.split(",") for path in re.findall(r'<polyline points="([^"]+)"', svg) for point in path.split()]
    assert len(drawn) >= len(points)
    for x, y in drawn:
        assert 52 <= float(x) <= 506.1
        assert 57.9 <= float(y) <= 226.1
    assert Chart("t", [Line("a", [], "#123456")]).svg() == ""


def test_a_long_legend_does_not_lie_on_the_plot():
    svg = Chart("t", [Line(f"a curve with a long name, {number}", [(0, 0.0), (1, 1.0)], "#123456") for number in range(9)]).svg()
    names = [float(y) for y in re.findall(r'y="(\d+)">a curve', svg)]
    grid = [float(y) for y in re.findall(r'y1="([\d.]+)" x2="[\d.]+" y2="[\d.]+" stroke="#dde2e8"', svg)]
    assert max(names) < min(grid)
    assert len(set(names)) > 2


def test_points_far_apart_are_not_joined():
    points = [(0, 1.0), (1, 2.0), (5, 1.0), (9, 3.0), (10, 2.0)]
    joined, broken = (Chart("KL", [Line("votes", points, "#000", largest_gap=gap)]).svg() for gap in (4, 1))
    assert joined.count("<polyline") == 1
    assert broken.count("<polyline") == 2
    assert broken.count("<circle") == joined.count("<circle") == 5


def test_a_run_folder_is_whole_and_can_be_written_again(tmp_path):
    transcript, pair = played()
    games = PlayedGames((transcript,), PairTable.from_pairs([(0, pair)], "train"), RewardsConfig())
    folder = RunFolder(tmp_path / "runs" / "r2", "r2")
    page = folder.write(outcome(), PolicyFolder(None), games)
    names = {path.name for path in folder.path.iterdir()}
    assert {
        "report.html",
        "replay.html",
        "metrics.jsonl",
        "scores.json",
        "alarms.json",
        "suites.json",
        "state.json",
        "transcripts.parquet",
    } <= names
    assert (folder.path / "metrics.jsonl").read_text().count("\n") == 3
    assert read_transcripts(folder.path / "transcripts.parquet") == (transcript,)
    (folder.path / "report.html").unlink()
    replay = folder.path / "replay.html"
    replay.write_text("older")
    open_in_a_browser = tmp_path / "same file"
    open_in_a_browser.hardlink_to(replay)
    assert rewrite(folder.path).read_text() == page
    assert (open_in_a_browser.read_text(), replay.read_text()[:15]) == ("older", "<!doctype html>"), "replaced, not overwritten"
    assert not list(tmp_path.rglob("*.new"))


def test_pages_that_are_written_again_are_those_of_the_run(tmp_path, monkeypatch, caplog):
    """With its rewards, under its name: wherever the folder is, and whatever it is called."""
    transcript, pair = played()
    rewards = RewardsConfig(beta=0.5, lam=0.0)
    games = PlayedGames((transcript,), PairTable.from_pairs([(0, pair)], "train"), rewards)
    folder = RunFolder(tmp_path / "r2", "r2")
    folder.write(outcome(), PolicyFolder(None), games)
    pages = {name: (folder.path / name).read_text() for name in ("report.html", "replay.html")}
    assert "+0.167" in pages["replay.html"]
    assert "−0.500" in pages["replay.html"].replace("-0.500", "−0.500")
    moved = tmp_path / "a copy"
    shutil.copytree(folder.path, moved)
    monkeypatch.chdir(moved)
    for name in pages:
        (moved / name).unlink()
    assert rewrite(Path()) == Path("report.html")
    assert {name: (moved / name).read_text() for name in pages} == pages
    assert not caplog.records
    (folder.path / "run.json").unlink()
    (folder.path / "replay.html").write_text("as it was")
    monkeypatch.chdir(folder.path)
    rewrite(Path())
    assert (folder.path / "report.html").read_text() == pages["report.html"], "an earlier version's folder bears the run's name"
    assert (folder.path / "replay.html").read_text() == "as it was"
    assert "has no run.json" in caplog.text


def test_the_report_says_where_the_time_went():
    page = report_page("r2", outcome())
    assert re.search(r"<td>clue stage 1</td><td class=\"number\">9\.0</td>", page)
    assert re.search(r"<td>between steps</td><td class=\"number\">0\.5</td>", page)
    assert "10 % of the time is overhead" in page


def test_replies_are_shown_by_role():
    history = (
        record(0, "clue", **{"clue/spy/tokens": 10.0, "clue/spy/kl": 0.5, "clue/spy/entropy": 1.0, "zero_variance": 0.2}),
        record(1, "decision", **{"clue/spy/tokens": 20.0, "vote/tokens": 4.0, "kl": 0.1, "vote/unreadable/no_box": 0.25}),
        record(2, "decision", **{"vote/tokens": 4.0, "vote/words": 30.5, "vote/reasoned": 0.126, "vote/unreadable/no_box": 0.25}),
    )
    spy, votes = replies_by_role(history)
    assert (spy.who, spy.tokens, spy.kl, spy.entropy, spy.unreadable, spy.zero_variance) == (
        "the spy's clues",
        15.0,
        0.5,
        1.0,
        0.0,
        0.2,
    )
    assert (votes.tokens, votes.kl, votes.entropy, votes.unreadable) == (4.0, 0.1, None, 0.25)
    assert (votes.words, votes.reasoned, spy.words, spy.reasoned) == (30.5, 0.126, None, None)
    learned = StageState(history=history, iteration=3)
    page = report_page("r1", Outcome(StageState(), learned, verdict(), scores(), alarms(), card(), PROMOTION, TIMES, UNPLAYED))
    assert "25.0 %" in page
    assert ">30.5</td>" in page
    assert ">12.6 %</td>" in page
    for title in (
        "KL to the base, per token",
        "Length of replies, in words",
        "Reasoned replies",
        "Unreadable replies",
        "Groups with equal rewards",
    ):
        assert title in page


def test_curves_of_held_out_scores_begin_with_the_base():
    """After the first run there is one measurement; the policy that it began from is the base."""
    base, value = (Estimate(mean=mean, low=mean - 0.1, high=mean + 0.1, units=8) for mean in (0.3, 0.6))
    score = Score(name="questions/all", policy=value, base=base, difference=value, judgement="same")
    learned = state().model_copy(update={"measured": (Scores(iteration=3, scores=(score,)),)})
    [chart] = [chart for chart in curve_charts(learned) if chart.title == "Held-out scene questions"]
    assert [line.points for line in chart.lines] == [[(0, 0.3), (3, 0.6)], [(0, 0.3), (3, 0.3)]]


def test_scripted_players_are_levels_and_curves_in_the_plots():
    value = Estimate(mean=0.5, low=0.4, high=0.6, units=8)
    measured = Scores(
        iteration=3,
        scores=tuple(
            Score(name=name, policy=value, base=value, difference=value, judgement="same")
            for name in ("decision/accuracy", "wins/both", "wins/against liar")
        ),
        bounds=(Bound(player="oracle", name="decision/accuracy", estimate=value),),
    )
    learned = state().model_copy(update={"measured": (measured,)})
    charts = {chart.title: chart for chart in curve_charts(learned)}
    assert [level.name for level in charts["Held-out games: right votes"].thresholds] == ["oracle voter"]
    assert [line.name for line in charts["Held-out games: wins"].lines] == ["against the base", "liar"]
    assert "Held-out scene questions" not in charts
    page = report_page(
        "r2",
        Outcome(learned.before("r2"), learned, verdict(), measured, alarms(), card(), PROMOTION, RunTimes(steps=()), UNPLAYED),
    )
    assert "an oracle voter scores 50 % [40, 60] in decision/accuracy." in page


def test_alarms_are_in_the_report_and_in_the_summary(tmp_path, capsys):
    page = report_page("r2", outcome())
    for words in ("plateau: quiet", "negative transfer: raised", "It blocks promotion.", "This version is not promoted"):
        assert words in page, words
    for words in (
        "Comparison with version 2, which is in production",
        "right votes fell -21",
        "3 earlier runs of this model were judged",
    ):
        assert words in page, words
    assert "refused earlier, because of" in page
    assert "the suites: &lt;b&gt;charts is worse than before" in page
    summary_table(outcome(), RunFolder(tmp_path, "r2"))
    printed = capsys.readouterr().out
    assert "  plateau             quiet: 1 of 5 measurements so far" in printed
    assert "  negative transfer   RAISED: " in printed


def test_transcripts_read_back(tmp_path):
    games = (played()[0], game(players=5, spy=3, votes={1: 3, 2: None, 4: "cut_off", 5: 1}))
    write_transcripts(games, tmp_path / "games.parquet")
    assert read_transcripts(tmp_path / "games.parquet") == games
    with pytest.raises(GameError, match="2 games are called"):
        write_transcripts((games[1], *games), tmp_path / "twice.parquet")
    assert not (tmp_path / "twice.parquet").exists()


def test_games_that_pairs_were_made_for_and_that_were_not_played_are_counted_and_shown(tmp_path, capsys):
    config = SelfPlayConfig(iterations_per_round=10, learning=LearningConfig(iterations=100, games_per_iteration=32))
    before, after = (StageState(iteration=number) for number in (80, 87))
    assert UnplayedGames.of(config, 1, before, after) == UNPLAYED
    assert UnplayedGames.of(config, 2, before, StageState(iteration=100)).sentence == ""
    late = UnplayedGames.of(config, 1, StageState(iteration=95), StageState(iteration=100))
    assert (late.planned, late.games) == (5, 0)
    uneven = config.model_copy(
        update={"learning": LearningConfig(games_per_iteration=32, clue=StageConfig(games_per_iteration=24))}
    )
    trained = StageState(iteration=3, history=state().history)
    assert UnplayedGames.of(uneven, 1, StageState(), trained).fewer == 8, "one of three iterations was the clue stage's"
    assert "; 8 pairs were not played, for one stage" in UnplayedGames.of(uneven, 1, StageState(), trained).sentence
    said = "3 of 10 iterations were not reached, for a stage ended within its round: the next run plays their 96 games"
    assert said in report_page("r2", outcome())
    summary_table(outcome(), RunFolder(tmp_path, "r2"))
    assert said in capsys.readouterr().out
