"""The step cache, keyed by content: a cached step's result depends on its inputs, settings and code, and on files elsewhere.

ZenML compares inputs and settings, and the source of the step function, but neither this library nor the files behind paths and
URLs in the settings. So an uncached step takes fingerprints of both, and each cached step gets its own as one more input: a
changed fingerprint is a cache miss on every orchestrator, and the run's page shows why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step
from zenml.config.cache_policy import CachePolicy

from vision_zero.config.pairs import Domain
from vision_zero.config.self_play import SelfPlayConfig

BY_CONTENT = CachePolicy(include_artifact_ids=True)
"""Inputs are compared by the hash of their content; an input without one by its id."""
SOURCES: dict[Domain, str] = {"scenes": "render_scenes", "charts": "draw_charts", "photos": "edit_photos"}
"""The cached step of each domain."""
CACHED = (*SOURCES.values(), "validate_pairs", "measure_base")


@step(enable_cache=False)
def take_fingerprints(
    config: SelfPlayConfig,
) -> tuple[
    Annotated[str, "scenes_fingerprint"],
    Annotated[str, "charts_fingerprint"],
    Annotated[str, "photos_fingerprint"],
    Annotated[str, "validation_fingerprint"],
    Annotated[str, "base_fingerprint"],
]:
    """Take fingerprints of code and files for the cached steps. Cached results whose files are gone are invalidated."""
    from materializers.lost_results import forget_lost_results
    from vision_zero.fingerprints import digest
    from vision_zero.recipes.input_fingerprints import of_base, of_pairs

    contents = {
        name: of_pairs(domain, config.pairs) if config.pairs.mix.get(domain, 0) > 0 else "" for domain, name in SOURCES.items()
    }
    if contents["draw_charts"] and config.pairs.charts.chartqa_root:
        # Data whose characters no font had may be drawn after a font was installed; fonts are not part of the recipe.
        from vision_zero.domains.charts.glyphs import installed_fonts_fingerprint

        contents["draw_charts"] += installed_fonts_fingerprint()
    contents["measure_base"] = of_base(config.policy)
    prints = {name: digest(code_of(name), contents.get(name, "")) for name in CACHED}
    forgotten = forget_lost_results(CACHED)
    log_metadata({"fingerprints": prints, **({"made again": forgotten} if forgotten else {})})
    scenes, charts, photos, validation, base = prints.values()
    return scenes, charts, photos, validation, base


def code_of(name: str) -> str:
    """Fingerprint of all code that a cached step of this package can run."""
    from vision_zero.source_closure import code_fingerprint, modules_of

    module = "stages" if name == "measure_base" else "pairs"
    return code_fingerprint(modules_of(Path(__file__).with_name(f"{module}.py"), name))
