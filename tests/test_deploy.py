"""Where the page runs: the Dockerfile, as far as it goes without Docker, and docs/deploy.md."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from page_process import environment, free_port, serving

ROOT = Path(__file__).parent.parent
TINY = ROOT / "tests" / "data" / "tiny_model"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with its arguments on one line."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    """What is in the image: the instructions from the last FROM on."""
    found = instructions()
    return found[max(i for i, (name, _) in enumerate(found) if name == "FROM") :]


def only(name: str) -> str:
    """The arguments of an instruction that the image has once."""
    (found,) = (arguments for given, arguments in last_stage() if given == name)
    return found


def variables() -> dict[str, str]:
    """The image's ENV."""
    return dict(part.split("=", 1) for part in shlex.split(only("ENV")))


def health_check() -> list[str]:
    """The command of the HEALTHCHECK, with this Python."""
    python, *rest = json.loads(only("HEALTHCHECK").split("CMD", 1)[1])
    assert python == "python"
    return [sys.executable, *rest]


def copied() -> list[str]:
    """What the Dockerfile copies out of the checkout."""
    found = [shlex.split(rest) for name, rest in instructions() if name == "COPY"]
    return [source for *sources, _ in found if "--from" not in sources[0] for source in sources]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out: the last line decides that matches it or a parent."""
    out = False
    parts = path.split("/")
    parents = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        if not line or line.startswith("#"):
            continue
        if pattern.startswith("**/"):
            hit = any(fnmatchcase(part, pattern[3:]) for part in parts)
        else:  # here "*" stops at "/", so that only paths as deep as the pattern can match
            deep = pattern.count("/")
            hit = any(p.count("/") == deep and fnmatchcase(p, pattern) for p in parents)
        if hit:
            out = not line.startswith("!")
    return out


def test_the_image_is_a_slim_python_that_the_package_supports() -> None:
    bases = {rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"}
    (base,) = bases  # one: the environment of the first stage has to run in the second
    version = re.fullmatch(r"python:(3\.\d+)-slim", base)
    assert version
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["project"]["classifiers"]


def test_the_image_installs_the_core_and_no_torch() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and "install" in rest]
    assert installs == ["/opt/textmusic/bin/pip install --no-cache-dir ."]
    assert not any("torch" in need for need in PROJECT["project"]["dependencies"])


def test_the_page_does_not_run_as_root_and_can_write_its_caches() -> None:
    names = [name for name, _ in last_stage()]
    user = only("USER")
    assert user not in ("root", "0") and names.index("USER") < names.index("CMD")
    made = only("RUN")
    assert re.search(rf"useradd .*--uid 1000 {user}\b", made)
    assert f"mkdir /cache && chown {user} /cache" in made
    for name in ("HF_HOME", "GRADIO_TEMP_DIR"):
        assert variables()[name].startswith("/cache/")


def test_there_are_no_secrets_in_the_image() -> None:
    names = set(variables()) | {rest for name, rest in instructions() if name == "ARG"}
    assert not [name for name in names if re.search("TOKEN|PASSWORD|SECRET|_USER", name)]
    for path in (".env", "page.env", ".git/config", "data/train.parquet", "runs/a/b.safetensors"):
        assert ignored(path), path
    assert ignored("textmusic/__pycache__/page.cpython-312.pyc")


def test_what_is_copied_is_there_and_is_all_that_a_wheel_is_made_of() -> None:
    for source in copied():
        path = ROOT / source
        assert path.exists(), source
        for file in [path, *path.rglob("*")]:
            if "__pycache__" not in file.parts:
                assert not ignored(file.relative_to(ROOT).as_posix()), file
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    project = PROJECT["project"]
    packages = tuple(f"{package}/" for package in wheel["packages"])
    beside = {name for name in project["license-files"] if not name.startswith(packages)}
    needed = {"pyproject.toml", project["readme"], *beside}
    assert needed | {*wheel["packages"], *wheel["force-include"], "app.py"} == set(copied())


def test_the_image_runs_app_py_on_the_port_that_it_names() -> None:
    assert json.loads(only("CMD")) == ["python", "app.py"]
    targets = [rest.split()[-1] for name, rest in last_stage() if name == "COPY"]
    assert f"{only('WORKDIR')}/app.py" in targets
    assert variables()["GRADIO_SERVER_PORT"] == only("EXPOSE")
    assert variables()["GRADIO_SERVER_NAME"] == "0.0.0.0"


def healthy(port: int) -> bool:
    """Whether the health check passes where the page is on this port."""
    here = environment(GRADIO_SERVER_PORT=str(port))
    done = subprocess.run(health_check(), env=here, check=False, capture_output=True)
    assert done.returncode in (0, 1), done.stderr  # what Docker knows
    return done.returncode == 0


def test_where_there_is_no_page_the_health_check_fails() -> None:
    assert not healthy(free_port())


# docs/deploy.md

BUILD = "python space/build.py -o build/space"
# See test_replicas.py.
REPLICAS = [f"textmusic serve --port {port} --threads 2 --proxy 127.0.0.1" for port in (7861, 7862)]
BELOW_A_PATH = "GRADIO_ROOT_PATH=/textmusic python app.py"
PAGES = [
    "python app.py",
    "GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=8000 TEXTMUSIC_MODEL=my-model/ python app.py",
    "textmusic serve --host 0.0.0.0 --port 8000 --model my-model/",
    "(cd build/space && python app.py)",
]


def commands() -> list[str]:
    """The lines of the shell blocks of docs/deploy.md."""
    blocks = re.findall(r"```sh\n(.*?)```", DEPLOY, flags=re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]


def test_every_command_is_known_here() -> None:
    elsewhere = [line for line in commands() if line.startswith(("docker ", "hf "))]
    assert [line for line in commands() if line not in elsewhere] == [
        *PAGES[:3], BUILD, PAGES[3], BELOW_A_PATH, *REPLICAS,
    ]  # fmt: skip
    for line in elsewhere:
        if line.startswith("docker run"):
            assert f":{only('EXPOSE')} " in line and line.endswith(" textmusic"), line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout with a model in it, and with a Space that was built."""
    place = tmp_path_factory.mktemp("checkout")
    for name in ("app.py", "space"):
        (place / name).symlink_to(ROOT / name)
    (place / "my-model").symlink_to(TINY)
    subprocess.run(shlex.split(BUILD), cwd=place, env=environment(), check=True)
    return place


def started(command: str, folder: Path, **more: str) -> Any:
    """`serving` for a line of the docs, with the tiny model and on a free port."""
    port = free_port()
    if command.startswith("(cd "):
        where, command = command.removeprefix("(cd ").removesuffix(")").split(" && ")
        folder = folder / where
    words = shlex.split(command.replace("8000", str(port)))
    given = dict(word.split("=", 1) for word in words if re.match("[A-Z_]+=", word))
    defaults = {
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "cache"),
        "TEXTMUSIC_MODEL": str(TINY),
        "OMP_NUM_THREADS": "1",
    }
    return serving(words[len(given) :], port, folder, defaults | more | given)


def port_of(address: str) -> int:
    """The port in a page's address."""
    return int(address.rstrip("/").rsplit(":")[-1])


@pytest.mark.slow
@pytest.mark.parametrize("command", PAGES[1:3])
def test_a_page_with_a_model_of_ones_own(command: str, folder: Path) -> None:
    with started(command, folder) as address:
        assert healthy(port_of(address))
        with urlopen(address + "config") as answer:
            assert json.load(answer)["title"] == "textmusic"


@pytest.mark.slow
def test_a_page_with_a_password_is_well_and_closed(folder: Path) -> None:
    account = {"TEXTMUSIC_USER": "somebody", "TEXTMUSIC_PASSWORD": "a password"}
    with started(PAGES[0], folder, **account) as address:
        assert healthy(port_of(address))
        with pytest.raises(HTTPError, match="401"):
            urlopen(address + "config")


@pytest.mark.slow
def test_the_space_writes_music_and_goes_on_from_a_file(folder: Path) -> None:
    from gradio_client import Client, handle_file

    with started(PAGES[-1], folder) as address:
        client = Client(address, verbose=False, download_files=str(folder / "downloads"))
        tiny: dict[str, Any] = {"seed": 5, "model": str(TINY)}
        made = client.predict("2 bars of piano", api_name="/generate", **tiny)
        more = client.predict(handle_file(made["midi"]), bars=2, api_name="/continue", **tiny)
    assert Path(more["midi"]).read_bytes()[:4] == b"MThd"
    assert made["report"]["model"] == more["report"]["model"] == "tiny_model"


@pytest.mark.slow
def test_a_page_below_a_path_of_a_proxy(folder: Path) -> None:
    block, _ = re.findall(r"```nginx\n(.*?)```", DEPLOY, flags=re.DOTALL)
    sent = dict(re.findall(r"proxy_set_header (\S+) (\S+);", block))
    seen = {  # by nginx
        "$http_host": "music.example:8443", "$scheme": "https",
        "$proxy_add_x_forwarded_for": "192.0.2.7",
    }  # fmt: skip
    with started(BELOW_A_PATH, folder) as address:
        headers = {name: seen[value] for name, value in sent.items()}
        with urlopen(Request(address + "config", headers=headers)) as answer:
            root = json.load(answer)["root"]
    assert root == "https://music.example:8443/textmusic"


def test_every_variable_of_ours_is_in_the_docs() -> None:
    code = [ROOT / "app.py", *(ROOT / "textmusic").rglob("*.py")]
    names = {
        name for file in code for name in re.findall(r"TEXTMUSIC_[A-Z_]+", file.read_text("utf-8"))
    }
    rows = "\n".join(line.split("|")[1] for line in DEPLOY.splitlines() if line.startswith("|"))
    assert names == {name for name in re.findall("[A-Z_]+", rows) if name.startswith("TEXTMUSIC_")}
