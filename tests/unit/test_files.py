"""Where manifests come from."""

import io
import os
import pathlib
import threading
import warnings

import pytest

from planton import cli, errors, manifest
from planton.manifest import files


def names(*paths: str) -> list[str]:
    return [name for name, _ in manifest.sources(paths)]


def test_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder means all YAML and JSON files below it, sorted; hidden ones and kustomizations are left out."""
    monkeypatch.chdir(tmp_path)
    for name in ("m/b.yaml", "m/a.yml", "m/c/d.json", "m/x.txt", "m/.hidden.yaml", "m/.git/e.yaml", "m/kustomization.yaml"):
        pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(name).write_text(name, "utf-8")
    assert names("m") == ["m/a.yml", "m/b.yaml", "m/c/d.json"]
    assert names("m/x.txt", "m/b.yaml") == ["m/x.txt", "m/b.yaml"]


def test_standard_input() -> None:
    """A dash is standard input, of which no more is read than is allowed."""
    assert list(manifest.sources(["-"], stdin=io.BytesIO(b"a: b"))) == [("-", b"a: b")]
    ((_, data),) = manifest.sources(["-"], stdin=io.BytesIO(b"x" * (5 << 20)))
    assert len(data) == (4 << 20) + 1


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "no .yaml"),
        (lambda path: path.symlink_to(path), "symbolic links"),
        (lambda path: path.symlink_to("nowhere"), "No such file"),
    ],
)
def test_unreadable(make: object, why: str, tmp_path: pathlib.Path) -> None:
    """What cannot be read is a usage error that names the path."""
    path = tmp_path / "x"
    make(path)  # type: ignore[operator]
    with pytest.raises(errors.PlantonError, match=why) as caught:
        names(str(path))
    assert (caught.value.code, caught.value.reason) == (errors.Code.USAGE, errors.Reason.MANIFEST_UNREADABLE)
    assert str(path) in caught.value.message


def test_huge_file(tmp_path: pathlib.Path) -> None:
    """Of a file that is too large only so much is read as shows it."""
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 34)
    ((_, data),) = manifest.sources([str(path)])
    assert len(data) == (4 << 20) + 1


def test_endless_file() -> None:
    """A device that never ends is read up to the bound."""
    ((_, data),) = manifest.sources(["/dev/zero"])
    assert len(data) == (4 << 20) + 1


def test_pipe(tmp_path: pathlib.Path) -> None:
    """A named pipe is opened once and read to its end."""
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"a: b",))
    writer.start()
    assert list(manifest.sources([str(path)])) == [(str(path), b"a: b")]
    writer.join()


@pytest.fixture
def program(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A kustomize that prints its arguments, as the only program on PATH."""
    path = tmp_path / "bin" / "kustomize"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\n[ -e "$2/broken" ] && { echo "no resources" >&2; exit 1; }\necho "kind: $*"\n', "utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return path


def test_kustomize(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A folder, or an overlay in it, is built by kustomize."""
    (tmp_path / "overlays" / "dev").mkdir(parents=True)
    (tmp_path / "prod").mkdir()
    assert manifest.kustomize(str(tmp_path)) == f"kind: build {tmp_path}\n".encode()
    assert manifest.kustomize(str(tmp_path), "dev") == f"kind: build {tmp_path}/overlays/dev\n".encode()
    assert manifest.kustomize(str(tmp_path), "prod") == f"kind: build {tmp_path}/prod\n".encode()


def test_kustomize_fails(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A missing overlay, and what kustomize itself says, are usage errors."""
    (tmp_path / "broken").touch()
    with pytest.raises(errors.PlantonError, match="no such folder"):
        manifest.kustomize(str(tmp_path), "nowhere")
    with pytest.raises(errors.PlantonError, match="kustomize: no resources"):
        manifest.kustomize(str(tmp_path))


def test_no_kustomize(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kustomize and kubectl the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(errors.PlantonError) as caught:
        manifest.kustomize(str(tmp_path))
    assert caught.value.reason is errors.Reason.TOOLCHAIN_MISSING
    assert "kubectl" in caught.value.hint


def test_pipes_and_devices_in_a_folder_are_skipped_with_a_note(tmp_path: pathlib.Path) -> None:
    """To open a pipe that nobody writes to would wait for ever; a link to a file is one."""
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to("/dev/zero")
    (tmp_path / "real").write_text("kind: x\n", "utf-8")
    (tmp_path / "c.yaml").symlink_to(tmp_path / "real")
    with pytest.warns(files.SkippedFileWarning) as noted:
        found = list(files.sources([str(tmp_path)]))
    assert [pathlib.Path(name).name for name, _ in found] == ["c.yaml"]
    assert [str(each.message).partition(": ")[2] for each in noted] == ["it is skipped"] * 2


def test_the_note_is_shown_to_the_user(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a warning on standard error."""
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("kind: x\n", "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main(["validate", str(tmp_path)]) == 1
    assert f"Warning: {tmp_path}/a.yaml is a pipe, a socket or a device: it is skipped" in capsys.readouterr().err
