"""Writes `real/`: real inputs of the real models, and what onnxruntime makes of them.

Run once, after `cargo xtask models`, with `pip install -r requirements.txt` and `espeak-ng` (Debian: `apt-get install
espeak-ng`). The result is kept in the repository; the tests compare with it.

* `files.bin`: for each file the first and the last 1,024 bytes after stripping white space, as magika takes them;
* `speech.s16`: silence, speech by espeak-ng, silence; 16 kHz, mono, signed 16-bit little-endian;
* `crops.gray`: lines of text drawn by Pillow, 48 by 192 grey pixels each, upright and turned by 180 degrees;
* `real.json`: names, classes and outputs.
"""

import gzip
import importlib.util
import marshal
import io
import json
import os
import pathlib
import subprocess
import sys
import sysconfig
import zipfile

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).parent
OUT = HERE / "real"
BASE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
MODELS = pathlib.Path(os.environ.get("AIVM_MODELS") or os.path.join(BASE, "aivm", "models"))


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(MODELS / path), options, providers=["CPUExecutionProvider"])


def numbers(array):
    """The shortest decimals that give the same f32."""
    return [float(str(v)) for v in np.asarray(array, np.float32).ravel()]


def files():
    """Files of many kinds: the repository's, the Python library's, and some made of them."""
    root = HERE.parent.parent
    library = pathlib.Path(sysconfig.get_paths()["stdlib"])
    site = pathlib.Path(sysconfig.get_paths()["purelib"])
    image = io.BytesIO()
    Image.effect_mandelbrot((160, 120), (-2, -1.5, 1, 1.5), 60).save(image, "JPEG")
    picture = io.BytesIO()
    Image.effect_mandelbrot((160, 120), (-2, -1.5, 1, 1.5), 60).save(picture, "PNG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        for path in sorted(library.glob("json/*.py")):
            z.write(path, path.name)
    table = "id,name,score\n" + "".join(f"{i},name {i},{i * i % 97}\n" for i in range(300))
    page = "<!DOCTYPE html>\n<html><head><title>List</title></head><body><ul>\n"
    page += "".join(f'<li class="row"><a href="/item/{i}">Item {i}</a></li>\n' for i in range(80))
    page += "</ul></body></html>\n"
    source = (library / "argparse.py").read_bytes()
    header = pathlib.Path(sysconfig.get_paths()["include"], "pymem.h")
    return [
        ("argparse.py", source),
        ("argparse.py.gz", gzip.compress(source, mtime=0)),
        ("json.zip", archive.getvalue()),
        ("picture.jpg", image.getvalue()),
        ("picture.png", picture.getvalue()),
        ("table.csv", table.encode()),
        ("page.html", page.encode()),
        ("pymem.h", header.read_bytes()),
        ("model.rs", (root / "nn-backends/src/model.rs").read_bytes()),
        ("README.md", (root / "README.md").read_bytes()),
        ("Cargo.lock", (root / "Cargo.lock").read_bytes()),
        ("digits-reference.json", (HERE / "digits-reference.json").read_bytes()),
        ("python", pathlib.Path(os.path.realpath(sys.executable)).read_bytes()),
        ("digits.onnx", (HERE / "digits.onnx").read_bytes()),
        ("activate", (pathlib.Path(sys.executable).parent / "activate").read_bytes()),
        ("ast.pyc", compiled(library / "ast.py")),
    ]


def compiled(path):
    code = compile(path.read_bytes(), path.name, "exec")
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def magika():
    model = session("magika-1.0.3/model.onnx")
    config = json.loads((MODELS / "magika-1.0.3/config.min.json").read_text())
    labels, block = config["target_labels_space"], config["block_size"]
    cases, stored = [], b""
    for name, data in files():
        first, last = data[:block].lstrip()[:1024], data[-block:].rstrip()[-1024:]
        assert len(first) == len(last) == 1024, name
        stored += first + last
        x = np.frombuffer(first + last, np.uint8).astype(np.int32)[np.newaxis]
        (y,) = model.run(None, {model.get_inputs()[0].name: x})
        cases.append({"name": name, "label": labels[int(y.argmax())], "output": numbers(y)})
    (OUT / "files.bin").write_bytes(stored)
    return cases


def silero():
    model = session("silero-vad-6.2.3/silero_vad_op18_ifless.onnx")
    text = "Every validator gets the same bits."
    wave = OUT / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "en", "-s", "150", "-w", str(wave), text], check=True)
    raw = wave.read_bytes()
    wave.unlink()
    rate = int.from_bytes(raw[24:28], "little")
    sound = np.frombuffer(raw[44:], "<i2").astype(np.float64)
    at = np.arange(0, len(sound) - 1, rate / 16000)
    sound = np.interp(at, np.arange(len(sound)), sound)
    noise = np.random.default_rng(1).normal(0, 20, 8000)
    sound = np.concatenate([noise, sound, noise]).round().astype("<i2")
    sound = sound[: len(sound) // 512 * 512]
    (OUT / "speech.s16").write_bytes(sound.tobytes())
    x = sound.astype(np.float32) / np.float32(32768)
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros((1, 64), np.float32)
    out = []
    for chunk in x.reshape(-1, 512):
        window = np.concatenate([context, chunk[np.newaxis]], axis=1)
        feeds = {"input": window, "state": state, "sr": np.array(16000, np.int64)}
        y, state = model.run(None, feeds)
        context = window[:, -64:]
        out.append(y)
    return {"probabilities": numbers(out), "state": numbers(state)}


def classifier():
    model = session("rapidocr-1.4.4/ch_ppocr_mobile_v2.0_cls_infer.onnx")
    font = ImageFont.load_default(36)
    cases, stored = [], b""
    for text in ["validator", "Hello World", "1,234.56 EUR", "gas limit", "Block 77"]:
        left, top, right, bottom = font.getbbox(text)
        image = Image.new("L", (right + 16, bottom - top + 16), 255)
        ImageDraw.Draw(image).text((8, 8 - top), text, fill=0, font=font)
        width = min(192, -(-48 * image.width // image.height))
        for turn in (0, 180):
            line = image.rotate(turn).resize((width, 48), Image.Resampling.BILINEAR)
            # 127.5 becomes 0, which is what the model is padded with; 128 is nearest.
            pixels = np.full((48, 192), 128, np.uint8)
            pixels[:, :width] = np.asarray(line)
            stored += pixels.tobytes()
            x = (pixels.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
            x = np.repeat(x[np.newaxis, np.newaxis], 3, axis=1)
            (y,) = model.run(None, {model.get_inputs()[0].name: x})
            cases.append({"text": text, "turned": turn, "output": numbers(y)})
    (OUT / "crops.gray").write_bytes(stored)
    return cases


def main():
    OUT.mkdir(exist_ok=True)
    report = {
        "onnxruntime": onnxruntime.__version__,
        "magika": magika(),
        "silero": silero(),
        "classifier": classifier(),
    }
    (OUT / "real.json").write_text(json.dumps(report, indent=1) + "\n")
    for case in report["magika"]:
        print(case["name"], case["label"], max(case["output"]))
    print([round(p, 2) for p in report["silero"]["probabilities"]])
    for case in report["classifier"]:
        print(case["text"], case["turned"], case["output"])


if __name__ == "__main__":
    main()
