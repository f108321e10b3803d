"""Whole models on onnxruntime and tract, one thread, beside ours in one run.

    python -m venv .venv
    .venv/bin/pip install onnx==1.22.0 onnxruntime==1.31.1 tract==0.23.9 numpy
    .venv/bin/pip install --no-deps magika==1.0.3 rapidocr-onnxruntime==1.4.4 silero-vad==6.2.3
    .venv/bin/python nn-backends/benches/onnxruntime_models.py

The models are made from those packages: shapes are fixed, since ours wants to know them, and the int8 forms come from
`onnxruntime.quantization`. All parties read the same files and the same inputs and take turns, so that whatever else the
machine does weighs on each; the best of each counts. With two arguments: the bench program, and a folder for the models.
"""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader, QuantFormat, QuantType, quant_pre_process, quantize_dynamic, quantize_static)

try:
    import tract
except ImportError:
    tract = None

ROUNDS = 3
HERE = pathlib.Path(__file__).resolve().parent


def package(name, path):
    return pathlib.Path(importlib.util.find_spec(name).origin).parent / path


def fix(graph, *shapes):
    """Gives the inputs these shapes."""
    for info, shape in zip(graph.input, shapes):
        for dim, value in zip(info.type.tensor_type.shape.dim, shape):
            dim.dim_value = value
    del graph.value_info[:]


def freeze(graph, name, value):
    """Makes an input a constant."""
    kept = [i for i in graph.input if i.name != name]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.append(numpy_helper.from_array(value, name))


class Noise(CalibrationDataReader):
    """Eight calibration inputs."""

    def __init__(self, name, make):
        self.items = iter([{name: make(seed)} for seed in range(8)])

    def get_next(self):
        return next(self.items, None)


def image(shape, seed):
    """Strokes on a light ground, roughly what text looks like."""
    random = np.random.default_rng(seed)
    x = np.ones(shape, np.float32)
    for _ in range(40):
        at, size = random.integers(0, shape[3] - 6), random.integers(2, 24)
        x[:, :, 8:8 + size, at:at + 3] = -1
    return x


def make(folder):
    """Writes every model with its inputs, if it is not there yet, and gives their names and inputs."""
    made = {}

    def done(name, model, feed):
        at = folder / name
        at.mkdir(parents=True, exist_ok=True)
        if isinstance(model, pathlib.Path):
            model = onnx.load(model)
        onnx.save(model, at / "model.onnx")
        for i, value in enumerate(feed.values()):
            (at / f"input_{i}.bin").write_bytes(np.ascontiguousarray(value).tobytes())
        made[name] = feed

    digits = HERE.parent / "models" / "digits.onnx"
    row = np.frombuffer((HERE.parent / "models" / "digits-test.bin").read_bytes()[:64], np.uint8)
    done("digits-int8", digits, {"image": row.reshape(1, 64)})

    magika = onnx.load(package("magika", "models/standard_v3_3/model.onnx"))
    fix(magika.graph, [1, 2048])
    text = (HERE / "onnxruntime_models.py").read_bytes()
    bytes_ = np.frombuffer(text[:1024] + text[-1024:], np.uint8).astype(np.int32).reshape(1, 2048)
    done("magika-f32", magika, {"bytes": bytes_})
    path = folder / "magika-f32" / "model.onnx"
    quantize_dynamic(path, folder / "quantised.onnx")
    done("magika-int8", folder / "quantised.onnx", {"bytes": bytes_})

    silero = onnx.load(package("silero_vad", "data/silero_vad_op18_ifless.onnx"))
    freeze(silero.graph, "sr", np.array(16000, np.int64))
    fix(silero.graph, [1, 576], [2, 1, 128])
    t = np.arange(576) / 16000
    voice = (0.3 * np.sin(2 * np.pi * 140 * t) + 0.1 * np.sin(2 * np.pi * 420 * t)).astype(np.float32)
    done("silero-f32", silero, {"input": voice.reshape(1, 576), "state": np.zeros((2, 1, 128), np.float32)})

    text = onnx.load(package("rapidocr_onnxruntime", "models/ch_ppocr_mobile_v2.0_cls_infer.onnx"))
    fix(text.graph, [1, 3, 48, 192])
    onnx.save(text, folder / "plain.onnx")
    quant_pre_process(folder / "plain.onnx", folder / "text.onnx", skip_symbolic_shape=True)
    shape = (1, 3, 48, 192)
    done("text-direction-f32", folder / "text.onnx", {"x": image(shape, 99)})
    quantize_static(
        folder / "text.onnx", folder / "quantised.onnx", Noise("x", lambda seed: image(shape, seed)),
        quant_format=QuantFormat.QOperator, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    done("text-direction-int8", folder / "quantised.onnx", {"x": image(shape, 99)})
    return made


def best(run):
    least, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < 0.5:
        one = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - one)
    return least * 1e6


def onnxruntime(path, feed):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    made = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    binding = made.io_binding()
    for name, value in feed.items():
        binding.bind_cpu_input(name, np.ascontiguousarray(value))
    for output in made.get_outputs():
        binding.bind_output(output.name)
    return lambda: made.run_with_iobinding(binding)


def with_tract(path, feed):
    if tract is None:
        return None
    try:
        model = tract.onnx().load(path).into_model().into_runnable()
        inputs = [np.ascontiguousarray(value) for value in feed.values()]
        model.run(inputs)
        return lambda: model.run(inputs)
    except Exception as error:  # tract lacks operators of some models
        print(f"# tract: {path.parent.name}: {str(error).strip().splitlines()[0][:120]}", file=sys.stderr)
        return None


def main():
    program, folder = (sys.argv + [None, None])[1:3]
    folder = pathlib.Path(folder or tempfile.mkdtemp())
    made = make(folder)
    command = [program, "--bench"] if program else ["cargo", "bench", "-q", "--bench", "models", "--"]
    runs = {name: (onnxruntime(folder / name / "model.onnx", feed), with_tract(folder / name / "model.onnx", feed))
            for name, feed in made.items()}
    ours, theirs, other = {}, {}, {}
    for _ in range(ROUNDS):
        shown = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True).stdout
        for line in shown.splitlines():
            if line.startswith("#"):
                print(line, file=sys.stderr)
                continue
            isa, name, what, number = line.split()
            key = (isa, name, what)
            ours[key] = min(ours.get(key, float("inf")), float(number))
        for name, (run, run_tract) in runs.items():
            theirs[name] = min(theirs.get(name, float("inf")), best(run))
            if run_tract:
                other[name] = min(other.get(name, float("inf")), best(run_tract))
    isas = list(dict.fromkeys(isa for isa, _, what in ours if what == "run"))
    print(f"| µs, one thread | onnxruntime {ort.__version__} | tract | {' | '.join(isas)} | root of a trace | load, ms |")
    print("|---|---|---|" + "---|" * len(isas) + "---|---|")
    for name in sorted(made):
        if ("any", name, "load") not in ours:
            continue
        us = theirs[name]
        cells = (f"{ours[(isa, name, 'run')]:.1f} ({us / ours[(isa, name, 'run')]:.2f}×)" for isa in isas)
        tracts = f"{other[name]:.1f} ({us / other[name]:.2f}×)" if name in other else "–"
        root = ours[(isas[-1], name, "root")]
        share = 100 * root / ours[(isas[-1], name, "run")]
        load = ours[("any", name, "load")]
        print(f"| {name} | {us:.1f} | {tracts} | {' | '.join(cells)} | {root:.1f} ({share:.0f} %) | {load:.2f} |")


main()
