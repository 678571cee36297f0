"""Folders and files of planton: only the user may read them."""

from __future__ import annotations

import os
import pathlib
import stat
from collections.abc import Iterator

import pytest

from planton import errors
from planton.base import interruption
from planton.config import folders, settings
from planton.engine import process, toolchain


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=oct)
def mask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Sets the user's umask, from the most open one to one that is too strict."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("mask")
def test_created_folders_and_files_are_private_under_every_umask(tmp_path: pathlib.Path) -> None:
    """Parent folders are private too."""
    path = folders.private(tmp_path / "a" / "b")
    folders.keep(path / "c" / "file", "x")
    assert [_mode(each) for each in (tmp_path / "a", path, path / "c")] == [0o700] * 3
    assert _mode(path / "c" / "file") == 0o600
    with open(path / "lock", "a+", opener=folders.opener):  # as the code under test
        assert _mode(path / "lock") == 0o600
    config = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path / "data")})
    assert _mode(pathlib.Path(config.passphrase()["PULUMI_CONFIG_PASSPHRASE_FILE"])) == 0o600


def test_an_existing_folder_keeps_its_mode(tmp_path: pathlib.Path) -> None:
    """The user may have opened it to others. A file in its place is an error."""
    tmp_path.chmod(0o755)
    assert folders.private(tmp_path) == tmp_path
    assert _mode(tmp_path) == 0o755
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(errors.PlantonError, match="cannot make the folder") as caught:
            folders.private(path)
        assert (caught.value.code, caught.value.reason) == (errors.Code.MISSING, errors.Reason.FOLDER_UNWRITABLE)


@pytest.mark.parametrize("is_private", [True, False])
def test_pulumi_writes_private_files_into_the_embedded_backend(is_private: bool, tmp_path: pathlib.Path) -> None:
    """A backend in another folder may be shared, so the user's umask applies there."""
    program = tmp_path / "pulumi"
    program.write_text("#!/bin/sh\ntouch created\n", "utf-8")
    program.chmod(0o755)
    command = process.PulumiCommand(
        toolchain.Toolchain(program, tmp_path, frozenset()),
        timeout=60.0,
        interruption=interruption.Interruption(),
        is_private=is_private,
    )
    before = os.umask(0)
    try:
        command.run(["stack"], str(tmp_path), {})
    finally:
        os.umask(before)
    assert _mode(tmp_path / "created") == (0o600 if is_private else 0o666)


def test_a_backend_in_the_data_folder_is_the_embedded_one(tmp_path: pathlib.Path) -> None:
    """Every other folder or bucket may be shared."""
    environ = {"PLANTON_DATA_DIR": str(tmp_path)}
    assert settings.Settings(environ=environ).is_embedded
    assert not settings.Settings(backend="file:///elsewhere", environ=environ).is_embedded
    assert not settings.Settings(backend="s3://a", environ=environ).is_embedded
