r"""A control: training examples with their answers instead of play, as the upper bound of what the same images can give.

    L = -E[log π(answer | image, prompt)]        over the words of the answers

Not in the paper. The adapter, its rank, the optimiser, the schedule, the images and the number of replies in an update are
those of self-play with the same recipe and seed: an iteration's examples are about the pairs that its games would be played with,
as many for each pair as a prompt has votes, shared out among its two images. The examples are those of the embedded policy's
own SFT (:mod:`vision_zero.warm_start.examples`), all reasoned: prompts and answers are made from the scene graph, which
self-play never sees. Their verdicts are right; a vote follows the rule on them, and so does not always name the spy. Nothing is
pulled to the base (no KL), and no game is played, so the records of iterations hold no votes.
"""

from __future__ import annotations

import torch
from accelerate.utils import send_to_device
from peft import get_peft_model
from transformers import get_cosine_schedule_with_warmup

from vision_zero.config.learning import Stage
from vision_zero.data.image_pair import ImagePair
from vision_zero.errors import TrainingError
from vision_zero.game.transcript import VoteRates
from vision_zero.policy.adapter_io import new_adapter
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import device_named, load_base
from vision_zero.policy.policy import seeded
from vision_zero.policy.provenance import Provenance
from vision_zero.randomness import Seed, weighted
from vision_zero.tracking.tracking import Tracking
from vision_zero.training.checkpoint import load_optimizer, load_weights, save_optimizer
from vision_zero.training.job import StageJob, StageResult
from vision_zero.training.progress import Progress
from vision_zero.warm_start.curriculum import EXAMPLE_MAKERS, ImageExamples
from vision_zero.warm_start.examples.example import Example
from vision_zero.warm_start.sft import Collator, examples_loss

TOPICS = {"vote": 0.3, "check": 0.2, "clue": 0.2, "question": 0.2, "list": 0.1}
"""How often each topic is trained: those of the game, and what is asked of scenes."""


def run_stage(stage: Stage, job: StageJob) -> StageResult:
    """Train in the stage that the state is in.

    Raises:
        TrainingError: the loss was no number.
        PolicyError: the job's parent is another base's.
    """
    trainer = _Trainer(job)
    with trainer.progress:
        for iteration in job.planned:
            trainer.step(examples_of(job, iteration))
    return StageResult(trainer.progress.state, (), trainer.save())


def examples_of(job: StageJob, iteration: int) -> list[ImageExamples]:
    """The images of an iteration's pairs with their examples."""
    seed = job.seed.child("iteration", iteration, "lessons")
    return [
        image
        for number, pair in enumerate(job.pairs.of_iteration(iteration))
        for image in _of_pair(pair, job.learning.votes_per_prompt, seed.child(number))
    ]


def _of_pair(pair: ImagePair, count: int, seed: Seed) -> list[ImageExamples]:
    """Both images of a pair, the original with the odd example."""
    rng = seed.generator()
    sides = ((pair.original, pair.original_facts, pair.modified_facts), (pair.modified, pair.modified_facts, pair.original_facts))
    images = []
    for place, (image, facts, other) in enumerate(sides):
        own: list[Example] = [
            EXAMPLE_MAKERS[weighted(TOPICS, rng)](facts, other, rng, True) for _ in range((count + 1 - place) // 2)
        ]
        images.append(ImageExamples(image, tuple(own)))
    return images


class _Trainer:
    """The iterations of one run: model, optimiser and schedule from the job's parent on."""

    def __init__(self, job: StageJob) -> None:
        self.job = job
        policy, learning = job.policy, job.learning
        model, processor = load_base(policy)
        self.origin = Provenance.of(policy, model)
        with seeded(job.seed.child("adapter"), torch.device("cpu")):
            self.model = get_peft_model(model, new_adapter(model, policy))
        self.model.peft_config["default"].base_model_name_or_path = policy.base
        self.parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.device = device_named()
        self.collator = Collator(processor)
        self.progress = Progress(job.state, job.run, Tracking(job.tracked))
        if job.parent.path is not None:
            load_weights(self.model, job.parent.path, policy, self.origin)
        self.model.to(self.device)
        self.optimizer = torch.optim.AdamW(self.parameters, lr=learning.learning_rate, weight_decay=learning.weight_decay)
        rise = round(learning.warmup * learning.iterations)
        self.schedule = get_cosine_schedule_with_warmup(self.optimizer, rise, learning.iterations)
        if job.parent.path is not None:
            load_optimizer(self.optimizer, self.schedule, job.parent.path, None)

    def step(self, images: list[ImageExamples]) -> None:
        """One iteration: one step of the optimiser on all of its examples."""
        inputs = send_to_device(self.collator(images), self.device)
        self.model.train()
        with seeded(self.job.seed.child("iteration", self.progress.state.iteration, "dropout"), torch.device(self.device)):
            loss = examples_loss(self.model.get_base_model(), inputs)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.job.learning.max_grad_norm)
        if not torch.isfinite(loss) or not torch.isfinite(norm):
            raise TrainingError(
                f"loss is {loss.item()} at iteration {self.progress.state.iteration}: nothing of this stage is kept; "
                "lower learning.learning_rate or learning.max_grad_norm and run again"
            )
        rate = self.schedule.get_last_lr()[0]
        self.optimizer.step()
        self.schedule.step()
        self.progress.measured(VoteRates.of([]), {"examples": float(sum(len(image.examples) for image in images))})
        self.progress.logged({"loss": loss.item(), "grad_norm": norm.item(), "learning_rate": rate})

    def save(self) -> PolicyFolder:
        """The folder of the policy as it is now; training can continue from it."""
        job, iteration = self.job, self.progress.state.iteration
        folder = job.folder / f"checkpoint-{iteration}"
        self.model.save_pretrained(str(folder))
        save_optimizer(self.optimizer, self.schedule, folder, None, {})
        self.origin.write(folder)
        state = f'{{"global_step": {iteration}}}'
        (folder / "trainer_state.json").write_text(state, encoding="utf-8")
        job.write_card(folder, job.state.stage, iteration)
        return PolicyFolder(folder).checked()
