"""An exported folder, read back to be trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx_ir", reason="comes with the train extra")
torch = pytest.importorskip("torch", reason="comes with the train extra")

from textmusic.models.export import import_onnx  # noqa: E402

pytestmark = pytest.mark.train
EXPORTED = Path(__file__).parents[1] / "data" / "tiny_model_int8"


def test_a_folder_of_links_is_read_as_the_hub_keeps_one(tmp_path: Path) -> None:
    """The Hub's cache: snapshots/<commit>/model.onnx -> ../../blobs/<digest>."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1f0c"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(EXPORTED.iterdir())):
        blob = blobs / f"{number:064x}"
        blob.write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(Path("../..") / "blobs" / blob.name)
    linked = import_onnx(snapshot).lm.state_dict()
    plain = import_onnx(EXPORTED).lm.state_dict()
    assert linked.keys() == plain.keys() and len(plain) > 4
    assert all(torch.equal(linked[name], plain[name]) for name in plain)
