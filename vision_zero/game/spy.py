"""Who is the spy? (arXiv 2509.25541, section 3.1).

Civilians see the original image, one spy sees the modified one. In every round the seats give one clue each, in order, and see
all earlier clues; then the voters vote simultaneously. Beyond the paper, by configuration: a blank or an identical image for
the spy, and a judge that votes instead of the civilians.
"""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from vision_zero.config.game import GameConfig
from vision_zero.config.rewards import RewardsConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.images import empty_image
from vision_zero.errors import GameError
from vision_zero.game.interface import GameState, Reply, Request
from vision_zero.game.parsing import Clue, Unreadable, Vote, one_line, read_clue, read_vote
from vision_zero.game.prompts import PAPER, Role, clue_prompt, vote_prompt
from vision_zero.game.transcript import JUDGE, Move, Transcript
from vision_zero.randomness import Seed


class WhoIsTheSpy:
    """The rules, for one configuration; all state is in :class:`~vision_zero.game.interface.GameState`.

    Args:
        rewards: of votes, which voters are told.
    """

    def __init__(self, config: GameConfig, rewards: RewardsConfig = PAPER) -> None:
        self.config, self.rewards = config, rewards

    @property
    def players(self) -> int:
        return self.config.civilians + 1

    def deal(self, pair: ImagePair, seed: Seed) -> GameState:
        """Start a game on a pair; the seed decides the spy's seat and the game's id."""
        spy = int(seed.child("spy").generator().integers(1, self.players + 1))
        transcript = Transcript(game_id=f"game-{seed.digest()[:16]}", pair_id=pair.pair_id, players=self.players, spy=spy)
        return GameState(pair.original, self._spy_image(pair), transcript)

    def turns(self, state: GameState) -> list[Request]:
        """Requests to all seats that may move now; empty when the game is over."""
        spoken = len(state.transcript.clue_moves)
        if spoken < self.players * self.config.rounds:
            return [self._clue_request(state, spoken % self.players + 1, spoken // self.players + 1)]
        if state.transcript.votes:
            return []
        if self.config.voters == "judge":
            return [self._vote_request(state, JUDGE)] * self.config.judge_votes
        return [self._vote_request(state, seat) for seat in state.transcript.civilians]

    def hear(self, state: GameState, request: Request, reply: Reply) -> GameState:
        """The state after the reply to one of its ``turns``."""
        transcript = state.transcript
        if request.game_id != transcript.game_id:
            raise GameError(f"a reply for game {request.game_id} came to the game {transcript.game_id}")
        return replace(state, transcript=replace(transcript, moves=(*transcript.moves, self.read(request, reply))))

    def read(self, request: Request, reply: Reply) -> Move:
        """Parse a reply into a move."""
        content: Clue | Vote | Unreadable
        if request.kind == "clue":
            reasoning, content = read_clue(reply.text, self.config.max_clue_characters)
        else:
            reasoning, content = read_vote(reply.text, self.players)
        if isinstance(content, Unreadable) and reply.is_cut_off:
            content = Unreadable("cut_off")
        return Move(
            seat=request.seat,
            role=request.role,
            kind=request.kind,
            round=request.round,
            prompt=request.prompt,
            reply=reply.text,
            reasoning=reasoning.strip(),
            clue=content.text if isinstance(content, Clue) else "",
            vote=content.seat if isinstance(content, Vote) else None,
            unreadable=content.reason if isinstance(content, Unreadable) else None,
            tokens=len(reply.tokens),
        )

    def _clue_request(self, state: GameState, seat: int, round_: int) -> Request:
        transcript = state.transcript
        role: Role = "spy" if seat == transcript.spy else "civilian"
        prompt = clue_prompt(self.config, seat, role, transcript.heard(), self._memory(transcript, seat), round_=round_)
        image = state.spy_image if role == "spy" else state.original
        return Request(transcript.game_id, seat, role, "clue", round_, prompt, image, transcript.heard())

    def _vote_request(self, state: GameState, seat: int) -> Request:
        transcript = state.transcript
        role: Role = "judge" if seat == JUDGE else "civilian"
        prompt = vote_prompt(self.config, seat, role, transcript.heard(), self._memory(transcript, seat), self.rewards)
        return Request(transcript.game_id, seat, role, "vote", 0, prompt, state.original, transcript.heard())

    def _memory(self, transcript: Transcript, seat: int) -> str:
        """The seat's own earlier reasoning, truncated to the newest part; other seats' reasoning is never shown."""
        if not self.config.remember_reasoning:
            return ""
        own = [one_line(move.reasoning) for move in transcript.clue_moves if move.seat == seat]
        text = " ".join(thought for thought in own if thought)
        limit = self.config.max_reasoning_characters
        return text[-limit:] if limit else ""

    def _spy_image(self, pair: ImagePair) -> Image.Image:
        if self.config.spy_image == "modified":
            return pair.modified
        if self.config.spy_image == "identical":
            return pair.original
        return empty_image(pair.original.size)
