"""Trains and writes the two small integer networks that contracts of the corpus call.

Run:  pip install -r ../../../nn-backends/models/requirements.txt && python corpus_models.py

Writes, next to this file:
  credit-int8.onnx  `features` uint8[1,16] -> `logits` int32[1,3]
  gate-int8.onnx    `histogram` uint8[1,16] -> `logits` int32[1,2]
  reference.json    inputs, and the logits that onnxruntime gives for them

Both are Concat (a constant 255 stands for the bias) -> QLinearMatMul, whose saturation at
zero is the ReLU -> MatMulInteger -> Add. All arithmetic is on integers. The data are made
up here: applicants from a formula with noise, texts from word lists and from random bytes.
They show how a contract uses a model; they say nothing about people.
"""

import base64
import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent


def train(x, y, hidden, classes, seed):
    """One hidden layer, Adam on cross-entropy; x in 0..255, its last column is 255."""
    rng = np.random.default_rng(seed)
    x = x / 255.0
    w1 = rng.normal(0, np.sqrt(2 / x.shape[1]), (x.shape[1], hidden))
    w2 = rng.normal(0, np.sqrt(2 / hidden), (hidden, classes))
    b2 = np.zeros(classes)
    params = [w1, w2, b2]
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in params]
    for step in range(1, 1501):
        batch = rng.integers(0, len(x), 128)
        xi = x[batch]
        h = np.maximum(xi @ w1, 0)
        logits = h @ w2 + b2
        e = np.exp(logits - logits.max(1, keepdims=True))
        d = e / e.sum(1, keepdims=True)
        d[np.arange(len(batch)), y[batch]] -= 1
        d /= len(batch)
        dh = (d @ w2.T) * (h > 0)
        for p, g, (m, v) in zip(params, [xi.T @ dh, h.T @ d, d.sum(0)], moments):
            g = g + 1e-4 * p
            m[:] = 0.9 * m + 0.1 * g
            v[:] = 0.999 * v + 0.001 * g * g
            p -= 4e-3 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return w1, w2, b2, np.maximum(x @ w1, 0).max()


def quantise(name, source, classes, w1, w2, b2, top):
    """Symmetric int8 weights; hidden activations uint8 with zero point 0."""
    s1, s2, sh = abs(w1).max() / 127, abs(w2).max() / 127, top / 255
    q1, q2 = np.rint(w1 / s1).astype(np.int8), np.rint(w2 / s2).astype(np.int8)
    qb = np.rint(b2 / (sh * s2)).astype(np.int32).reshape(1, classes)
    const = lambda n, v: numpy_helper.from_array(np.ascontiguousarray(v), n)
    inits = [
        const("one", np.array([[255]], np.uint8)),
        const("x_scale", np.float32(1 / 255)),
        const("x_zero", np.uint8(0)),
        const("w1", q1),
        const("w1_scale", np.float32(s1)),
        const("w1_zero", np.int8(0)),
        const("h_scale", np.float32(sh)),
        const("h_zero", np.uint8(0)),
        const("w2", q2),
        const("w2_zero", np.int8(0)),
        const("b2", qb),
    ]
    nodes = [
        helper.make_node("Concat", [source, "one"], ["x"], "bias_column", axis=1),
        helper.make_node("QLinearMatMul", ["x", "x_scale", "x_zero", "w1", "w1_scale", "w1_zero", "h_scale", "h_zero"], ["h"], "hidden"),
        helper.make_node("MatMulInteger", ["h", "w2", "h_zero", "w2_zero"], ["o"], "out"),
        helper.make_node("Add", ["o", "b2"], ["logits"], "out_bias"),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(source, TensorProto.UINT8, [1, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.INT32, [1, classes])],
        inits,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="corpus_models.py")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, HERE / f"{name}-int8.onnx")


def check(name, source, x, y):
    session = ort.InferenceSession(str(HERE / f"{name}-int8.onnx"), providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(None, {source: r.reshape(1, 16)})[0] for r in x])
    accuracy = float((logits.argmax(1) == y).mean())
    print(f"{name}: {len(x)} held out, accuracy {accuracy:.3f}")
    assert accuracy >= 0.9
    return {"inputs": x[:40].tolist(), "logits": logits[:40].tolist(), "accuracy": round(accuracy, 3)}


def with_bias(x):
    return np.concatenate([x, np.full((len(x), 1), 255, np.uint8)], 1)


def applicants(rng, n):
    """Features 0..4 speak for the applicant (income, savings, years in work, …), 5..9
    against (debts, missed payments, …), 10..15 say nothing."""
    x = rng.integers(0, 256, (n, 16))
    score = x[:, :5].mean(1) - x[:, 5:10].mean(1) + rng.normal(0, 3, n)
    return x.astype(np.uint8), np.where(score < -25, 0, np.where(score < 25, 1, 2))


def byte_class(c):
    """The same sixteen classes as in gate.synq."""
    if c == 0x20: return 0
    if c in b"\n\r\t": return 1
    if c < 0x20 or c == 0x7F: return 2
    if c in b"0123456789": return 3
    if 0x61 <= c <= 0x7A:
        for number, letters in ((4, b"ae"), (5, b"iou"), (6, b"tns"), (7, b"rhld"), (8, b"jqxzkv")):
            if c in letters: return number
        return 9
    if 0x41 <= c <= 0x5A: return 10 if c < 0x4E else 11
    if c in b",.'": return 12
    if c in b"+/=_": return 13
    return 14 if c < 0x80 else 15


def histogram(text):
    counts = [0] * 16
    for c in text:
        counts[byte_class(c)] += 1
    return [n * 255 // len(text) for n in counts]


WORDS = """the of and to in that it was he for on with as his they be at one have this from or had by
hot word but what some we can out other were all there when up use your how said an each she which
do their time if will way about many then them write would like so these her long make thing see him
two has look more day could go come did number sound no most people my over know water than call
first who may down side been now find any new work part take get place made live where after back
little only round man year came show every good me give our under name very through just form
sentence great think say help low line differ turn cause much mean before move right boy old too
same tell does set three want air well also play small end put home read hand port large spell add
even land here must big high such follow act why ask men change went light kind off need house
picture try us again animal point mother world near build self earth father""".split()


def prose(rng, size):
    out = []
    while sum(map(len, out)) + len(out) < size:
        sentence = [str(w) for w in rng.choice(WORDS, rng.integers(4, 14))]
        sentence[0] = sentence[0].capitalize()
        if len(sentence) > 8: sentence[5] += ","
        sentence[-1] += "."
        out += sentence
    return " ".join(out)[:size].encode()


def noise(rng, size):
    raw = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    kind = rng.integers(0, 6)
    if kind == 0: return base64.b64encode(raw)[:size]
    if kind == 1: return raw.hex().encode()[:size]
    if kind == 2: return bytes(33 + b % 94 for b in raw)
    if kind == 3: return bytes([raw[0] % 94 + 33]) * size
    if kind == 4: return raw
    return (b"0x" + raw.hex().upper().encode())[:size]


def texts(rng, n):
    y = rng.integers(0, 2, n)
    x = [histogram((prose if label else noise)(rng, int(rng.integers(16, 400)))) for label in y]
    return np.array(x, np.uint8), y


def main():
    rng = np.random.default_rng(11)
    reference = {"onnxruntime": ort.__version__}
    for name, source, data, hidden, classes in (
        ("credit", "features", applicants, 16, 3),
        ("gate", "histogram", texts, 12, 2),
    ):
        x, y = data(rng, 6000)
        quantise(name, source, classes, *train(with_bias(x[:5500]), y[:5500], hidden, classes, 5))
        reference[name] = check(name, source, x[5500:], y[5500:])
    text = json.dumps(reference).replace("[[", "[\n[").replace("], [", "],\n[").replace("]]", "]\n]")
    (HERE / "reference.json").write_text(text + "\n")


main()
