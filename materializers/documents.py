"""Small JSON documents with a page as preview: verdict, scores, alarms, stage state."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from zenml.enums import VisualizationType
from zenml.materializers.pydantic_materializer import DEFAULT_FILENAME

from materializers.files import FileMaterializer
from vision_zero.evaluation.estimates import BaseMeasures, Scores
from vision_zero.evaluation.promotion import Promotion
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.fingerprints import digest
from vision_zero.report.curves import curves_page
from vision_zero.report.pages import render_page
from vision_zero.training.diagnostics import Alarms
from vision_zero.training.state import StageState
from vision_zero.validation.verdict import Verdict
from vision_zero.warm_start.exam_scores import Exam


class _PageMaterializer(FileMaterializer):
    """A pydantic model as JSON, in the file that ZenML's own materializer has, previewed as a page."""

    SKIP_REGISTRATION: ClassVar[bool] = True
    NEEDED: ClassVar[tuple[str, ...]] = (DEFAULT_FILENAME,)
    PAGE: ClassVar[tuple[str, str]]
    """The page's template, and what the document is called in it."""

    def save(self, data: Any) -> None:
        self._write_text(DEFAULT_FILENAME, json.dumps(data.model_dump(mode="json")))

    def load(self, data_type: type[Any]) -> Any:
        return self._parsed(DEFAULT_FILENAME, lambda text: data_type.model_validate(json.loads(text)))

    def save_visualizations(self, data: Any) -> dict[str, VisualizationType]:
        return self._page("page.html", self._html(data))

    def compute_content_hash(self, data: Any) -> str:
        return digest(json.dumps(data.model_dump(mode="json"), sort_keys=True))

    def _html(self, data: Any) -> str:
        template, name = self.PAGE
        return render_page(template, **{name: data})


class VerdictMaterializer(_PageMaterializer):
    """The validation verdict."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Verdict,)
    PAGE: ClassVar[tuple[str, str]] = ("verdict.html.j2", "verdict")

    def extract_metadata(self, data: Verdict) -> dict[str, Any]:
        return {"checked": data.checked, "passed": data.passed, "quarantined": data.checked - data.passed}


class ScoresMaterializer(_PageMaterializer):
    """The scores beside the base's."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Scores,)
    PAGE: ClassVar[tuple[str, str]] = ("scores.html.j2", "scores")

    def extract_metadata(self, data: Scores) -> dict[str, Any]:
        return {score.name: round(score.policy.mean, 4) for score in data.scores if score.policy.units}


class BaseMeasuresMaterializer(_PageMaterializer):
    """The scores of the frozen base."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BaseMeasures,)
    PAGE: ClassVar[tuple[str, str]] = ("base_measures.html.j2", "measures")

    def extract_metadata(self, data: BaseMeasures) -> dict[str, Any]:
        return {name: round(mean, 4) for name, mean in data.means().items()}


class AlarmsMaterializer(_PageMaterializer):
    """The alarms after a round."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Alarms,)
    PAGE: ClassVar[tuple[str, str]] = ("alarms.html.j2", "alarms")

    def extract_metadata(self, data: Alarms) -> dict[str, Any]:
        return {alarm.name: alarm.is_raised for alarm in data.alarms}


class PromotionMaterializer(_PageMaterializer):
    """The comparison with the version in production."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Promotion,)
    PAGE: ClassVar[tuple[str, str]] = ("promotion.html.j2", "promotion")

    def extract_metadata(self, data: Promotion) -> dict[str, Any]:
        return {"beside": data.rival, "pairs": data.pairs, "objection": data.objection or "none"}


class StageStateMaterializer(_PageMaterializer):
    """The training curves."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (StageState,)

    def _html(self, data: StageState) -> str:
        return curves_page(data)

    def extract_metadata(self, data: StageState) -> dict[str, Any]:
        return {"stage": data.stage, "iteration": data.iteration, "switches": len(data.switches)}


class ExamMaterializer(_PageMaterializer):
    """The held-out evaluation of the embedded policy."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Exam,)
    PAGE: ClassVar[tuple[str, str]] = ("exam.html.j2", "exam")

    def extract_metadata(self, data: Exam) -> dict[str, Any]:
        return {name: round(score.mean, 4) for name, score in data.scores.items()}


class ScorecardMaterializer(_PageMaterializer):
    """An evaluation: a table against the base, bars by category, answers with their images."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Scorecard,)
    PAGE: ClassVar[tuple[str, str]] = ("evaluation.html.j2", "card")

    def extract_metadata(self, data: Scorecard) -> dict[str, Any]:
        accuracies = {name: round(accuracy.mean, 4) for name, accuracy in data.accuracies.items()}
        judgements = {suite.name: suite.comparison.judgement for suite in data.suites if suite.comparison is not None}
        return {"accuracy": accuracies, "beside the base": judgements or "nobody", "blocked": data.blocked or "no"}
