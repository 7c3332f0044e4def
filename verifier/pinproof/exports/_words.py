"""How numbers, places and verdicts are spelled for people. Shared by the forms that people read."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from pathlib import PurePosixPath

from pinproof.capacity import spell
from pinproof.outcome import (
    Chain,
    Evidence,
    Fail,
    Fault,
    Inconclusive,
    Location,
    NotApplicable,
    Outcome,
    Pass,
    Step,
    Verdict,
)
from pinproof.report import Awaits, Decision, Report

VERDICT_WORDS: dict[Verdict, str] = {
    Verdict.CONFORMS: "CONFORMS",
    Verdict.DOES_NOT_CONFORM: "DOES NOT CONFORM",
    Verdict.UNDECIDED: "UNDECIDED",
}


def verdict_meaning(report: Report) -> str:
    match report.verdict:
        case Verdict.CONFORMS:
            return f"Every requirement that applies holds, with the evidence that level {report.level} asks for."
        case Verdict.DOES_NOT_CONFORM:
            return "At least one requirement does not hold."
        case Verdict.UNDECIDED if report.development:
            return "A run for development decides nothing. This is not a pass."
        case Verdict.UNDECIDED:
            return "Something could not be shown. This is not a pass."


def clean(text: str) -> str:
    """`text` on one line, anything that does not print (terminal controls, text direction marks) spelled out.

    Names come from files that an adversary wrote; they must not be able to repaint the verdict.
    """
    return "".join(letter if letter.isprintable() else _spelled(letter) for letter in text)


def _spelled(letter: str) -> str:
    return " " if letter in "\n\t" else f"\\u{{{ord(letter):x}}}"


def rate(bits: Decimal) -> str:
    """Bits, rounded up to two decimals, thousands set apart."""
    text = spell(bits.quantize(Decimal("0.01"), rounding=ROUND_CEILING))
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}{point}{rest}"


def bits_word(text: str) -> str:
    return "bit" if text == "1" else "bits"


def duration(seconds: int | None) -> str:
    """Days, hours, minutes and seconds, leaving out what is zero."""
    if seconds is None:
        return "never"
    units = (("d", seconds // 86_400), ("h", seconds // 3600 % 24), ("min", seconds // 60 % 60), ("s", seconds % 60))
    return " ".join(f"{count:,} {unit}" for unit, count in units if count) or "less than 1 s"


def seconds_word(nanoseconds: int) -> str:
    return spell(Decimal(nanoseconds).scaleb(-9))


def place(location: Location) -> str:
    """`0x08000123 in write (gate/io.c:42), called at gate/reset.c:7`, as far as it is known."""
    function = f" in {clean(location.function)}" if location.function else ""
    line = f" ({clean(location.line)})" if location.line else ""
    return f"0x{location.address:08x}{function}{line}{called(location)}"


def called(location: Location) -> str:
    """Where the innermost call stands that leads to the place; nothing where there is none."""
    if not location.calls:
        return ""
    call = location.calls[-1]
    return f", called at {clean(call.line) if call.line else f'0x{call.address:08x}'}"


def whereabouts(location: Location) -> str:
    """The place without its address: `write, gate/io.c:42, called at gate/reset.c:7`; empty where nothing is known."""
    names = [clean(name) for name in (location.function, location.line) if name]
    return f"{', '.join(names)}{called(location)}" if names else called(location).removeprefix(", ")


def coded(step: Step) -> str:
    """Address and instruction of a step, as far as it has them."""
    address = f"0x{step.location.address:08x}" if step.location is not None else ""
    return " ".join(part for part in (address, clean(step.instruction or "")) if part)


def chain_lines(chain: Chain) -> list[str]:
    """A chain as indented lines of plain text: instruction, what it does, and the place where that is another one."""
    lines, before = [], ""
    for step in chain.steps:
        place = whereabouts(step.location) if step.location is not None else ""
        text = f"{clean(step.text)} ({place})" if place and place != before else clean(step.text)
        lines.append("  " * step.depth + ": ".join(part for part in (coded(step), text) if part))
        before = place or before
    return lines


def source(location: Location) -> tuple[str, int] | None:
    """Relative source path and line number, where the image's debug information has them."""
    if location.line is None:
        return None
    path, _, number = location.line.rpartition(":")
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..", ".")]
    if not parts or not number.isdecimal() or int(number) < 1:
        return None
    return "/".join(parts), int(number)


def locations(outcome: Outcome) -> tuple[Location, ...]:
    """Every place that the outcome names, in order, each once."""
    found: list[Location] = []
    if isinstance(outcome, Inconclusive):
        found.extend(outcome.locations)
    for item in witnesses(outcome):
        found.extend(item.locations)
    return tuple(dict.fromkeys(found))


def witnesses(outcome: Outcome) -> tuple[Evidence, ...]:
    match outcome:
        case Pass():
            return outcome.evidence
        case Fail():
            return outcome.witness
        case Inconclusive() | NotApplicable() | Fault():
            return ()


def seen(outcome: Outcome) -> tuple[str, ...]:
    """What the witnesses say beyond the message itself."""
    said = dict.fromkeys(clean(item.statement) for item in witnesses(outcome))
    return tuple(text for text in said if text != clean(message(outcome)))


def message(outcome: Outcome) -> str:
    match outcome:
        case Pass():
            return outcome.evidence[0].statement
        case NotApplicable():
            return outcome.why
        case Fail() | Inconclusive() | Fault():
            return outcome.message


def reason(outcome: Outcome) -> str:
    """The reason code; `fault` for a check that broke."""
    return outcome.reason if isinstance(outcome, Fail | Inconclusive) else "fault"


def advice(decision: Decision) -> str:
    """What to do about a decision that is not a pass."""
    if isinstance(decision.outcome, Fault):
        return "report this as a defect of Pinproof; until it is mended nothing is certified"
    helps = decision.outcome.would_help if isinstance(decision.outcome, Inconclusive) else None
    remedy = decision.remedy or helps or "change what is named here"
    return f"{clean(remedy)} (pinproof explain {decision.id})"


def weak_spots(report: Report) -> tuple[Decision, ...]:
    """Everything that stands between the report and CONFORMS, failures first."""
    return report.by_kind(Fail) + report.by_kind(Inconclusive, Fault)


AWAITS_WORDS: dict[Awaits, str] = {
    Awaits.CHANGE: "Needs a change in the code, in the hardware, or in what is declared of them",
    Awaits.PAPERS: "Awaits papers: digests, datasheet, statements, a rebuild",
    Awaits.SEAL: "Awaits the seal: the provisioning file",
    Awaits.PAPERS_AND_SEAL: "Awaits papers and the seal",
}
"""The parts of a development checklist, in the order in which they are worked off."""

CHECKLIST_TITLE = "Before sealing"
CHECKLIST_NOTE = "a run with --development never conforms and is never certified"


def nothing_open(report: Report) -> str:
    """For an empty checklist. One that is empty because nothing was looked at says so."""
    if report.proof.gaps or not report.by_kind(Pass):
        return "nothing was proved, so nothing is known to be done"
    return "nothing is open: verify without --development, certify, seal"


def checklist(report: Report) -> list[tuple[str, tuple[Decision, ...]]]:
    """What a module in development lacks, by what it takes; only the parts that have an entry."""
    open_spots = weak_spots(report)
    parts = [(words, tuple(each for each in open_spots if each.awaits is what)) for what, words in AWAITS_WORDS.items()]
    return [(words, found) for words, found in parts if found]


def tally(report: Report) -> str:
    """`36 pass, 1 fail, 0 inconclusive, 2 not applicable`."""
    undecided = report.by_kind(Inconclusive, Fault)
    return (
        f"{len(report.by_kind(Pass))} pass, {len(report.by_kind(Fail))} fail, {len(undecided)} inconclusive, "
        f"{len(report.by_kind(NotApplicable))} not applicable"
    )


def capacity_line(report: Report) -> str:
    """`1 bit/s through the pin`. A number stands for a promise only where everything it rests on was shown."""
    if report.capacity is None:
        return "no bound was shown for what leaves through the pin"
    text = rate(report.capacity.bits_per_second)
    if report.verdict is Verdict.CONFORMS:
        return f"{text} {bits_word(text)}/s through the pin at the most"
    return f"no bound was shown; it would be {text} {bits_word(text)}/s if every requirement held"


def last_lines(report: Report) -> tuple[str, ...]:
    """What the bound means in time, where there is one, and the verdict with the bound."""
    verdict = f"{VERDICT_WORDS[report.verdict]}: {capacity_line(report)}"
    if report.capacity is None or report.verdict is not Verdict.CONFORMS:
        return (verdict,)
    identity, template, frame = (report.capacity.seconds_for(bits) for bits in (10, 256, report.capacity.frame_bits))
    return f"10 bits take {duration(identity)}, 256 bits {duration(template)}, one frame {duration(frame)}", verdict


def facts(report: Report) -> list[tuple[str, str]]:
    """Label and value of each line of the summary, in reading order."""
    rows = [("Through the pin", capacity_line(report))]
    capacity = report.capacity
    if capacity is not None and report.verdict is Verdict.CONFORMS:
        rows += [
            ("", f"{rate(capacity.bits_per_day)} bits a day, {rate(capacity.bits_per_year)} a year"),
            (
                "",
                f"{capacity.alphabet} values, no two changes closer than {seconds_word(capacity.minimum_gap_ns)} s",
            ),
            ("Time to send", f"one person among 1,000 (10 bits): {duration(capacity.seconds_for(10))}"),
            ("", f"a face template (256 bits): {duration(capacity.seconds_for(256))}"),
            ("", f"one frame ({capacity.frame_bits:,} bits): {duration(capacity.seconds_for(capacity.frame_bits))}"),
        ]
    if report.memory is not None:
        total, budget = report.memory.total_bytes, report.memory.budget_bytes
        reachable = report.memory.reachable_bytes
        reached = "not known how much" if reachable is None else f"{reachable:,} bytes"
        rows.append(("Can be written", f"{reached} after the drop, of {total:,} on the part; the budget is {budget:,}"))
    proof = report.proof
    covered = f"{proof.instructions:,} instructions, {proof.vectors} vectors, {proof.handlers} handlers"
    rows.append(("Proof", f"{covered}, {proof.obstacles} obstacles, {proof.steps:,} steps"))
    if proof.gaps:
        rows.append(("", f"this proves nothing: {', '.join(proof.gaps)}"))
    return rows


def subjects(report: Report) -> list[tuple[str, str]]:
    """Label and value of each thing that the report binds to."""
    subjects = report.subjects
    return [
        ("Image", f"{clean(subjects.image_name)} sha256:{subjects.image_sha256}"),
        ("Flash image", f"{subjects.flash_size:,} bytes sha256:{subjects.flash_sha256}"),
        ("Model", f"sha256:{subjects.model_sha256}" if subjects.model_sha256 else "not loaded by the image"),
        ("Declaration", f"{clean(report.module.declaration_name)} sha256:{report.module.declaration_sha256}"),
        ("Standard", f"{report.specification_version} catalogue sha256:{report.catalogue_sha256}"),
        ("Verifier", f"pinproof {report.tool_version}"),
    ]


def title(report: Report) -> str:
    module = report.module
    name = clean(f"{module.vendor} {module.product} {module.version}")
    level = f"level {report.level}{' (self-scan, never certified)' if report.level == 0 else ''}"
    return f"{name}, part {clean(module.part)}, profile {clean(module.profile)}, {level}"
