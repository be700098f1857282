"""ZenML's dashboard as a visitor sees it: Chromium, driven by playwright, with no way out of this machine.

    python -m tests.browser.dashboard http://127.0.0.1:8237 RUN-ID docs/images

shows a run to somebody who writes documents: it takes the images that docs/reports.md shows. ``make dashboard`` serves it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import click

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Frame, Locator, Page, Route

SIZE = {"width": 1600, "height": 1000}
NODE = ".react-flow__node"
ZENMLS_OWN = (
    # Its page forbids fonts from data: addresses, and brings some.
    re.compile(r"^Loading the font 'data:font/"),
    re.compile(r"^Loading the image 'about:blank' violates"),
    # Logos, avatars and its list of changes come from elsewhere, where nobody is let to here.
    re.compile(r"^Failed to load resource: net::ERR_FAILED$"),
)
"""Errors of the dashboard itself, which it prints for every pipeline."""


def chromium() -> str | None:
    """The program that $CHROMIUM names, or the one of this machine; None where there is none."""
    named = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ([named] if named else ["chromium", "chromium-browser", "google-chrome"]))
    return next((path for path in found if path), None)


class Visit:
    """A visit of one run's page.

    Attributes:
        page: playwright's.
        complaints: what the browser's console called an error, but for ZenML's own.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(30_000)
        page.route("**/*", self._let_through)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, run: str) -> None:
        """Show the run, all of it, once its graph is drawn."""
        self.page.goto(f"{self.url}/projects/default/runs/{run}", wait_until="domcontentloaded")
        self.page.wait_for_selector(NODE)
        self.page.get_by_role("button", name="Fit view").click()
        self.page.wait_for_timeout(1000)

    def nodes(self, kind: str) -> dict[str, float]:
        """How far down each node of a kind ("step", "artifact") stands, by its id."""
        found = {}
        for node in self.page.locator(f"{NODE}-{kind}").all():
            box, name = node.bounding_box(), node.get_attribute("data-id")
            assert box is not None and name is not None
            found[name] = box["y"]
        return found

    @contextmanager
    def preview(self, artifact: str) -> Iterator[Locator]:
        """The panel with an artifact's preview loaded, "step/artifact"; it is closed at the end."""
        step, _, name = artifact.partition("/")
        self.page.locator(f'[data-id="{step}/outputs/step_output/{name}"] button').first.click(force=True)
        panel = self.page.get_by_role("dialog")
        panel.get_by_role("tab", name="Visualization").click()
        shown = panel.get_by_role("button", name="Load Preview").or_(panel.get_by_role("button", name="Download"))
        shown.first.wait_for()
        if (load := panel.get_by_role("button", name="Load Preview")).count():
            load.click()
        yield panel
        self.page.keyboard.press("Escape")
        panel.wait_for(state="detached")

    def frame(self, panel: Locator) -> Frame:
        """The page inside a preview, with its images decoded."""
        handle = panel.locator("iframe").element_handle()
        frame = handle.content_frame()
        assert frame is not None
        frame.wait_for_load_state("load")
        return frame

    def _let_through(self, route: Route) -> None:
        if route.request.url.startswith(self.url):
            route.continue_()
        else:
            route.abort()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known.search(message.text) for known in ZENMLS_OWN):
            self.complaints.append(message.text)


def skip_questions(url: str) -> None:
    """Answer what ZenML asks on the first visit."""
    answers = {
        "full_name": "x",
        "email": "x@example.com",
        "email_opted_in": False,
        "user_metadata": {"finished_onboarding_survey": True, "awareness_channels": ["other"]},
    }
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{url}/api/v1/current-user", json.dumps(answers).encode(), headers, method="PUT"), timeout=30) as done:
        assert done.status == 200


@contextmanager
def visiting(url: str) -> Iterator[Visit]:
    """A browser on the dashboard at ``url``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tool:
        # No sandbox: containers of CI have none to give, and nothing but our own pages is visited.
        browser = tool.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield Visit(browser.new_page(viewport=SIZE), url)
        browser.close()


@click.command()
@click.argument("url")
@click.argument("run")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(url: str, run: str, folder: Path) -> None:
    """Take images of a RUN in the dashboard at URL: its graph, a replay and the report's curves."""
    skip_questions(url)
    with visiting(url) as visit:
        visit.open(run)
        visit.page.get_by_role("button", name="Dismiss local-server notice").click()
        visit.page.get_by_role("button", name="Fit view").click()
        visit.page.wait_for_timeout(1000)
        visit.page.screenshot(path=folder / "dashboard_graph.png", animations="disabled")
        for artifact, name, first in (
            ("evaluate_1/head_to_head", "replay", "Game 1"),
            ("report/report", "report", "Training curves"),
        ):
            with visit.preview(artifact) as panel:
                visit.frame(panel).locator("h2", has_text=first).first.evaluate("heading => heading.scrollIntoView()")
                visit.page.wait_for_timeout(1000)
                box = panel.locator("iframe").bounding_box()
                assert box is not None
                top = 70  # below the button that closes the panel
                shown = {"x": box["x"] - 20, "y": top, "width": box["width"] + 40, "height": box["y"] - top + box["height"] + 20}
                visit.page.screenshot(path=folder / f"dashboard_{name}.png", animations="disabled", clip=shown)


if __name__ == "__main__":
    main()
