"""The game's rules, played by scripted players and by players that record what they were shown."""

import pytest

from tests.make import plain_pair, scene_pairs
from vision_zero.config.game import GameConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.errors import GameError
from vision_zero.game.engine import deal_all, play, play_recorded
from vision_zero.game.interface import Reply
from vision_zero.game.prompts import SpokenClue, vote_prompt
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import JUDGE, outcome, vote_rates
from vision_zero.policy.scripted import Random
from vision_zero.randomness import Seed

SEED = Seed(11)


class Talker:
    """Thinks and says things that name their author, and keeps every request."""

    def __init__(self, votes="N/A"):
        self.requests = []
        self.calls = 0
        self.votes = votes

    def reply(self, requests, seed):
        self.calls += 1
        self.requests.extend(requests)
        return [
            Reply(
                f"secret-{request.seat}-{request.round} \\boxed{{said-{request.seat}-{request.round}}}"
                if request.kind == "clue"
                else f"secret-vote-{request.seat} \\boxed{{{self.votes}}}"
            )
            for request in requests
        ]


def played(config, count=3, players=None):
    players = players or Talker()
    game = WhoIsTheSpy(config)
    tables = play(game, deal_all(game, [plain_pair(f"p{number}") for number in range(count)], SEED), players, SEED)
    return game, tables, players


@pytest.mark.parametrize("wording", ["paper", "compact"])
@pytest.mark.parametrize("remember", [True, False])
def test_no_seat_is_shown_anothers_thoughts_or_image(wording, remember):
    config = GameConfig(prompt=wording, remember_reasoning=remember)
    _, tables, players = played(config)
    spies = {table.transcript.game_id: table for table in tables}
    for request in players.requests:
        table = spies[request.game_id]
        is_spy = request.seat == table.transcript.spy
        assert request.image is (table.spy_image if is_spy else table.original)
        for other in range(1, 5):
            if other != request.seat:
                assert f"secret-{other}-" not in request.prompt
        if request.round == 1:
            assert "secret-" not in request.prompt
        elif remember:
            assert f"secret-{request.seat}-1" in request.prompt
        else:
            assert "secret-" not in request.prompt


def test_each_seat_hears_all_earlier_clues_and_no_later_one():
    _, _, players = played(GameConfig(prompt="compact"), count=1)
    for request in players.requests:
        heard = [f"said-{clue.seat}-{clue.round}" for clue in request.clues]
        order = [f"said-{seat}-{round_}" for round_ in (1, 2) for seat in (1, 2, 3, 4)]
        expected = order if request.kind == "vote" else order[: (request.round - 1) * 4 + request.seat - 1]
        assert heard == expected
        for text in order:
            assert (text in request.prompt) == (text in expected)


@pytest.mark.parametrize(("civilians", "rounds", "count"), [(3, 2, 1), (3, 2, 32), (2, 1, 5), (5, 3, 4)])
def test_a_batch_of_any_size_takes_one_call_a_turn(civilians, rounds, count):
    game, tables, players = played(GameConfig(civilians=civilians, rounds=rounds), count)
    assert players.calls == (civilians + 1) * rounds + 1
    assert len(tables) == count
    assert all(not game.turns(table) for table in tables)


def test_only_civilians_vote_and_the_judge_in_their_place():
    _, tables, players = played(GameConfig())
    told = "\n- After the last round the civilians vote for the player they take for the spy. To be voted for is bad "
    assert told in players.requests[0].prompt
    for table in tables:
        assert tuple(move.seat for move in table.transcript.votes) == table.transcript.civilians
    _, tables, players = played(GameConfig(voters="judge", judge_votes=5), count=2)
    assert "the civilians vote" not in players.requests[0].prompt
    assert " a judge who sees the civilians' picture votes for the player it takes for the spy. " in players.requests[0].prompt
    assert [move.seat for move in tables[0].transcript.votes] == [JUDGE] * 5
    assert all(request.image is tables[0].original for request in players.requests[-10:-5])


def test_the_spys_seat_is_uniform():
    game = WhoIsTheSpy(GameConfig())
    counts = [0] * 5
    for number in range(2000):
        counts[game.deal(plain_pair(), SEED.child(number)).transcript.spy] += 1
    assert counts[0] == 0
    assert all(430 < count < 570 for count in counts[1:])


def test_what_the_spy_sees():
    pair = plain_pair()
    seen = {
        mode: WhoIsTheSpy(GameConfig(spy_image=mode)).deal(pair, SEED).spy_image for mode in ("modified", "identical", "blank")
    }
    assert seen["modified"] is pair.modified
    assert seen["identical"] is pair.original
    assert seen["blank"].getcolors() == [(16 * 16, (255, 255, 255))]


def test_bad_replies_are_moves_with_reasons():
    class Bad:
        def reply(self, requests, seed):
            texts = ["", "\\boxed{", "\\boxed{}", "x" * 10_000, "<script>\\boxed{<|end|>}"]
            if requests[0].kind == "vote":
                texts = ["\\boxed{9}", "\\boxed{me}", "\\boxed{1}\\boxed{N/A}"]
            return [Reply(texts[number % len(texts)], is_cut_off=number == 3) for number in range(len(requests))]

    _, tables, _ = played(GameConfig(), count=5, players=Bad())
    first_clues = [table.transcript.moves[0].unreadable for table in tables]
    assert first_clues == ["no_box", "open_box", "empty", "cut_off", "empty"]
    votes = [(move.vote, move.unreadable) for move in tables[0].transcript.votes]
    assert votes == [(None, "out_of_range"), (None, "not_a_vote"), (None, None)]
    result = outcome(tables[0].transcript)
    assert (result.right, result.wrong, result.abstained, result.unreadable) == (0, 0, 1, 2)
    assert vote_rates([tables[0].transcript]).abstention == pytest.approx(1 / 3)


def test_a_tie_lets_the_spy_go():
    from tests.make import game

    assert not outcome(game(players=4, spy=1, votes={2: 1, 3: 2, 4: None})).is_spy_caught
    assert outcome(game(players=4, spy=1, votes={2: 1, 3: 1, 4: 2})).is_spy_caught
    assert not outcome(game(players=4, spy=1, votes={2: None, 3: None, 4: None})).is_spy_caught


def test_a_reply_at_the_wrong_table_is_refused():
    game = WhoIsTheSpy(GameConfig())
    one, two = deal_all(game, [plain_pair(), plain_pair()], SEED)
    with pytest.raises(GameError, match="came to the game"):
        game.hear(one, game.turns(two)[0], Reply("\\boxed{x}"))


def test_players_that_answer_too_little_are_refused():
    class Lazy:
        def reply(self, requests, seed):
            return []

    game = WhoIsTheSpy(GameConfig())
    with pytest.raises(GameError, match="1 seats were asked and 0 replies"):
        play(game, deal_all(game, [plain_pair()], SEED), Lazy(), SEED)


def test_the_record_holds_every_request_with_its_reply():
    game = WhoIsTheSpy(GameConfig())
    tables, record = play_recorded(game, deal_all(game, [plain_pair(), plain_pair()], SEED), Talker(), SEED)
    assert len(record) == 2 * (8 + 3)
    by_game = [reply.text for request, reply in record if request.game_id == tables[1].transcript.game_id]
    assert by_game == [move.reply for move in tables[1].transcript.moves]


def test_the_same_seed_deals_and_plays_the_same_games():
    pairs = scene_pairs(4)
    game = WhoIsTheSpy(GameConfig())
    one, two = ([table.transcript for table in play(game, deal_all(game, pairs, SEED), Random(pairs), SEED)] for _ in range(2))
    assert one == two
    other = [table.transcript for table in play(game, deal_all(game, pairs, Seed(12)), Random(pairs), Seed(12))]
    assert other != one


@pytest.mark.parametrize("wording", ["compact", "paper"])
def test_seats_that_said_nothing_are_named_to_voters_where_the_rules_say_so(wording):
    clues = [SpokenClue(1, 1, "a red cube"), SpokenClue(1, 3, "two spheres"), SpokenClue(2, 1, "a cone")]
    named = vote_prompt(GameConfig(prompt=wording, name_silent=True), 1, "civilian", clues)
    left_out = vote_prompt(GameConfig(prompt=wording, name_silent=False), 1, "civilian", clues)
    said = {
        "compact": ["2: nothing.", "4: nothing."],
        "paper": [f"Player {seat} said nothing that could be understood." for seat in (2, 4)],
    }[wording]
    assert [line for line in named.splitlines() if "nothing" in line] == said
    assert [line for line in named.splitlines() if line not in said and line] == [line for line in left_out.splitlines() if line]
    assert vote_prompt(GameConfig(prompt=wording), 1, "civilian", clues) == (named if wording == "compact" else left_out)
    heard_all = [SpokenClue(1, seat, "a red cube") for seat in range(1, 5)]
    prompts = {vote_prompt(GameConfig(prompt=wording, name_silent=names), 1, "civilian", heard_all) for names in (True, False)}
    assert len(prompts) == 1


def test_voters_are_told_what_their_votes_score():
    def told(**rewards):
        prompt = vote_prompt(GameConfig(), 1, "civilian", [], rewards=RewardsConfig(**rewards))
        return next(line for line in prompt.splitlines() if line.startswith("3. "))

    assert told() == '3. A right vote scores 1, a wrong one -1, "N/A" (you cannot tell) -0.5.'
    assert told(vote_abstain=0, vote_right=1.5) == '3. A right vote scores 1.5, a wrong one -1, "N/A" (you cannot tell) 0.'
    assert told(vote="brier") == '3. A right vote scores 1, a wrong one -1, "N/A" (you cannot tell) -1.'
    game, players = WhoIsTheSpy(GameConfig(), RewardsConfig(vote_abstain=0.25)), Talker()
    play(game, deal_all(game, [plain_pair()], SEED), players, SEED)
    assert {"0.25." in request.prompt for request in players.requests if request.kind == "vote"} == {True}
