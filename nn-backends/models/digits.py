"""Trains and quantises the handwritten-digit classifier that the example and the tests use.

Run:  pip install -r requirements.txt && python digits.py

Writes, next to this file:
  digits.onnx            int8 convolutional network; input `image` uint8[1,64] (pixels 0..16,
                         row-major 8x8), output `logits` int8[1,10]
  digits-f32.onnx        the network it was made from; input `pixels` float[1,64], output `scores` float[1,10]
  digits-test.bin        the held-out images: for each, 64 pixel bytes and one label byte
  digits-reference.json  onnxruntime's int8 logits for every held-out image, and the accuracy

The data are scikit-learn's copy of the UCI set (see README.md). Everything is seeded.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = pathlib.Path(__file__).parent
OPSET = 17


def patches(x, stride):
    """Rows of 3x3 neighbourhoods (padding 1) of x[n,c,h,w] -> [n, oh*ow, c*9]."""
    n, c, h, w = x.shape
    p = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    win = np.lib.stride_tricks.sliding_window_view(p, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
    oh, ow = win.shape[2:4]
    return win.transpose(0, 2, 3, 1, 4, 5).reshape(n, oh * ow, c * 9), oh, ow


def unpatch(g, shape, stride):
    """Adds gradients of patches back to their pixels."""
    n, c, h, w = shape
    oh, ow = (h + stride - 1) // stride, (w + stride - 1) // stride
    g = g.reshape(n, oh, ow, c, 3, 3)
    p = np.zeros((n, c, h + 2, w + 2), g.dtype)
    for i in range(3):
        for j in range(3):
            p[:, :, i : i + stride * oh : stride, j : j + stride * ow : stride] += g[:, :, :, :, i, j].transpose(0, 3, 1, 2)
    return p[:, :, 1:-1, 1:-1]


def train(x, y):
    """Conv 1->8, ReLU, Conv 8->16 stride 2, ReLU, dense 256->10; Adam on cross-entropy."""
    rng = np.random.default_rng(7)
    dims = {"w1": (8, 9), "w2": (16, 72), "w3": (10, 256)}
    params = {k: rng.normal(0, np.sqrt(2 / s[1]), s) for k, s in dims.items()}
    params |= {"b1": np.zeros(8), "b2": np.zeros(16), "b3": np.zeros(10)}
    moment = {k: [np.zeros_like(v), np.zeros_like(v)] for k, v in params.items()}
    step = 0
    for epoch in range(60):
        rate = 2e-3 if epoch < 40 else 4e-4
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            n = len(batch)
            xi = x[batch].reshape(n, 1, 8, 8) / 16
            a1, _, _ = patches(xi, 1)
            z1 = a1 @ params["w1"].T + params["b1"]
            h1 = np.maximum(z1, 0).transpose(0, 2, 1).reshape(n, 8, 8, 8)
            a2, _, _ = patches(h1, 2)
            z2 = a2 @ params["w2"].T + params["b2"]
            h2 = np.maximum(z2, 0).transpose(0, 2, 1).reshape(n, 256)
            logits = h2 @ params["w3"].T + params["b3"]
            e = np.exp(logits - logits.max(1, keepdims=True))
            d = e / e.sum(1, keepdims=True)
            d[np.arange(n), y[batch]] -= 1
            d /= n
            grad = {"w3": d.T @ h2, "b3": d.sum(0)}
            dz2 = (d @ params["w3"]).reshape(n, 16, 16).transpose(0, 2, 1) * (z2 > 0)
            grad |= {"w2": np.einsum("npo,npk->ok", dz2, a2), "b2": dz2.sum((0, 1))}
            dh1 = unpatch(dz2 @ params["w2"], h1.shape, 2)
            dz1 = dh1.reshape(n, 8, 64).transpose(0, 2, 1) * (z1 > 0)
            grad |= {"w1": np.einsum("npo,npk->ok", dz1, a1), "b1": dz1.sum((0, 1))}
            step += 1
            for k, g in grad.items():
                g = g + 1e-4 * params[k]
                m, v = moment[k]
                m[:] = 0.9 * m + 0.1 * g
                v[:] = 0.999 * v + 0.001 * g * g
                params[k] -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    params["w1"] = params["w1"] / 16  # the network sees pixels 0..16 as they are
    return params


def float_model(params):
    def const(name, value):
        return numpy_helper.from_array(np.ascontiguousarray(value), name)

    f32 = np.float32
    inits = [
        const("plane", np.array([1, 1, 8, 8], np.int64)),
        const("flat", np.array([1, 256], np.int64)),
        const("w1", params["w1"].reshape(8, 1, 3, 3).astype(f32)),
        const("b1", params["b1"].astype(f32)),
        const("w2", params["w2"].reshape(16, 8, 3, 3).astype(f32)),
        const("b2", params["b2"].astype(f32)),
        const("w3", params["w3"].T.astype(f32)),
        const("b3", params["b3"].astype(f32)),
    ]
    nodes = [
        helper.make_node("Reshape", ["pixels", "plane"], ["p"], "to_plane"),
        helper.make_node("Conv", ["p", "w1", "b1"], ["c1"], "conv1", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "conv2", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c2"], ["r2"], "relu2"),
        helper.make_node("Reshape", ["r2", "flat"], ["f"], "to_row"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["scores"], "dense"),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])],
        inits,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    return model


class Calibration(CalibrationDataReader):
    def __init__(self, rows):
        self.rows = iter([{"pixels": r.reshape(1, 64).astype(np.float32)} for r in rows])

    def get_next(self):
        return next(self.rows, None)


def integer_boundary(model):
    """Lets bytes in and out: a DequantizeLinear before the graph, the last one removed."""
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.float32(1), "pixel_scale"))
    graph.initializer.append(numpy_helper.from_array(np.uint8(0), "pixel_zero_point"))
    first = helper.make_node("DequantizeLinear", ["image", "pixel_scale", "pixel_zero_point"], ["pixels"], "pixels")
    graph.node.insert(0, first)
    last = next(n for n in graph.node if n.output[0] == "scores")
    assert last.op_type == "DequantizeLinear"
    source = last.input[0]
    graph.node.remove(last)
    for node in graph.node:
        for i, name in enumerate(node.output):
            if name == source:
                node.output[i] = "logits"
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.append(helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 64]))
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.INT8, [1, 10]))
    model.producer_name = "digits.py"
    model.producer_version = ""
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    digits = load_digits()
    pixels = digits.data.astype(np.uint8)
    train_x, test_x, train_y, test_y = train_test_split(
        pixels, digits.target, test_size=360, random_state=42, stratify=digits.target
    )
    params = train(train_x.astype(np.float64), train_y)

    onnx.save(float_model(params), HERE / "digits-f32.onnx")
    quantize_static(
        HERE / "digits-f32.onnx",
        HERE / "int8.tmp.onnx",
        Calibration(train_x[:400]),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    model = integer_boundary(onnx.load(HERE / "int8.tmp.onnx"))
    (HERE / "int8.tmp.onnx").unlink()
    onnx.save(model, HERE / "digits.onnx")

    session = ort.InferenceSession(str(HERE / "digits.onnx"), providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(None, {"image": row.reshape(1, 64)})[0] for row in test_x])
    accuracy = float((logits.argmax(1) == test_y).mean())
    print(f"{len(test_x)} held-out images, accuracy {accuracy:.4f}")
    assert accuracy >= 0.95

    with open(HERE / "digits-test.bin", "wb") as out:
        for row, label in zip(test_x, test_y):
            out.write(row.tobytes() + bytes([label]))
    reference = {
        "onnxruntime": ort.__version__,
        "accuracy": round(accuracy, 4),
        "logits": logits.tolist(),
    }
    (HERE / "digits-reference.json").write_text(
        json.dumps(reference).replace("[[", "[\n[").replace("], [", "],\n[").replace("]]", "]\n]") + "\n"
    )


main()
