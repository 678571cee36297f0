"""Sources of manifests: files, folders, pipes, standard input, and kustomizations."""

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


def test_a_folder_is_all_its_yaml_and_json_files(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sorted and include subfolders. Hidden files and kustomizations are excluded."""
    monkeypatch.chdir(tmp_path)
    for name in ("m/b.yaml", "m/a.yml", "m/c/d.json", "m/x.txt", "m/.hidden.yaml", "m/.git/e.yaml", "m/kustomization.yaml"):
        pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(name).write_text(name, "utf-8")
    assert names("m") == ["m/a.yml", "m/b.yaml", "m/c/d.json"]
    assert names("m/x.txt", "m/b.yaml") == ["m/x.txt", "m/b.yaml"]


def test_standard_input_is_read_up_to_the_limit() -> None:
    """The path of standard input is a dash."""
    assert list(manifest.sources(["-"], stdin=io.BytesIO(b"a: b"))) == [("-", b"a: b")]
    ((_, data),) = manifest.sources(["-"], stdin=io.BytesIO(b"x" * (5 << 20)))
    assert len(data) == (4 << 20) + 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "no .yaml"),
        (lambda path: path.symlink_to(path), "symbolic links"),
        (lambda path: path.symlink_to("nowhere"), "No such file"),
    ],
)
def test_an_unreadable_path_is_a_usage_error(make: object, message: str, tmp_path: pathlib.Path) -> None:
    """The message contains the path."""
    path = tmp_path / "x"
    make(path)  # type: ignore[operator]
    with pytest.raises(errors.PlantonError, match=message) as caught:
        names(str(path))
    assert (caught.value.code, caught.value.reason) == (errors.Code.USAGE, errors.Reason.MANIFEST_UNREADABLE)
    assert str(path) in caught.value.message


def test_a_large_file_is_read_up_to_the_limit(tmp_path: pathlib.Path) -> None:
    """One more byte shows that it is too large."""
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 34)
    ((_, data),) = manifest.sources([str(path)])
    assert len(data) == (4 << 20) + 1


def test_an_endless_device_is_read_up_to_the_limit() -> None:
    """The device is /dev/zero."""
    ((_, data),) = manifest.sources(["/dev/zero"])
    assert len(data) == (4 << 20) + 1


def test_a_named_pipe_is_read_to_its_end(tmp_path: pathlib.Path) -> None:
    """It is opened only once."""
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"a: b",))
    writer.start()
    assert list(manifest.sources([str(path)])) == [(str(path), b"a: b")]
    writer.join()


@pytest.fixture
def program(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A kustomize that prints its arguments, as the only kustomize on PATH."""
    path = tmp_path / "bin" / "kustomize"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\n[ -e "$2/broken" ] && { echo "no resources" >&2; exit 1; }\necho "kind: $*"\n', "utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return path


def test_kustomize_builds_a_folder_or_an_overlay(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """An overlay may be in the folder `overlays`."""
    (tmp_path / "overlays" / "dev").mkdir(parents=True)
    (tmp_path / "prod").mkdir()
    assert manifest.kustomize(str(tmp_path)) == f"kind: build {tmp_path}\n".encode()
    assert manifest.kustomize(str(tmp_path), "dev") == f"kind: build {tmp_path}/overlays/dev\n".encode()
    assert manifest.kustomize(str(tmp_path), "prod") == f"kind: build {tmp_path}/prod\n".encode()


def test_a_failed_kustomize_build_is_a_usage_error(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The message is kustomize's own, or names the missing overlay."""
    (tmp_path / "broken").touch()
    with pytest.raises(errors.PlantonError, match="no such folder"):
        manifest.kustomize(str(tmp_path), "nowhere")
    with pytest.raises(errors.PlantonError, match="kustomize: no resources"):
        manifest.kustomize(str(tmp_path))


def test_a_missing_kustomize_is_an_error_with_the_tool_to_install(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubectl contains kustomize too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(errors.PlantonError) as caught:
        manifest.kustomize(str(tmp_path))
    assert caught.value.reason is errors.Reason.TOOLCHAIN_MISSING
    assert "kubectl" in caught.value.hint


def test_pipes_and_devices_in_a_folder_are_skipped_with_a_warning(tmp_path: pathlib.Path) -> None:
    """Opening a pipe without a writer would block. A link to a regular file is read."""
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to("/dev/zero")
    (tmp_path / "real").write_text("kind: x\n", "utf-8")
    (tmp_path / "c.yaml").symlink_to(tmp_path / "real")
    with pytest.warns(files.SkippedFileWarning) as records:
        sources = list(files.sources([str(tmp_path)]))
    assert [pathlib.Path(name).name for name, _ in sources] == ["c.yaml"]
    assert [str(each.message).partition(": ")[2] for each in records] == ["it is skipped"] * 2


def test_the_note_is_shown_to_the_user(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed on standard error."""
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("kind: x\n", "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main(["validate", str(tmp_path)]) == 1
    assert f"Warning: {tmp_path}/a.yaml is a pipe, a socket or a device: it is skipped" in capsys.readouterr().err
