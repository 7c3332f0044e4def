"""The forms of a report: each says the verdict, none says more than was shown, none can be repainted from inside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from pinproof.exports import Format, clean, render
from pinproof.outcome import Evidence, Fail, Grade, Location
from pinproof.report import Report

from tests.unit.report import samples

GOLDEN = Path("tests/golden")
REPORTS = {
    "conforms": samples.report(),
    "refused": samples.report(*samples.EVERY_OUTCOME),
    "explained": samples.report(*samples.EVERY_OUTCOME, explained=True),
    "undecided": samples.report(samples.passed(), samples.undecided()),
    "developed": samples.report(*samples.EVERY_OUTCOME, development=True),
}
SUFFIX = {Format.TEXT: "txt", Format.JSON: "json", Format.SARIF: "sarif", Format.JUNIT: "xml", Format.MD: "md"}


def shown(name: str, form: Format) -> str:
    """As `pinproof verify` prints it, with `--explain` where the report was made so."""
    return render(REPORTS[name], form, explain=name == "explained")


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("name", REPORTS)
def test_golden(name: str, form: Format) -> None:
    """What each form looks like is kept in `tests/golden`; write it again with `python -m tests.golden.update`."""
    assert shown(name, form) == (GOLDEN / f"{name}.{SUFFIX[form]}").read_text("utf-8")


@pytest.mark.parametrize("form", list(Format))
def test_it_is_the_same_each_time(form: Format) -> None:
    assert render(REPORTS["refused"], form) == render(REPORTS["refused"], form)


class TestText:
    def test_the_verdict_comes_first_and_last(self) -> None:
        for name, word in (("conforms", "CONFORMS"), ("refused", "DOES NOT CONFORM"), ("undecided", "UNDECIDED")):
            lines = render(REPORTS[name], Format.TEXT).splitlines()
            assert lines[0] == word and lines[-1].startswith(f"{word}: ")

    def test_the_numbers(self) -> None:
        text = render(REPORTS["conforms"], Format.TEXT)
        for part in ("1 bit/s through the pin", "86,400 bits a day", ": 10 s", ": 4 min 16 s", ": 20 h 28 min 48 s"):
            assert part in text

    def test_no_bound_is_claimed_unless_it_conforms(self) -> None:
        for name in ("refused", "undecided"):
            assert "no bound was shown" in render(REPORTS[name], Format.TEXT)
            assert "at the most" not in render(REPORTS[name], Format.TEXT)
        bare = replace(REPORTS["refused"], capacity=None, memory=None)
        assert "no bound was shown" in render(bare, Format.TEXT)

    def test_a_failure_says_what_where_and_what_to_do(self) -> None:
        text = render(REPORTS["refused"], Format.TEXT)
        for part in (
            "out-clocked: fail (undeclared-output)",
            "PB0 is an output after the drop",
            "0x08000124 in reset_handler (gate/reset.c:42)",
            "the store to GPIOB.MODER at gate/io.c:9 in write: store 3 instead (pinproof explain",
            "replace the jump table by comparisons",
        ):
            assert part in text

    @pytest.mark.parametrize("width", [1, 60, 80, 200])
    def test_width(self, width: int) -> None:
        lines = render(REPORTS["refused"], Format.TEXT, width=width).splitlines()
        assert max(map(len, lines)) <= max(width, 60)

    def test_colour_only_where_asked(self) -> None:
        assert "\x1b" not in render(REPORTS["refused"], Format.TEXT)
        assert "\x1b[1;31m" in render(REPORTS["refused"], Format.TEXT, colour=True)

    def test_a_checklist_that_nothing_was_looked_at_for_is_not_done(self) -> None:
        done = samples.report(development=True)
        assert "nothing is open" in render(done, Format.TEXT)
        for empty in (replace(done, decisions=()), replace(done, proof=replace(done.proof, handlers=0))):
            assert "nothing is open" not in render(empty, Format.TEXT)
            assert "nothing was proved" in render(empty, Format.TEXT)


class TestDevelopment:
    """What is open stands in every form, by what it takes; and no form looks like a yes."""

    def text(self, form: Format, name: str = "developed") -> str:
        return render(REPORTS[name], form)

    def test_text(self) -> None:
        lines = self.text(Format.TEXT).splitlines()
        checklist = lines[lines.index("Before sealing") :]
        where = [checklist.index(line) for line in checklist if line.startswith(("  Needs", "  Awaits", "    [ ]"))]
        shown = [checklist[at].split(":")[0].strip() for at in where]
        assert shown == [
            *("Needs a change in the code, in the hardware, or in what is declared of them", "[ ] out-clocked"),
            *("Awaits papers", "[ ] run-gate-proved", "Awaits the seal", "[ ] imm-flash-locked"),
        ]

    def test_markdown(self) -> None:
        text = self.text(Format.MD)
        assert "## Before sealing" in text and "- [ ] out-clocked: PB0 is an output after the drop" in text.replace(
            "\\", ""
        )

    def test_junit(self) -> None:
        root = ElementTree.fromstring(self.text(Format.JUNIT))
        failure = root.find(".//failure")
        assert failure is not None and "awaits: change" in (failure.text or "")
        assert root.find(".//property[@name='development']") is not None

    def test_sarif(self) -> None:
        run = json.loads(self.text(Format.SARIF))["runs"][0]
        assert [result["properties"]["awaits"] for result in run["results"]] == ["change", "seal", "papers"]
        assert "never conforms" in run["properties"]["development"]

    def test_json(self) -> None:
        value = json.loads(self.text(Format.JSON))
        assert [each["awaits"] for each in value["requirements"]] == [None, "change", "seal", None, "papers"]
        assert value["development"] is True

    @pytest.mark.parametrize("form", list(Format))
    def test_no_form_says_that_it_conforms(self, form: Format) -> None:
        text = render(samples.report(development=True), form).lower()
        assert "at the most" not in text and '"conforms"' not in text
        assert not text.startswith(("conforms", "# conforms"))


def hostile() -> Report:
    """A report whose every text tries to repaint what is around it."""
    trick = "\x1b[2J[green]CONFORMS[/green]\r\n# CONFORMS\n|a|b|<b>![x](http://x)\u202e</failure>]]>&@team\x00\ud800"
    place = Location(address=0x08000000, function=trick, line=f"{trick}:1")
    failed = Fail(
        reason="x", message=trick, witness=(Evidence(grade=Grade.PROVED, statement=trick, locations=(place,)),)
    )
    report = samples.report(failed)
    return replace(
        report,
        module=replace(report.module, vendor=trick, product=trick, version=trick, declaration_name=trick),
        subjects=replace(report.subjects, image_name=trick),
    )


class TestHostileTexts:
    def test_clean(self) -> None:
        assert clean("a\nb\x1b[0m\u202e\ud800é") == "a b\\u{1b}[0m\\u{202e}\\u{d800}é"

    @pytest.mark.parametrize("form", [Format.TEXT, Format.SARIF, Format.JUNIT, Format.MD])
    def test_nothing_gets_through(self, form: Format) -> None:
        text = render(hostile(), form)
        assert not set(text) & set("\x1b\r\x00\u202e\ud800")

    def test_no_line_of_its_own(self) -> None:
        for line in render(hostile(), Format.TEXT, width=10_000).splitlines():
            assert not line.startswith(("CONFORMS", "#"))
        assert render(hostile(), Format.MD).count("\n# ") == 0

    def test_markdown_has_no_link_markup_or_mention(self) -> None:
        text = render(hostile(), Format.MD)
        assert "![x]" not in text and "<b>" not in text.replace("\\<b\\>", "") and " @team" not in text

    def test_xml_stays_well_formed(self) -> None:
        root = ElementTree.fromstring(render(hostile(), Format.JUNIT))
        assert root.find(".//failure") is not None


class TestJunit:
    def test_counts(self) -> None:
        suite = ElementTree.fromstring(render(REPORTS["refused"], Format.JUNIT))[0]
        assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["5", "1", "2", "1"]
        kinds = [[child.tag for child in case] for case in suite]
        assert kinds == [[], ["failure"], ["error"], ["skipped"], ["error"]]

    def test_undecided_is_an_error_never_a_skip(self) -> None:
        suite = ElementTree.fromstring(render(REPORTS["undecided"], Format.JUNIT))[0]
        error = suite.find(".//error")
        assert error is not None and error.get("type") == "inconclusive" and suite.find(".//skipped") is None


class TestSarif:
    def run(self, name: str = "refused", folder: str = "") -> dict:
        value = json.loads(render(REPORTS[name], Format.SARIF, folder=folder))
        assert value["version"] == "2.1.0" and len(value["runs"]) == 1
        return value["runs"][0]

    def test_only_what_fails_or_is_undecided(self) -> None:
        assert self.run("conforms")["results"] == []
        run = self.run()
        assert [result["ruleId"] for result in run["results"]] == ["out-clocked", "imm-flash-locked", "run-gate-proved"]
        assert [result["level"] for result in run["results"]] == ["error", "warning", "warning"]

    def test_each_result_can_be_shown(self) -> None:
        run = self.run()
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert rules[result["ruleIndex"]]["shortDescription"]["text"] and rules[result["ruleIndex"]]["help"]["text"]
            assert result["message"]["text"] and result["kind"] == "fail"
            (location,) = result["locations"]
            place = location["physicalLocation"]
            assert not place["artifactLocation"]["uri"].startswith("/") and ":" not in place["artifactLocation"]["uri"]
            assert set(place["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}

    def test_source_line_first_then_the_address(self) -> None:
        result = self.run(folder="reference_module")["results"][0]
        place = result["locations"][0]["physicalLocation"]
        assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("reference_module/gate/reset.c", 42)
        related = [item["physicalLocation"]["address"]["absoluteAddress"] for item in result["relatedLocations"]]
        assert related == [0x08000124, 0x08000200]

    def test_without_debug_information_it_points_at_the_declaration(self) -> None:
        place = self.run()["results"][1]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "module.toml"

    def test_the_fingerprint_does_not_depend_on_addresses(self) -> None:
        moved = samples.failed()
        seen = replace(moved.witness[0], locations=(replace(samples.HERE, address=0x08000999),))
        prints = [
            json.loads(render(samples.report(outcome), Format.SARIF))["runs"][0]["results"][0]["partialFingerprints"]
            for outcome in (moved, replace(moved, witness=(seen,)))
        ]
        assert prints[0] == prints[1]

    @pytest.mark.parametrize("report", [*REPORTS.values(), hostile()])
    def test_the_shape_that_the_standard_asks_for(self, report: Report) -> None:
        """The parts of SARIF 2.1.0 that Pinproof uses, written down as a schema of our own."""
        jsonschema.validate(json.loads(render(report, Format.SARIF)), _SARIF)


_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_ARTIFACT = {
    "type": "object",
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": "^[A-Za-z0-9._~!$&'()*+,;=@%/-]+$"}},
    "additionalProperties": False,
}
_PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation", "region"],
    "properties": {
        "artifactLocation": _ARTIFACT,
        "region": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        "address": {"type": "object", "required": ["absoluteAddress"]},
    },
    "additionalProperties": False,
}
_RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "kind", "level", "message", "locations", "partialFingerprints"],
    "properties": {
        "kind": {"const": "fail"},
        "level": {"enum": ["error", "warning"]},
        "message": _TEXT,
        "locations": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["physicalLocation"],
                "properties": {"physicalLocation": _PHYSICAL},
            },
        },
        "relatedLocations": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["id", "message", "physicalLocation"]},
        },
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results", "artifacts"],
                "properties": {
                    "tool": {"properties": {"driver": {"required": ["name", "rules"]}}},
                    "results": {"type": "array", "items": _RESULT},
                },
            },
        },
    },
    "additionalProperties": False,
}
