"""The report as a page and the picture as SVG: well-formed, whole, nothing from outside, and names stay names."""

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.plans import DENSE, PRESETS, outcome, preset, told

from planner.exchange.export import exported
from planner.exchange.figures import claimed, headline, verdict
from planner.exchange.html import html
from planner.exchange.markdown import markdown, plain
from planner.exchange.report import lines
from planner.exchange.svg import figure, svg

PLANNED = [name for name in PRESETS if name != "index"]
HOSTILE = "<script>alert('x')</script> ]]> \"q\" &amp; <img src=x onerror=y>"
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """Tags and text of a page, as a browser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.words)


def tree(text: str) -> Any:
    return ET.fromstring(text)


@pytest.mark.parametrize("name", PLANNED)
def test_verdict_and_claim_are_the_same_words_everywhere(name: str) -> None:
    done = preset(name)
    said = [verdict(done), *filter(None, [claimed(done)])]
    text = " ".join(line.text.strip() for line in lines(done, 100))
    page = Page(html(done)).text
    report = markdown(done)
    for words in said:
        assert words in page
        assert plain(words) in report
        assert (words if done.fits or words.startswith("Claimed") else words.upper()) in text


@pytest.mark.parametrize("name", PLANNED)
def test_every_preset_makes_a_page_and_a_picture(name: str) -> None:
    done = preset(name)
    page = html(done)
    tree(page.removeprefix("<!DOCTYPE html>"))
    shown = Page(page)
    for one in headline(done):
        assert one.value in shown.text
    assert done.resolved.plan.name in shown.text
    picture = tree(svg(done))
    drawn = [element.text for element in picture.iter(f"{SVG}text")]
    assert sum(str(word).startswith(("stage ", "all cards")) for word in drawn) == min(
        len(done.estimate.memory_gb_by_stage), 32
    )


def test_nothing_comes_from_outside_and_nothing_runs() -> None:
    for text in (html(preset("deepseek-v3")), svg(preset("deepseek-v3"))):
        assert not {"script", "link", "img", "iframe", "object", "use", "image"} & set(Page(text).tags)
        addresses = [value for name, value in Page(text).attributes if name in {"src", "href", "xlink:href"}]
        assert addresses == []
        assert set(re.findall(r"url\(([^)]*)\)", text)) == {
            "#weights", "#gradients", "#optimizer", "#activations", "#other"
        }  # fmt: skip
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in Page(html(told())).attributes


def test_bars_have_the_lengths_of_what_they_show() -> None:
    done = told()
    rects = [element for element in tree(figure(done)).iter(f"{SVG}rect") if element.get("fill", "").startswith("url")]
    widths = [float(rect.get("width")) for rect in rects if float(rect.get("x")) >= 150 and rect.get("width") != "16.0"]
    gigabytes = [stage[kind] for stage in done.estimate.memory_by_stage_gb for kind in stage]
    assert [w / widths[0] for w in widths] == pytest.approx([g / gigabytes[0] for g in gigabytes], rel=0.01)
    assert sum(widths[:5]) / 660 == pytest.approx(58.0 / 80.0, rel=0.01)


def test_what_does_not_fit_is_said_and_marked() -> None:
    done = told(memory_gb=90.0, memory_gb_by_stage=(90.0, 48.0))
    assert "It does not fit." in Page(html(done)).text
    assert "90.0 GB too much" in [element.text for element in tree(svg(done)).iter(f"{SVG}text")]


@pytest.mark.parametrize("to", ["html", "svg"])
def test_a_hostile_name_is_text(to: Any) -> None:
    hostile = outcome(
        name=HOSTILE, notes=HOSTILE, sources=[HOSTILE], claim__mfu=0.4, claim__source=HOSTILE,
        workload__model={**DENSE, "name": HOSTILE},
    )  # fmt: skip
    plain = outcome(
        name="p", notes="p", sources=["p"], claim__mfu=0.4, claim__source="p", workload__model={**DENSE, "name": "p"}
    )
    made = exported(hostile.resolved.plan, hostile, to).text
    tags = [tag for tag in Page(made).tags if tag != "text"]  # facts may take a line more
    assert tags == [tag for tag in Page(exported(plain.resolved.plan, plain, to).text).tags if tag != "text"]
    tree(made.removeprefix("<!DOCTYPE html>"))
    assert "<script>alert" in Page(made).text


def test_a_line_end_in_a_name_is_a_blank() -> None:
    done = outcome(name="two\nlines\tand a tab")
    assert "two lines and a tab" in Page(html(done)).text
    assert tree(svg(done)).find(f"{SVG}title").text == "two lines and a tab"


def test_the_page_prints() -> None:
    assert "@media print" in html(told())
