"""The same integer products on onnxruntime, one thread, beside ours in one run.

    python -m venv .venv && .venv/bin/pip install onnx==1.22.0 onnxruntime==1.31.1 numpy
    .venv/bin/python nn-backends/benches/onnxruntime_gemm.py

Ours and theirs take turns, so that whatever else the machine does weighs on both; the best of each counts.
"""

import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

SHAPES = [(512, 512, 512), (1, 1024, 1024), (1, 4096, 4096)]
ROUNDS = 5


def session(m, k, n):
    weights = (np.arange(k * n) * 17 % 253).astype(np.uint8).view(np.int8).reshape(k, n)
    node = helper.make_node("MatMulInteger", ["a", "b", "az", "bz"], ["c"])
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [m, k])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [m, n])],
        [
            helper.make_tensor("b", TensorProto.INT8, [k, n], weights.tobytes(), raw=True),
            helper.make_tensor("az", TensorProto.UINT8, [], [3]),
            helper.make_tensor("bz", TensorProto.INT8, [], [0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    made = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    a = (np.arange(m * k) * 31 % 251).astype(np.uint8).reshape(m, k)
    binding = made.io_binding()
    binding.bind_cpu_input("a", a)
    binding.bind_output("c")
    return made, binding, a


def theirs(m, k, n):
    made, binding, _a = session(m, k, n)
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < 0.5:
        one = time.perf_counter()
        made.run_with_iobinding(binding)
        best = min(best, time.perf_counter() - one)
    return 2 * m * k * n / best / 1e9


def main():
    command = ["cargo", "bench", "-q", "-p", "aivm-nn", "--bench", "gemm"]
    if len(sys.argv) > 1:
        command = [sys.argv[1], "--bench"]
    ours, peer = {}, {}
    for _ in range(ROUNDS):
        for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
            isa, m, k, n, gops = line.split()
            key = (isa, int(m), int(k), int(n))
            ours[key] = max(ours.get(key, 0), float(gops))
        for shape in SHAPES:
            peer[shape] = max(peer.get(shape, 0), theirs(*shape))
    print(f"| GOPS, one thread | {' | '.join('×'.join(map(str, s)) for s in SHAPES)} |")
    print("|---|" + "---|" * len(SHAPES))
    print(f"| onnxruntime {ort.__version__} | {' | '.join(f'{peer[s]:.0f}' for s in SHAPES)} |")
    for isa in dict.fromkeys(key[0] for key in ours):
        cells = (f"{ours[(isa, *s)]:.0f} ({ours[(isa, *s)] / peer[s]:.2f}×)" for s in SHAPES)
        print(f"| {isa} | {' | '.join(cells)} |")


main()
