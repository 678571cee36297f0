"""Fetches third-party protos: buf/validate/validate.proto, with its Python stub, and google/api's annotations.

The first comes from the source distribution of protovalidate 1.2.0, the last one that contains it; its rules equal those of 2.x. The
others are part of the installed package googleapis-common-protos, with their stubs. All are copied to the ignored folder ``.cache``: the
protos for ``buf``, the stub for the package and the wheel.
"""

from __future__ import annotations

import importlib.metadata
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = "protovalidate==1.2.0"
NAME = "buf/validate/validate.proto"
GOOGLE = ("google/api/annotations.proto", "google/api/http.proto")
PROTOS = ROOT / ".cache" / "proto"
STUBS = ROOT / ".cache" / "gen"


def main() -> None:
    """Fetches missing files; without any it needs no network."""
    if not (PROTOS / NAME).exists():
        fetch()
    if not (STUBS / NAME).with_name("validate_pb2.py").exists():
        STUBS.mkdir(parents=True, exist_ok=True)
        plugin = pathlib.Path(sys.executable).with_name("protoc-gen-mypy")
        command = [sys.executable, "-m", "grpc_tools.protoc", "-I", PROTOS, f"--plugin=protoc-gen-mypy={plugin}"]
        subprocess.run([*command, f"--python_out={STUBS}", f"--mypy_out=quiet:{STUBS}", NAME], check=True)

    installed = importlib.metadata.distribution("googleapis-common-protos")
    for name in GOOGLE:
        (PROTOS / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(installed.locate_file(name)), PROTOS / name)


def fetch() -> None:
    """Extracts the proto from the source distribution."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", folder, SOURCE], check=True)
        archive = next(pathlib.Path(folder).glob("*.tar.gz"))
        with tarfile.open(archive) as content:
            member = next(entry for entry in content.getmembers() if entry.name.endswith(f"upstream/proto/{NAME}"))
            extracted = content.extractfile(member)
            assert extracted is not None, f"{member.name} is not a file"
            target = PROTOS / NAME
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(extracted.read())


if __name__ == "__main__":
    main()
