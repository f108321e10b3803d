"""Trains a network that tells whether a dart is in the ring, and writes it with integers only.

    pip install onnx numpy && python darts.py

Writes darts.onnx: input `place` uint8[1,2] (x and y, the board's middle is 128, 128),
output `scores` int32[1,2] (outside, inside).
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

rng = np.random.default_rng(1)
places = rng.integers(0, 256, (4000, 2))
distance = np.hypot(*(places - 128).T)
inside = ((40 < distance) & (distance < 100)).astype(int)

# Two layers, 24 hidden units, gradient descent with momentum (Adam) on the cross-entropy.
x, y = places / 255, np.eye(2)[inside]
p = [rng.normal(0, 2, (2, 24)), rng.normal(0, 1, 24), rng.normal(0, 0.3, (24, 2)), np.zeros(2)]
m, v = [0 * a for a in p], [0 * a for a in p]
for step in range(1, 6001):
    some = rng.integers(0, len(x), 400)
    hidden = np.maximum(x[some] @ p[0] + p[1], 0)
    scores = hidden @ p[2] + p[3]
    wrong = np.exp(scores - scores.max(1, keepdims=True))
    wrong = (wrong / wrong.sum(1, keepdims=True) - y[some]) / 400
    back = (wrong @ p[2].T) * (hidden > 0)
    for i, g in enumerate([x[some].T @ back, back.sum(0), hidden.T @ wrong, wrong.sum(0)]):
        m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.99 * v[i] + 0.01 * g * g
        p[i] -= 0.05 * (m[i] / (1 - 0.9**step)) / (np.sqrt(v[i] / (1 - 0.99**step)) + 1e-9)

# Weights of 8 bits, sums of 32; what goes from one layer to the next is 0..255 again.
k1, k2 = 127 / abs(p[0]).max(), 127 / abs(p[2]).max()
w1, b1 = np.rint(p[0] * k1).astype(np.int8), np.rint(p[1] * k1 * 255).astype(np.int32)
divisor = int(np.maximum(places @ w1.astype(int) + b1, 0).max() // 255 + 1)
w2, b2 = np.rint(p[2] * k2).astype(np.int8), np.rint(p[3] * k2 * k1 * 255 / divisor).astype(np.int32)

layer = np.maximum(places @ w1.astype(int) + b1, 0) // divisor
right = ((layer @ w2.astype(int) + b2).argmax(1) == inside).mean()

constants = {"w1": w1, "b1": b1, "zero": np.int32(0), "divisor": np.int32(divisor), "w2": w2, "b2": b2}
node = helper.make_node
graph = helper.make_graph(
    [
        node("MatMulInteger", ["place", "w1"], ["sums1"]),
        node("Add", ["sums1", "b1"], ["biased"]),
        node("Max", ["biased", "zero"], ["positive"]),
        node("Div", ["positive", "divisor"], ["smaller"]),
        node("Cast", ["smaller"], ["hidden"], to=TensorProto.UINT8),
        node("MatMulInteger", ["hidden", "w2"], ["sums2"]),
        node("Add", ["sums2", "b2"], ["scores"]),
    ],
    "darts",
    [helper.make_tensor_value_info("place", TensorProto.UINT8, [1, 2])],
    [helper.make_tensor_value_info("scores", TensorProto.INT32, [1, 2])],
    [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()],
)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), "darts.onnx")
print(f"darts.onnx: {right:.1%} of {len(places)} places are right")
