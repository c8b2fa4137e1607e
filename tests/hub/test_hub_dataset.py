"""Sharing prepared data, against a Hub on the loopback interface; and what licences allow."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer

pytest.importorskip("pyarrow", reason="comes with the train extra")

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import DatasetCard, snapshot_download

from textmusic.cli.main import main
from textmusic.corpus.cutting import windows_of
from textmusic.corpus.windows import Window, read_windows, write_windows
from textmusic.errors import TextMusicError
from textmusic.hub.dataset import is_prepared, push_dataset, read_shares
from textmusic.hub.licences import hub_id, may_share
from textmusic.tokens.tokenizer import Tokenizer

REPO, ON_HUB = "user/tunes", "datasets/user/tunes"
SPLITS = ("train", "valid", "test")
pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def windows(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> list[Window]:
    """A window of each of twelve pieces."""
    made = []
    for path, row in list(zip(pieces, piece_rows, strict=True))[:12]:
        found, _ = windows_of(row, path.read_bytes(), row["source"], row["id"], tokenizer, 600)
        made += found[:1]
    return made


@pytest.fixture
def data(windows: list[Window], tiny_model: Path, tmp_path: Path) -> Path:
    """A folder of prepared data, as `prepare` leaves it."""
    folder = tmp_path / "data"
    for number, split in enumerate(SPLITS):
        write_windows(windows[number::3], folder / f"{split}.parquet")
    (folder / "tokenizer").mkdir()
    for name in ("tokenizer.json", "vocabulary.json", "remi.json"):
        shutil.copy(tiny_model / name, folder / "tokenizer" / name)
    (folder / "statistics.md").write_text("| source | pieces |\n")
    (folder / "summary.json").write_text("{}")  # names what was dropped: not sent
    (folder / "notes.pkl").write_bytes(b"never sent")
    return folder


def licensed(folder: Path, *licences: str | None) -> Path:
    """Give the first windows of the training split other licences."""
    table = pq.read_table(folder / "train.parquet")
    column = [*licences, *table.column("licence").to_pylist()[len(licences) :]]
    index = table.schema.get_field_index("licence")
    pq.write_table(table.set_column(index, "licence", pa.array(column)), folder / "train.parquet")
    return folder


# There and back -----------------------------------------------------------------------------------


def test_what_is_pushed_comes_back_by_the_hubs_own_client(
    hub: HubServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["push", str(data), REPO]) == 0
    assert f"{hub.url}/datasets/{REPO}/commit/" in capsys.readouterr().out
    assert set(hub.repos) == {ON_HUB}
    print("\n".join(hub.log))
    folder = Path(snapshot_download(REPO, repo_type="dataset"))
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        *(f"{split}.parquet" for split in SPLITS), "tokenizer/tokenizer.json", "README.md",
        "tokenizer/vocabulary.json", "tokenizer/remi.json", "statistics.md", ".gitattributes",
    }  # fmt: skip
    for split in SPLITS:
        assert read_windows(folder / f"{split}.parquet") == read_windows(data / f"{split}.parquet")
    assert Tokenizer(folder / "tokenizer").vocabulary == Tokenizer(data / "tokenizer").vocabulary
    assert is_prepared(folder), "it can be pushed again, and trained on"


def test_the_datasets_library_reads_it_from_the_hub_and_from_a_folder(
    hub: HubServer, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets", reason="comes with the train extra")
    # Both are copied from the environment when the library is first imported, maybe by another
    # test.
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.url)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    push_dataset(data, REPO)
    for where in (REPO, snapshot_download(REPO, repo_type="dataset")):
        found = datasets.load_dataset(where, cache_dir=str(tmp_path / Path(where).name))
        assert {split: len(rows) for split, rows in found.items()} == {
            name: len(read_windows(data / f"{file}.parquet"))
            for file, name in (("train", "train"), ("valid", "validation"), ("test", "test"))
        }
        first, row = read_windows(data / "train.parquet")[0], found["train"][0]
        assert (row["piece"], row["licence"]) == (first.piece, first.licence)
        assert row["ids"] == list(first.ids) and row["plan"]["key"] == first.plan.key


def test_the_card_says_what_is_whose(hub: HubServer, data: Path, windows: list[Window]) -> None:
    pushed = push_dataset(data, REPO, private=True)
    assert hub.repos[ON_HUB].private and pushed.url
    card = DatasetCard(hub.files(ON_HUB)["README.md"].decode())
    known = card.data.to_dict()
    assert [file["split"] for file in known["configs"][0]["data_files"]] == [
        "train", "validation", "test",
    ]  # fmt: skip
    assert set(known["license"]) == {hub_id(window.licence) for window in windows}
    assert known["size_categories"] == ["n<1K"] and "music" in known["tags"]
    for share in read_shares(data):
        ours = [w for w in windows if (w.source, w.licence) == (share.source, share.licence)]
        pieces = len({window.piece for window in ours})
        row = f"| {share.source} | {share.licence} | yes | {pieces} | {len(ours)} |"
        assert row in card.text
    assert "whoever pushed this" not in card.text
    assert pushed.files["train.parquet"] == (data / "train.parquet").stat().st_size


def test_a_card_that_is_there_keeps_what_it_says(hub: HubServer, data: Path) -> None:
    (data / "README.md").write_text("---\nlicense: cc0-1.0\ntags: [waltz]\n---\n# Mine\n")
    push_dataset(data, REPO)
    card = DatasetCard(hub.files(ON_HUB)["README.md"].decode())
    assert card.text.strip() == "# Mine" and card.data.license == "cc0-1.0"
    assert card.data.tags[0] == "waltz" and card.data.configs


def test_a_dataset_and_a_model_of_one_name_are_two(
    hub: HubServer, data: Path, tiny_model: Path
) -> None:
    assert main(["push", str(data), REPO]) == main(["push", str(tiny_model), REPO]) == 0
    assert set(hub.repos) == {REPO, ON_HUB}
    assert "model.onnx" in hub.files(REPO) and "model.onnx" not in hub.files(ON_HUB)


def test_splits_of_earlier_data_go(hub: HubServer, data: Path) -> None:
    push_dataset(data, REPO)
    hub.repos[ON_HUB].commit("main", {**hub.files(ON_HUB), "NOTICE": b"mine"})
    (data / "test.parquet").unlink()
    push_dataset(data, REPO, revision="v2")
    assert "test.parquet" in hub.files(ON_HUB)
    assert {"NOTICE", "train.parquet"} <= set(hub.files(ON_HUB, "v2"))
    assert "test.parquet" not in hub.files(ON_HUB, "v2")


# Licences -----------------------------------------------------------------------------------------


def test_what_may_not_be_shared_is_refused_and_named(
    hub: HubServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    licensed(data, "all rights reserved", None)
    args = ["push", str(data), REPO]
    assert main([*args, "--dry-run"]) == main(args) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == said[1]
    assert "(all rights reserved)" in said[0] and "(no licence stated)" in said[0]
    assert "use --any-licence" in said[0]
    assert hub.log == []
    assert main([*args, "--any-licence"]) == 0
    text = hub.files(ON_HUB)["README.md"].decode()
    assert "| all rights reserved | not stated, or no | 1 | 1 |" in text
    assert "whoever pushed this data chose" in text


def test_a_refusal_is_one_sentence_however_many_there_are(data: Path) -> None:
    table = pq.read_table(data / "train.parquet")
    few = pa.concat_tables([table] * 5).slice(0, 9)
    names = pa.array([f"source {k}" for k in range(len(few))])
    few = few.set_column(few.schema.get_field_index("source"), "source", names)
    pq.write_table(few, data / "train.parquet")
    licensed(data, *("x" * 500 for _ in range(len(few))))
    with pytest.raises(TextMusicError, match=r"source 0 .*source 4 .*, 4 more; prepare") as problem:
        push_dataset(data, REPO, dry_run=True)
    assert len(str(problem.value)) < 900


MAY = (
    "CC0-1.0", "CC-BY-4.0 (an institute, its address)", "CC-BY-SA-2.5", "cc by-nc 4.0", "MIT", "PD",
    "public domain (stated in the file)", "GPL-3.0 (repository; the tunes are traditional)",
    "BSD-3-Clause", "Artistic-1.0", "apache-2.0", "ODbL", "LGPL-2.1", "No rights reserved",
    "CC-BY-4.0, some rights reserved",
)  # fmt: skip
MAY_NOT = (
    "", "  ", "unknown", "own recordings", "all rights reserved", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0",
    "no public licence named: the file credits '(c) A. Person, used by permission'", "proprietary",
    "a corpus licence (distributed with BSD-3-Clause software by permission of the encoders)",
    "MIT software; the music must not be redistributed", "for personal use", "mitigated", "PDF",
    "CC-BY-4.0, but not to be shared", "research use only", "No redistribution",
)  # fmt: skip


@pytest.mark.parametrize("licence", MAY)
def test_licences_that_let_it_be_passed_on(licence: str) -> None:
    assert may_share(licence)


@pytest.mark.parametrize("licence", MAY_NOT)
def test_licences_that_forbid_it_or_do_not_say(licence: str) -> None:
    assert not may_share(licence)


def test_licences_as_the_hub_calls_them() -> None:
    assert hub_id("CC-BY-4.0 (an institute)") == "cc-by-4.0"
    assert hub_id("GPL-2.0-only") == "gpl-2.0" and hub_id("GPL-3.0-or-later") == "gpl-3.0"
    assert hub_id("PD") == hub_id("") == hub_id("CC-BY-SA-2.5") == "other"


# What can go wrong --------------------------------------------------------------------------------


def test_a_dry_run_sends_nothing_and_needs_no_token(
    hub: HubServer, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert main(["push", str(data), REPO, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "train.parquet" in said and "nothing was pushed to user/tunes" in said
    assert "notes.pkl" not in said and "config_name: default" in said
    assert main(["push", str(data), REPO]) == 2
    assert "there is no Hub token" in capsys.readouterr().err
    assert hub.log == []


def test_what_is_not_prepared_data_is_said(
    hub: HubServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["push", str(data), REPO]
    assert main([*args, "--samples", "1"]) == 2
    assert "leave out --evaluation, --samples and --adapter" in capsys.readouterr().err
    pq.write_table(pa.table({"text": ["a"]}), data / "valid.parquet")
    assert main(args) == 2
    assert "lacks source and licence columns" in capsys.readouterr().err
    (data / "valid.parquet").write_bytes(b"PAR1")
    with pytest.raises(TextMusicError, match="prepare the data again"):
        push_dataset(data, REPO)
    with pytest.raises(TextMusicError, match="is not a Hub id"):
        push_dataset(data, "tunes")
    assert hub.log == []
