"""Two pages behind nginx, as docs/deploy.md has it: a visit stays where it began."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from gradio_client import Client, handle_file
from page_process import free_port, serving

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "data" / "tiny_model"
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
VISITORS = 4
NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx")


@dataclass(frozen=True)
class Pages:
    """What is behind nginx. address: its own. ports, ends: of the pages, to end one by one."""

    address: str
    ports: tuple[int, int]
    ends: tuple[ExitStack, ExitStack]
    log: Path

    def served(self) -> dict[str, set[int]]:
        """By visitor's cookie, the ports that answered requests to Gradio's endpoints."""
        found: dict[str, set[int]] = {}
        for line in self.log.read_text().splitlines():
            visitor, port, path = line.split(" ", 2)
            if path.startswith("/gradio_api/") and visitor != "-":
                found.setdefault(visitor, set()).add(int(port.rsplit(":", 1)[1].rstrip(",")))
        return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    tmp_path = tmp_path_factory.mktemp("replicas")
    (block,) = re.findall(r"```nginx\n(# inside http.*?)```", DEPLOY, flags=re.DOTALL)
    front, first, second = free_port(), free_port(), free_port()
    for documented, ours in (("7860", front), ("7861", first), ("7862", second)):
        block = block.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{ours}")
    folders = [tmp_path / name for name in ("first", "second", "nginx")]
    for folder in folders:
        folder.mkdir()
    config, log = tmp_path / "nginx.conf", tmp_path / "access.log"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folders[2]}/{kind};\n" for kind in kinds)
    config.write_text(
        f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log stderr;\n"
        "events {}\nhttp {\n"
        'log_format visits "$cookie_replica $upstream_addr $uri";\n'
        f"access_log {log} visits;\n{temporary}{block}}}\n"
    )
    serve = [sys.executable, "-m", "textmusic", "serve", "--threads", "1", "--model", str(TINY)]
    with ExitStack() as stack:
        ends = (ExitStack(), ExitStack())
        for end, port, folder in zip(ends, (first, second), folders[:2], strict=True):
            stack.enter_context(end)
            variables = {"GRADIO_TEMP_DIR": str(folder / "cache")}
            end.enter_context(serving([*serve, "--port", str(port)], port, folder, variables))
        nginx = [str(NGINX), "-c", str(config), "-p", str(tmp_path), "-e", "stderr"]
        address = stack.enter_context(serving(nginx, front, folders[2], {}))
        yield Pages(address, (first, second), ends, log)


def visit(pages: Pages, cookie: str) -> bytes:
    """Have a piece written and go on from it, as one visitor; the MIDI file of the second."""
    page = Client(
        pages.address, headers={"Cookie": f"replica={cookie}"}, verbose=False,
        download_files=str(pages.log.parent / "downloads" / cookie),
    )  # fmt: skip
    made = page.predict("piano", bars=2, seed=1, api_name="/generate")
    more = page.predict(handle_file(made["midi"]), bars=2, api_name="/continue")
    return Path(more["midi"]).read_bytes()


def test_a_browser_gets_a_cookie_once(pages: Pages) -> None:
    def headers(*more: str) -> str:
        done = subprocess.run(
            ["curl", "-si", *more, pages.address], capture_output=True, text=True, check=True
        )
        return done.stdout.split("\r\n\r\n", 1)[0].lower()

    assert re.search(
        r"^set-cookie: replica=\w{32}; path=/; httponly; samesite=lax", headers(), re.M
    )
    assert "set-cookie: replica" not in headers("-H", "Cookie: replica=abc")


def test_visitors_are_spread(pages: Pages) -> None:
    for n in range(40):
        asked = Request(pages.address + "gradio_api/info", headers={"Cookie": f"replica={n}"})
        with urlopen(asked, timeout=60) as answer:
            assert answer.status == 200
    assert set().union(*pages.served().values()) == set(pages.ports)


def test_a_visit_stays_where_it_began_and_the_others_go_on_without_a_page(pages: Pages) -> None:
    names = [f"visitor-{n}" for n in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as pool:
        for midi in pool.map(lambda name: visit(pages, name), names):
            assert midi[:4] == b"MThd"
    served = pages.served()
    assert all(len(served[name]) == 1 for name in names), "a visit stays where it began"

    pages.ends[0].close()
    for name in names:
        assert visit(pages, name)[:4] == b"MThd"
