"""Fetches the node tests of ONNX and the real models that the tests read, once.

They come from PyPI, each pinned by the hash of its wheel, and are unpacked to
`$AIVM_MODELS`, or `${XDG_CACHE_HOME:-~/.cache}/aivm/models`. Whatever is there already is
checked against the hash of its files and not fetched again. Python 3.8 with pip is enough.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

# Requirement, hash of the wheel, folder in the cache, prefix within the wheel, what is taken (a suffix of the path; all
# of it if empty), hash over the unpacked files.
PACKAGES = [
    (
        "onnx==1.22.0",
        "1d0a2bdb15eb2b3cb65c438f3423d9620d14fdce32f92380e6bb1b2e09568ef5",
        "onnx-node-1.22.0",
        "onnx/backend/test/data/node/",
        "",
        "a55c1987232355e040f2328b5f85edb9676153888ff4e1082b9896d15a10549d",
    ),
    (
        "magika==1.0.3",
        "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
        "magika-1.0.3",
        "magika/models/standard_v3_3/",
        "",
        "70af67896c246bf23d276f61057f1f93361d4b59bd831c4f0b7f879066c959a8",
    ),
    (
        "silero-vad==6.2.3",
        "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
        "silero-vad-6.2.3",
        "silero_vad/data/",
        "silero_vad_op18_ifless.onnx",
        "404bc5c8e332f81b5882e377e5c159014cf783c668d18e57571660b2449271b7",
    ),
    (
        "rapidocr-onnxruntime==1.4.4",
        "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
        "rapidocr-1.4.4",
        "rapidocr_onnxruntime/models/",
        "cls_infer.onnx",
        "d90bcc9936c8a3f42646706a9aec2c7f2a644945b1e3d562c2c604388818be0a",
    ),
]
# The wheels are only unpacked, never run: one platform's serve everywhere.
PLATFORM = [
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.11",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_27_x86_64",
]


def cache():
    """The folder that everything is unpacked to."""
    if "AIVM_MODELS" in os.environ:
        return pathlib.Path(os.environ["AIVM_MODELS"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base, "aivm", "models")


def digest(folder):
    """SHA-256 over the paths and the hashes of all files of a folder."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def fetch(requirement, wheel_hash, target, prefix, suffix):
    """Downloads one wheel and unpacks its part."""
    print(f"fetching {requirement}", flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        pins = pathlib.Path(scratch, "requirements.txt")
        pins.write_text(f"{requirement} --hash=sha256:{wheel_hash}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, *PLATFORM, "--dest", scratch, "--requirement", pins], check=True)
        (wheel,) = pathlib.Path(scratch).glob("*.whl")
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != wheel_hash:
            sys.exit(f"error: {wheel.name} has hash {found}, expected {wheel_hash}")
        unpacked = pathlib.Path(scratch, "unpacked")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.startswith(prefix) and name.endswith(suffix) and not name.endswith("/"):
                    path = unpacked / name[len(prefix) :]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(archive.read(name))
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)


def main():
    root = cache()
    root.mkdir(parents=True, exist_ok=True)
    for requirement, wheel_hash, folder, prefix, suffix, expected in PACKAGES:
        target = root / folder
        if not target.is_dir() or digest(target) != expected:
            fetch(requirement, wheel_hash, target, prefix, suffix)
            found = digest(target)
            if found != expected:
                sys.exit(f"error: the files of {requirement} have hash {found}, expected {expected}")
    print(f"the models are in {root}")


if __name__ == "__main__":
    main()
