"""The verdict over a pairs table: Great Expectations judges the measurements, failing pairs are quarantined by id.
Small copies of those that a person should look at are part of it.

Import this inside a step: Great Expectations takes seconds to load.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from vision_zero.config.sources import QualityConfig, SourcesConfig
from vision_zero.data.image_pair import ImagePair, outlines
from vision_zero.data.images import decode
from vision_zero.data.source_report import SourceReport
from vision_zero.data.table import Batches, from_row
from vision_zero.domains.registry import base_of, domain_of
from vision_zero.errors import PairsError
from vision_zero.validation.artifact_probe import LEAST_PAIRS, Probe, ProbeResult
from vision_zero.validation.quality import measure_table
from vision_zero.validation.rules import Rule, check, pair_rules
from vision_zero.validation.verdict import DomainVerdict, Expectation, Quarantined, ShownExample, Verdict

LEAST_EXPECTED = 20
"""Of a kind of edit that is expected less often than this, too few or none may be chance."""

Weights = Mapping[Any, float]
"""How often each kind of edit is asked for, relatively."""
WIDTH = 320
"""Widest small copy in pixels."""
QUALITY = 90


def judge(table: Batches, config: SourcesConfig) -> Verdict:
    """Check a table against every expectation.

    Raises:
        PairsError: the table is empty, or more than ``max_quarantined`` of its pairs fail, with what their sources skipped.
    """
    quality = config.quality
    probes: dict[str, Probe] = {}

    def look(pair: ImagePair) -> None:
        if quality.probe_pairs:
            probes.setdefault(pair.domain, Probe(quality.probe_pairs)).add(pair, base_of(pair))

    frame = measure_table(table, quality, look)
    if frame.empty:
        raise PairsError("the pairs table is empty: ask the sources for at least one pair")
    names: list[str] = sorted(set(frame["domain"]))
    rules = pair_rules(quality, names)
    expectations, reasons = check(frame, rules)
    passed = frame[~frame["pair_id"].isin(reasons)]
    sources = _with_uses(table.reports, frame)
    _check_share(frame, passed, reasons, sources, quality)
    probed = {domain: probe.examine() for domain, probe in probes.items()}
    domains = tuple(_domain(domain, frame, passed, probed.get(domain)) for domain in names)
    for verdict in domains:
        expectations += judge_together(verdict, _edit_weights(verdict.domain, config), quality)
    quarantined = _quarantined(frame, reasons, rules)
    worst = _hardest(passed, quality.specimens)
    return Verdict(
        checked=len(frame),
        passed=len(passed),
        expectations=tuple(expectations),
        domains=domains,
        quarantined=quarantined,
        worst=tuple(worst),
        specimens=pick_examples(table, worst, _shown(frame, quarantined, quality.specimens)),
        mean_changed_area=_mean(passed["changed_area"]),
        mean_similarity=_mean(passed["similarity"]),
        reasons=dict(Counter(broken[0] for broken in reasons.values())),
        sources=sources,
    )


def _with_uses(reports: Sequence[SourceReport], frame: pd.DataFrame) -> tuple[SourceReport, ...]:
    """The reports, each with the number of different things that the domain's pairs are made of."""
    return tuple(
        report.model_copy(update={"used": frame.loc[frame["domain"] == report.domain, "base"].nunique()}) for report in reports
    )


def _check_share(
    frame: pd.DataFrame,
    passed: pd.DataFrame,
    reasons: Mapping[str, list[str]],
    sources: Sequence[SourceReport],
    config: QualityConfig,
) -> None:
    """Of all pairs that there would be if no source had skipped anything, how many are lost?"""
    lost = {source.domain: source.lost_share for source in sources if domain_of(source.domain).counts_unusable}
    wanted = sum(1 / (1 - min(lost.get(domain, 0.0), 0.999)) for domain in frame["domain"])
    share = 1 - len(passed) / wanted
    if share <= config.max_quarantined:
        return
    is_skipped = any(source.skipped for source in sources)
    told = []
    if reasons:
        common, count = Counter(broken[0] for broken in reasons.values()).most_common(1)[0]
        told.append(f"most often they broke “{common}” ({count})")
    for source in sources:
        if source.skipped:
            kind, names = next(iter(source.reasons().items()))
            told.append(
                f"{len(source.skipped)} of {source.found} {source.things} in {source.location} were skipped, most often "
                f"because “{kind}” ({len(names)}, such as {names[0]})"
            )
    raise PairsError(
        f"{share:.0%} of {wanted:.0f} pairs failed validation{' or could not be read' if is_skipped else ''}, more than the "
        f"{config.max_quarantined:.0%} allowed; "
        f"{'; '.join(told)}: mend the source or the bounds under pairs.quality"
    )


def _domain(domain: str, frame: pd.DataFrame, passed: pd.DataFrame, probe: ProbeResult | None) -> DomainVerdict:
    own, good = frame[frame["domain"] == domain], passed[passed["domain"] == domain]
    return DomainVerdict(
        domain=domain,
        checked=len(own),
        passed=len(good),
        again=int(good["again"].sum()),
        mean_changed_area=_mean(good["changed_area"]),
        mean_similarity=_mean(good["similarity"]),
        edits=dict(sorted(Counter(" ".join(good["kinds"]).split()).items())),
        probe=probe,
    )


def judge_together(verdict: DomainVerdict, weights: Weights, config: QualityConfig) -> list[Expectation]:
    """The rules about all pairs of a domain together."""
    rules = []
    total, asked = sum(verdict.edits.values()), sum(weights.values())
    expected = {kind: total * weight / asked for kind, weight in weights.items() if weight > 0} if asked else {}
    rare = {
        kind: f"{verdict.edits.get(kind, 0)} times {kind}, about {count:.0f} were asked for"
        for kind, count in expected.items()
        if count >= LEAST_EXPECTED and verdict.edits.get(kind, 0) < config.min_edit_share * count
    }
    if len(expected) > 1:
        rules.append(
            Expectation(
                rule=f"{verdict.domain}: each kind of edit comes at least {config.min_edit_share:.0%} as often as was asked for",
                broken_by=0,
                holds=not rare,
                found="; ".join(rare.values()) or "they do",
            )
        )
    if config.probe_pairs and domain_of(verdict.domain).is_edited:  # else anybody can tell: the modified ones are empty
        probe = verdict.probe
        rules.append(
            Expectation(
                rule=f"{verdict.domain}: a probe places at most {config.max_probe_accuracy:.0%} of single images",
                broken_by=0,
                holds=probe is None or not probe.finds_shortcut(config.max_probe_accuracy),
                found=f"not tried: fewer than {LEAST_PAIRS} pairs"
                if probe is None
                else f"{probe.accuracy:.0%} ({probe.low:.0%} to {probe.high:.0%}) of the images of {probe.pairs} pairs",
            )
        )
    return rules


def _edit_weights(domain: str, config: SourcesConfig) -> Weights:
    """How often each kind of edit is asked for, where the settings say so."""
    settings = getattr(config, domain)
    return {} if settings is None else domain_of(domain).edits(settings)


def _quarantined(frame: pd.DataFrame, reasons: Mapping[str, list[str]], rules: Sequence[Rule]) -> tuple[Quarantined, ...]:
    """Every failing pair with the rules that it broke, and with what is known more exactly."""
    details = {row["pair_id"]: row for row in frame[frame["pair_id"].isin(reasons)].to_dict("records")}
    found = []
    for pair_id, broken in reasons.items():
        row = details[pair_id]
        exact = {str(column): value for column, value in row.items() if str(column).endswith("_fault")}
        exact["other pair"] = row["duplicate_of"] or row["leaks_from"]
        known = [f"{name.replace('_', ' ')}: {value}" for name, value in exact.items() if value]
        known += [f"{rule.told_as} here: {row[rule.column]:.2%}" for rule in rules if rule.told_as and rule.words in broken]
        found.append(Quarantined(pair_id=pair_id, reasons=(row["trouble"],) if row["trouble"] else (*broken, *known)))
    return tuple(found)


def _hardest(passed: pd.DataFrame, count: int) -> dict[str, str]:
    """The pairs of each domain whose edit is hardest to see, with a note."""
    rows = passed.sort_values("changed_area").groupby("domain", sort=True).head(count)
    return {
        pair_id: f"{area:.2%} of the image {'changed' if domain_of(domain).is_edited else 'is not empty'}"
        for pair_id, domain, area in zip(rows["pair_id"], rows["domain"], rows["changed_area"], strict=True)
    }


def _shown(frame: pd.DataFrame, quarantined: tuple[Quarantined, ...], count: int) -> dict[str, str]:
    """Some quarantined pairs of each domain: of different reasons first."""
    domains = dict(zip(frame["pair_id"], frame["domain"], strict=True))
    rows = pd.DataFrame(
        [(entry.pair_id, domains[entry.pair_id], entry.reasons[0], "; ".join(entry.reasons)) for entry in quarantined],
        columns=["pair_id", "domain", "reason", "note"],
    )
    rows["turn"] = rows.groupby(["domain", "reason"]).cumcount()
    first = rows.sort_values("turn", kind="stable").groupby("domain").head(count)
    return dict(zip(first["pair_id"], first["note"], strict=True))


def _mean(values: pd.Series[float]) -> float:
    known = values.dropna()
    return float(known.mean()) if len(known) else 0.0


def pick_examples(table: Batches, worst: Mapping[str, str], quarantined: Mapping[str, str]) -> tuple[ShownExample, ...]:
    """Small copies of those pairs, whose notes are given by id, in the table's order; each id once."""
    wanted, found = {**worst, **quarantined}, dict[str, ShownExample]()
    for batch in table.batches(64):
        for place, pair_id in enumerate(batch.column("pair_id").to_pylist()):
            if pair_id in wanted and pair_id not in found:
                row = batch.slice(place, 1).to_pylist()[0]
                found[pair_id] = _specimen(row, wanted[pair_id], pair_id in quarantined)
    return tuple(found.values())


def _specimen(row: dict[str, object], note: str, is_quarantined: bool) -> ShownExample:
    shown: dict[str, object]
    try:
        pair = from_row(row)
        changes = tuple(change.sentence() for change in pair.changes)
        shown = {"changes": changes, "outlines": tuple(outlines(pair))}
        shown |= {"original": _small(pair.original), "modified": _small(pair.modified)}
    except PairsError:
        # One side may be whole: then it is shown.
        shown = {side: _readable(row[side]) for side in ("original", "modified")}
    standing = "quarantined" if is_quarantined else "worst"
    about = {"pair_id": row["pair_id"], "domain": row["domain"], "standing": standing, "note": note}
    return ShownExample.model_validate({**about, **shown})


def _readable(cell: object) -> str:
    try:
        return _small(decode(cell.get("bytes") if isinstance(cell, dict) else None, "picture"))
    except PairsError:
        return ""


def _small(image: Image.Image) -> str:
    copy = image.convert("RGB")
    copy.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    copy.save(buffer, format="JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
