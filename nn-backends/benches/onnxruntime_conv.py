"""The same convolutions and single-precision products on onnxruntime, one thread, beside ours in one run.

    python -m venv .venv && .venv/bin/pip install onnx==1.22.0 onnxruntime==1.31.1 numpy
    .venv/bin/python nn-backends/benches/onnxruntime_conv.py

Ours and theirs take turns, so that whatever else the machine does weighs on both; the best of each counts. The time of
an empty graph is taken off theirs, because a kernel of ours is called without a session.
"""

import re
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

ROUNDS = 3


def tensor(name, values, kind):
    return helper.make_tensor(name, kind, values.shape, values.tobytes(), raw=True)


def session(nodes, inputs, outputs, initializers):
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def best(made, feed):
    binding = made.io_binding()
    for name, value in feed.items():
        binding.bind_cpu_input(name, value)
    binding.bind_output("y")
    least, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < 0.3:
        one = time.perf_counter()
        made.run_with_iobinding(binding)
        least = min(least, time.perf_counter() - one)
    return least * 1e6


def matmul(m, k, n):
    b = (np.arange(k * n) * 17 % 253).astype(np.float32).reshape(k, n)
    made = session(
        [helper.make_node("MatMul", ["x", "b"], ["y"])],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [m, k])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [m, n])],
        [tensor("b", b, TensorProto.FLOAT)],
    )
    return best(made, {"x": np.ones((m, k), np.float32)})


def conv(kind, ci, co, groups, h, w, kh, kw, stride):
    pads = [n // 2 if n < 8 else 0 for n in (kh, kw)] * 2
    attributes = dict(
        group=groups, kernel_shape=[kh, kw], pads=pads, strides=[stride if h > 1 else 1, stride], dilations=[1, 1])
    weights = np.arange(co * (ci // groups) * kh * kw) * 17 % 253
    shape = (co, ci // groups, kh, kw)
    if kind == "f32":
        node = helper.make_node("Conv", ["x", "w", "b"], ["y"], **attributes)
        extra = [tensor("w", weights.astype(np.float32).reshape(shape), TensorProto.FLOAT),
                 tensor("b", np.full(co, 5, np.float32), TensorProto.FLOAT)]
        ty, feed = TensorProto.FLOAT, np.ones((1, ci, h, w), np.float32)
    else:
        node = helper.make_node(
            "QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"], **attributes)
        scale = lambda name, value: tensor(name, np.array(value, np.float32), TensorProto.FLOAT)
        extra = [scale("xs", 1 / 64), scale("ws", 1 / 64), scale("ys", 1.0),
                 tensor("xz", np.array(3, np.uint8), TensorProto.UINT8),
                 tensor("wz", np.array(0, np.int8), TensorProto.INT8),
                 tensor("yz", np.array(100, np.uint8), TensorProto.UINT8),
                 tensor("w", weights.astype(np.uint8).view(np.int8).reshape(shape), TensorProto.INT8),
                 tensor("b", np.full(co, 5, np.int32), TensorProto.INT32)]
        ty, feed = TensorProto.UINT8, np.ones((1, ci, h, w), np.uint8)
    made = session(
        [node],
        [helper.make_tensor_value_info("x", ty, [1, ci, h, w])],
        [helper.make_tensor_value_info("y", ty, None)],
        extra,
    )
    return best(made, {"x": feed})


def theirs(kind, name):
    numbers = list(map(int, re.findall(r"\d+", name)))
    return matmul(*numbers) if name.startswith("matmul") else conv(kind, *numbers)


def overhead():
    made = session(
        [helper.make_node("Relu", ["x"], ["y"])],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [],
    )
    return best(made, {"x": np.ones(1, np.float32)})


def main():
    command = ["cargo", "bench", "-q", "-p", "aivm-nn", "--bench", "conv"]
    if len(sys.argv) > 1:
        command = [sys.argv[1], "--bench"]
    ours, peer, empty = {}, {}, float("inf")
    for _ in range(ROUNDS):
        for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
            isa, kind, name, us = line.split()
            ours[(kind, name, isa)] = min(ours.get((kind, name, isa), float("inf")), float(us))
        for kind, name in dict.fromkeys(key[:2] for key in ours):
            peer[(kind, name)] = min(peer.get((kind, name), float("inf")), theirs(kind, name))
        empty = min(empty, overhead())
    isas = list(dict.fromkeys(key[2] for key in ours))
    print(f"µs, one thread; an empty graph takes onnxruntime {empty:.1f} µs, taken off its times\n")
    print(f"| case | onnxruntime {ort.__version__} | {' | '.join(isas)} |")
    print("|---|---|" + "---|" * len(isas))
    for (kind, name), us in peer.items():
        us = max(us - empty, 0.1)
        cells = (f"{ours[(kind, name, isa)]:.1f} ({us / ours[(kind, name, isa)]:.2f}×)" for isa in isas)
        print(f"| {kind} {name} | {us:.1f} | {' | '.join(cells)} |")


main()
