r"""A training stage from top to bottom: play, score, update, record, switch, save.

    run()                      for each iteration of the job, until the last one or until the controller switches stages:
      iterate()
        play()                   deal the iteration's pairs, play the games in lockstep       game/engine.py
        score()                  votes → rewards → advantages                                 clue_stage.py, decision_stage.py
        progress.measured()      vote rates → the stage controller; metrics                   progress.py, controller.py
        trainer.batch()          token ids, images, log-probs of the reference              updates.py
        trainer.update()         loss and gradient, micro-batch by micro-batch                updates.py
      the optimiser's step       clipping, Adam, learning rate, log: TRL's trainer
      Bookkeeping                the iteration's record; ends the stage; training state without pickle

TRL's trainer holds model, optimiser, schedule and processes, and calls ``iterate`` where it would generate completions of its
own. Both stages and all runs share one learning-rate schedule, one iteration count and, unless ``optimizer: per_stage``, one
optimiser state: an iteration is one optimiser step, so TRL's global step is the iteration number. Pairs, spies and sampling of an
iteration are functions of the run's seed and the iteration's number, so a resumed run plays the same games as an uninterrupted
one. docs/reward_to_gradient.md follows one reward through these functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Literal

import torch
from accelerate.utils import gather_object
from transformers import TrainerCallback, TrainerControl, TrainerState

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.learning import Stage
from vision_zero.errors import TrainingError
from vision_zero.game.engine import deal_all, play_recorded
from vision_zero.game.interface import Players
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.game.transcript import Transcript, VoteRates
from vision_zero.policy.adapter_io import merged, merges_exactly, new_adapter
from vision_zero.policy.decoding import Decoder
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.policy import Policy, seeded
from vision_zero.policy.processor_check import check_processor
from vision_zero.policy.provenance import Provenance
from vision_zero.policy.vllm import VllmModel
from vision_zero.policy.vllm_check import check_log_probs_mode
from vision_zero.policy.vllm_handed import HandedWeights
from vision_zero.policy.vllm_server import let_sleep
from vision_zero.randomness import Seed
from vision_zero.rewards.role_advantage import RoleBaselines
from vision_zero.tracking.tracking import Tracking
from vision_zero.training.checkpoint import load_optimizer, load_weights, save_optimizer
from vision_zero.training.grpo_arguments import grpo_arguments
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.out_of_memory import PhaseTimer, out_of_memory_named
from vision_zero.training.progress import Progress
from vision_zero.training.sharding import GatheredCopy
from vision_zero.training.trl_adapter import remove_fused_head
from vision_zero.training.updates import Observer, Turn, UpdateTrainer


@dataclass(frozen=True)
class ScoredGames:
    """What an iteration's games are worth to the policy.

    Attributes:
        turns: this process's turns that are trained.
        rewards: of each turn; its advantage is TRL's over its group, unless ``advantages`` are given.
        rates: of the votes of all processes, for the controller.
        metrics: by name, for the iteration's record.
        advantages: of each turn.
        baselines: the running means of rewards after these games.
        factor, divisor: applied to all advantages.
    """

    turns: Sequence[Turn]
    rewards: Sequence[float]
    rates: VoteRates
    metrics: Mapping[str, float]
    advantages: Sequence[float] | None = None
    baselines: RoleBaselines | None = None
    factor: float = 1.0
    divisor: float = 1.0

    def advantages_of(self, groups: torch.Tensor) -> torch.Tensor:
        """The advantages to train with, float32; ``groups`` are TRL's."""
        own = self.advantages
        found = groups if own is None else torch.tensor(own, dtype=torch.float32, device=groups.device)
        return found * self.factor / self.divisor


class StageLoop(ABC):
    """A stage of one job: how it plays and scores is the subclass's.

    Args:
        model: the base; the adapter, if any, is added here.

    Attributes:
        transcripts: of all games so far, of all processes, in order.
        progress: the stage state.
        trainer: TRL's.
        observer: sees the log-probs of the update, for metrics.
    """

    kind: ClassVar[Literal["clue", "vote"]]
    """Of the moves that are trained."""

    def __init__(self, model: Any, processor: Any, job: StageJob) -> None:
        self.job = job
        self.game = WhoIsTheSpy(job.game, job.rewards)
        self.transcripts: list[Transcript] = []
        self.progress = Progress(job.state, job.run, Tracking(job.tracked))
        self.observer: Observer | None = None
        self.timer = PhaseTimer(job.policy, job.learning)
        self.origin = Provenance.of(job.policy, model)
        self._decoders: dict[int, Decoder] = {}
        self._copy = GatheredCopy(model, is_mixed=job.learning.bf16) if job.learning.sharded else None
        games = job.learning.games_per_iteration
        # TRL hands these rows out to the processes: a row is a game, as often as its moves are trained.
        rows = [{"prompt": [{"role": "user", "content": ""}], "game": number} for number in range(games * len(job.planned))]
        sampling = job.policy.sampling.of(self.kind)
        try:
            self.trainer = UpdateTrainer(
                model,
                processor,
                grpo_arguments(job, completions=games * self.group, group=self.group, sampling=sampling),
                rows,
                new_adapter(model, job.policy),
                self,
                [Bookkeeping(self)],
                learning=job.learning,
                timer=self.timer,
            )
        except ValueError as error:
            raise TrainingError(f"training cannot be set up: {error}") from error
        for adapter in getattr(self.trainer.model, "peft_config", {}).values():
            # As the config names it: a path of this machine means nothing to the next one.
            adapter.base_model_name_or_path = job.policy.base
        if self.trainer.accelerator.num_processes != job.learning.num_processes:
            raise TrainingError(
                f"learning.num_processes is {job.learning.num_processes}, but {self.trainer.accelerator.num_processes} take "
                "part: the batch would be another one"
            )

    def run(self) -> StageResult:
        """Train from the job's parent to the end of the stage; the resulting policy can be trained further.

        Raises:
            PolicyError: processor and model do not match, or a prompt is longer than the model's context.
            TrainingError: the loss is not finite, or memory ran out.
        """
        check_processor(self._policy(self.trainer.model))
        parent = self.job.parent.path
        if self._copy is not None and parent is not None:
            load_weights(self.trainer.model, parent, self.job.policy, self.origin)  # before they are sharded
        with out_of_memory_named("update", self.job.policy, self.job.learning), self.progress:
            self.trainer.train(resume_from_checkpoint=None if parent is None else str(parent))
        self.trainer.accelerator.wait_for_everyone()  # only the first process has written the folder
        return StageResult(self.progress.state, tuple(self.transcripts), PolicyFolder(self.checkpoint).checked())

    def iterate(self, rows: list[dict[str, Any]]) -> torch.Tensor:
        """One iteration on this process's share of the data set, up to its gradient; TRL takes the optimiser's step.

        Returns:
            The loss.
        """
        # Sampling and an adapter's dropout draw from torch's global generator; inside, it is this iteration's own.
        with seeded(self.iteration_seed.child("process", self._rank), self.trainer.accelerator.device):
            games, turns = self.play(rows)
            scored = self.score(games, turns)
            self.progress.measured(scored.rates, scored.metrics, scored.baselines)
            if self.job.policy.server is not None:
                let_sleep(self.job.policy.server)
            batch = self.trainer.batch(scored.turns, scored.rewards, self.trained_policy())
            batch["advantages"] = scored.advantages_of(batch["advantages"])
            return self.trainer.update(batch, self.observer)

    @property
    @abstractmethod
    def group(self) -> int:
        """How many moves of a game are trained."""

    @abstractmethod
    def play(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Transcript], list[Turn]]:
        """Play the iteration's games.

        Returns:
            The transcripts of all processes, and this process's turns that may be trained: ``group`` of each game, in a row.
        """

    @abstractmethod
    def score(self, games: Sequence[Transcript], turns: Sequence[Turn]) -> ScoredGames:
        """Rewards and advantages. A collective call: all processes see all votes, so that their controllers agree."""

    def rollout(self, rows: Sequence[Mapping[str, Any]], players: Players) -> tuple[list[Transcript], list[Turn]]:
        """Play this process's share of the iteration's games.

        Args:
            rows: of the data set, a group for each game.

        Returns:
            The transcripts of all processes, in the same order on each, and this process's turns in the order of the calls.
        """
        games = self.job.learning.games_per_iteration
        states = deal_all(self.game, self.job.pairs.of_iteration(self.iteration), self.iteration_seed)
        own = [states[int(row["game"]) % games] for row in rows[:: self.group]]
        finished, record = play_recorded(self.game, own, players, self.iteration_seed.child("process", self._rank))
        transcripts: list[Transcript] = gather_object([state.transcript for state in finished])
        self.transcripts.extend(transcripts)
        return transcripts, record

    def player(self) -> Policy:
        """The current policy, for sampling."""
        model, accelerator = self._trained_model, self.trainer.accelerator
        if self._copy is not None:
            model = self._copy.gathered(model, accelerator.device)
        if self.job.policy.server is not None:
            policy = self._policy(model, self._handed_over(model, self.job.policy.server))
            check_log_probs_mode(self.job.policy.server, policy)
            return policy
        if self.job.learning.merged_play and self.job.policy.adapter is not None and merges_exactly(model):
            model = merged(deepcopy(model))
            remove_fused_head(model)
        return self._policy(model)

    def _handed_over(self, model: Any, server: VllmConfig) -> VllmModel:
        """The current weights, on the servers. All weights replace those there, so one process hands them over for all."""
        if self.job.policy.adapter is not None:
            with TemporaryDirectory(prefix="vision-zero-adapter-") as folder:
                model.save_pretrained(folder)
                return VllmModel.adapter(server, Path(folder))
        own = VllmModel.all_weights(server, model) if self._rank == 0 else None
        version = max(gather_object([own.version if own else ""]))
        return own or VllmModel(server, HandedWeights.of_another_process(server, version))

    def trained_policy(self) -> Policy:
        """The policy on the very model that is trained."""
        return self._policy(self._trained_model)

    @property
    def iteration(self) -> int:
        """Iterations done, of all runs: the number of the present one."""
        return int(self.trainer.state.global_step)

    @property
    def iteration_seed(self) -> Seed:
        """The seed of this iteration, the same in all processes."""
        return self.job.seed.child("iteration", self.iteration)

    @property
    def checkpoint(self) -> Path:
        """The folder of the policy as it is now."""
        return self.job.folder / f"checkpoint-{self.iteration}"

    @property
    def own_stage(self) -> Stage | None:
        """The stage that the optimiser state belongs to under ``optimizer: per_stage``."""
        return self.progress.stage if self.job.learning.optimizer == "per_stage" else None

    def load_weights(self, folder: Path) -> None:
        """Load the weights of the job's parent into the model, unless they were before it was sharded."""
        if self._copy is None:
            load_weights(self.trainer.model, folder, self.job.policy, self.origin)

    def added_logs(self) -> dict[str, float]:
        """Sizes of the update and seconds of the iteration's phases, since the last call."""
        seconds = {f"seconds/{phase}": spent for phase, spent in self.timer.seconds.items()}
        self.timer.seconds.clear()
        return {**seconds, **self.trainer.sizes} if seconds else {}

    def write_card(self) -> None:
        """Write this project's model card."""
        self.job.write_card(self.checkpoint, self.progress.stage, self.iteration)

    @property
    def _rank(self) -> int:
        return int(self.trainer.accelerator.process_index)

    @property
    def _trained_model(self) -> Any:
        return self.trainer.accelerator.unwrap_model(self.trainer.model)

    def _policy(self, model: Any, served: VllmModel | None = None) -> Policy:
        settings = self.job.policy
        # A merged copy is another model in each iteration, and nothing of it is kept.
        decoders = self._decoders if settings.compiled else {}
        return Policy(
            model,
            self.trainer.processing_class,
            settings.sampling,
            served=served,
            compiled=settings.compiled,
            decoders=decoders,
        )


class Bookkeeping(TrainerCallback):
    """What happens around the iterations, in TRL's loop: training state in and out, records, and the end of the stage."""

    def __init__(self, loop: StageLoop) -> None:
        self.loop = loop
        self.left = len(loop.job.planned)
        self.others: dict[str, torch.Tensor] = {}

    def on_train_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, *, optimizer: Any, lr_scheduler: Any, **kwargs: Any
    ) -> None:
        """Continue optimiser and schedule from the job's parent."""
        parent = self.loop.job.parent.path
        if parent is not None:
            self.others = load_optimizer(optimizer, lr_scheduler, parent, self.loop.own_stage)

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """End training with a checkpoint when all iterations are done or the stage switches."""
        self.left -= 1
        if self.left <= 0 or self.loop.progress.is_stage_over:
            control.should_training_stop = True
            control.should_save = True

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **kwargs: Any) -> None:
        """Complete the iteration's record; refuse a loss that is not finite."""
        if "loss" not in logs:
            return
        for name in ("loss", "grad_norm"):
            if not torch.isfinite(torch.tensor(float(logs.get(name, 0.0)))):
                raise TrainingError(
                    f"{name} is {logs[name]} at iteration {state.global_step}: nothing of this stage is kept; "
                    "lower learning.learning_rate or learning.max_grad_norm and run again"
                )
        self.loop.progress.logged(logs)

    def on_save(
        self, args: Any, state: TrainerState, control: TrainerControl, *, optimizer: Any, lr_scheduler: Any, **kwargs: Any
    ) -> None:
        """Add training state and provenance to the checkpoint, of which TRL has written weights, card and iteration count."""
        folder, is_writer = self.loop.checkpoint, bool(args.should_save)  # one process writes for all
        save_optimizer(optimizer, lr_scheduler, folder, self.loop.own_stage, self.others, is_writer=is_writer)
        if is_writer:
            # transformers pickles its arguments; ours come from the config, and no pickle may enter an artifact.
            (folder / "training_args.bin").unlink(missing_ok=True)
            self.loop.origin.write(folder)
