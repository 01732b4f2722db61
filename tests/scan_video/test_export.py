"""Exports say what is wrong before anything slow begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from scan_video.export import choose_format, main
from vv_core.errors import ExitCode, UsageError


@pytest.mark.parametrize(
    ("name", "form"), [("a_openvino_model", "openvino"), ("models/a.onnx", "onnx")]
)
def test_the_name_says_the_format(name: str, form: str, tmp_path: Path) -> None:
    assert choose_format(tmp_path / name, is_int8=False) == form


@pytest.mark.parametrize(
    ("name", "is_int8"), [("a.engine", False), ("a.onnx", True), ("there_openvino_model", False)]
)
def test_names_that_cannot_be_made(name: str, is_int8: bool, tmp_path: Path) -> None:
    (tmp_path / "there_openvino_model").mkdir()
    with pytest.raises(UsageError) as caught:
        choose_format(tmp_path / name, is_int8=is_int8)
    assert caught.value.advice.endswith(".")


def test_weights_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(tmp_path / "none.pt"), str(tmp_path / "none_openvino_model")])
    assert code == ExitCode.NOINPUT
    assert "none.pt" in capsys.readouterr().err


@pytest.mark.integration
def test_a_file_that_holds_no_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")
    weights = tmp_path / "bad.pt"
    weights.write_bytes(b"no weights")
    assert main([str(weights), str(tmp_path / "bad_openvino_model")]) == ExitCode.CONFIG
    assert "cannot export 'bad.pt'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.pt"]
