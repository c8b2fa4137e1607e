"""A Hub on the loopback interface, in memory: enough for its own client to push and fetch.

    with HubServer() as hub: ...  # hub.url is what HF_ENDPOINT is to be

Written after what huggingface_hub 2.4 sends, without Xet. Large files come straight from `resolve`,
where the real Hub redirects to storage. `fail`, `cut` and `drop` make it behave badly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

WRITE, READ = "hf_write", "hf_read"  # tokens of "user"; the second may only read
LARGE = (".onnx", ".data", ".safetensors", ".model", ".mp3", ".parquet")
Files = dict[str, bytes]


@dataclass
class Repo:
    """Commits by id, oldest first, and the branches that point to them."""

    private: bool
    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: Files) -> str:
        oid = hashlib.sha1(f"{len(self.commits)} {branch} {sorted(files)}".encode()).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        return oid

    def find(self, revision: str) -> str | None:
        """The commit that a branch or a commit id names."""
        oid = self.branches.get(revision, revision)
        return oid if oid in self.commits else None


@dataclass
class Fault:
    """What goes wrong with the next so many requests: an error status; or the connection is cut.

    cut: bytes of the answer's body that are sent before; None if there is no answer at all.
    """

    request: re.Pattern[str]
    times: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    def __init__(self, status: int, why: str, code: str = "") -> None:
        headers = {"X-Error-Message": why} | ({"X-Error-Code": code} if code else {})
        self.answer = Answer(status, json.dumps({"error": why}).encode(), headers)


class HubServer:
    """The state of a Hub, and the server that shows it. log: "METHOD path -> status" a request.

    repos: models by "user/name", datasets by "datasets/user/name".
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.stored: Files = {}  # large files by SHA-256
        self.log: list[str] = []
        self.faults: list[Fault] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.hub = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be out of reach from now on."""
        self._server.shutdown()
        self._server.server_close()

    def fail(self, request: str, status: int, times: int = 100, **headers: str) -> None:
        """Answer requests ("METHOD path", a regular expression) with an error."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(re.compile(request), times, status, named))

    def cut(self, request: str, after: int, times: int = 1) -> None:
        """Cut the connection after so many bytes of the answer's body."""
        self.faults.append(Fault(re.compile(request), times, cut=after))

    def drop(self, request: str, times: int) -> None:
        """Cut the connection without an answer."""
        self.faults.append(Fault(re.compile(request), times))

    def files(self, repo: str, revision: str = "main") -> Files:
        """The files of a revision."""
        found = self.repos[repo]
        return found.commits[str(found.find(revision))]

    def fault(self, request: str) -> Fault | None:
        """What goes wrong with this request, if anything does."""
        for fault in self.faults:
            if fault.times and fault.request.search(request):
                fault.times -= 1
                return fault
        return None

    # Endpoints ------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the Hub answers to a request without faults."""
        for known, pattern, endpoint in ENDPOINTS:
            if method in known.split() and (match := re.fullmatch(pattern, path)):
                token = headers.get("Authorization", "").removeprefix("Bearer ")
                parts = [unquote(part) for part in match.groups() if part is not None]
                try:
                    return getattr(self, endpoint)(token, body, *parts)  # type: ignore[no-any-return]
                except Refused as refusal:
                    return refusal.answer
        return Refused(404, f"no endpoint {method} {path}").answer

    def create(self, token: str, body: bytes) -> Answer:
        asked = json.loads(body)
        kind = asked.get("type") or "model"
        name = f"{'datasets/' * (kind == 'dataset')}{asked['organization']}/{asked['name']}"
        self._may_write(token, name)
        if name in self.repos:
            why = f"You already created this {kind} repo"
            return _json({"error": why, "url": f"{self.url}/{name}"}, 409)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.repos[name] = Repo(bool(private))
        self.repos[name].commit("main", {".gitattributes": b"*.onnx filter=lfs\n"})
        return _json({"url": f"{self.url}/{name}"})

    def branch(self, token: str, body: bytes, name: str, branch: str) -> Answer:
        repo = self._written(token, name)
        if branch in repo.branches:
            raise Refused(409, "Reference already exists")
        repo.branches[branch] = repo.branches["main"]
        return _json({})

    def info(self, token: str, body: bytes, name: str, revision: str = "main") -> Answer:
        repo, oid = self._read(token, name, revision)
        siblings = [{"rfilename": path} for path in repo.commits[oid]]
        bare = name.removeprefix("datasets/")
        return _json({"id": bare, "sha": oid, "private": repo.private, "siblings": siblings})

    def tree(self, token: str, body: bytes, name: str, revision: str) -> Answer:
        repo, oid = self._read(token, name, revision)
        return _json([_entry(path, content) for path, content in repo.commits[oid].items()])

    def validate(self, token: str, body: bytes) -> Answer:
        content = json.loads(body)["content"]
        wrong = [] if "license: bad" not in content else [{"message": '"license" must be known'}]
        return _json({"errors": wrong, "warnings": []}, 400 if wrong else 200)

    def preupload(self, token: str, body: bytes, name: str, revision: str) -> Answer:
        self._written(token, name)
        paths = [file["path"] for file in json.loads(body)["files"]]
        modes = ["lfs" if path.endswith(LARGE) else "regular" for path in paths]
        files = [
            {"path": path, "uploadMode": mode, "shouldIgnore": False}
            for path, mode in zip(paths, modes, strict=True)
        ]
        return _json({"files": files})

    def batch(self, token: str, body: bytes, name: str) -> Answer:
        self._written(token, name)
        objects = json.loads(body)["objects"]
        for thing in objects:
            if thing["oid"] not in self.stored:
                thing["actions"] = {"upload": {"href": f"{self.url}/storage/{thing['oid']}"}}
        return _json({"transfer": "basic", "objects": objects})

    def store(self, token: str, body: bytes, oid: str) -> Answer:
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "the content has another hash")
        self.stored[oid] = body
        return Answer(200)

    def commit(self, token: str, body: bytes, name: str, revision: str) -> Answer:
        repo = self._written(token, name)
        if revision not in repo.branches:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        files = dict(repo.commits[repo.branches[revision]])
        for line in body.decode().splitlines():
            operation = json.loads(line)
            key, value = operation["key"], operation["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.stored[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        oid = repo.commit(revision, files)
        return _json({"commitUrl": f"{self.url}/{name}/commit/{oid}", "commitOid": oid})

    def resolve(self, token: str, body: bytes, name: str, revision: str, path: str) -> Answer:
        repo, oid = self._read(token, name, revision)
        if path not in repo.commits[oid]:
            raise Refused(404, "Entry not found", "EntryNotFound")
        content = repo.commits[oid][path]
        headers = {
            "X-Repo-Commit": oid,
            "ETag": f'"{_git_hash(content)}"',
            "Accept-Ranges": "bytes",
        }
        if path.endswith(LARGE):
            headers["X-Linked-ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            headers["X-Linked-Size"] = str(len(content))
        return Answer(200, content, headers)

    # Who may what ---------------------------------------------------------------------------------

    def _may_write(self, token: str, name: str) -> None:
        if token not in (WRITE, READ):
            raise Refused(401, "Invalid username or password.")
        if token != WRITE or name.removeprefix("datasets/").split("/")[0] != "user":
            raise Refused(403, "You don't have the rights to create a repo under this namespace")

    def _written(self, token: str, name: str) -> Repo:
        self._may_write(token, name)
        if name not in self.repos:
            raise Refused(404, "Repository not found", "RepoNotFound")
        return self.repos[name]

    def _read(self, token: str, name: str, revision: str) -> tuple[Repo, str]:
        repo, known = self.repos.get(name), token in (WRITE, READ)
        if repo is None or (repo.private and not known):
            if known:
                raise Refused(404, "Repository not found", "RepoNotFound")
            raise Refused(401, "Invalid username or password.")
        oid = repo.find(revision)
        if oid is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return repo, oid


NAME, PART = r"((?:datasets/)?[^/]+/[^/]+)", r"([^/]+)"
API = r"/api/(?:models/([^/]+/[^/]+)|(datasets/[^/]+/[^/]+))"
ENDPOINTS = (
    ("POST", "/api/repos/create", "create"),
    ("POST", "/api/validate-yaml", "validate"),
    ("GET", API, "info"),
    ("GET", f"{API}/revision/{PART}", "info"),
    ("GET", f"{API}/tree/{PART}", "tree"),
    ("POST", f"{API}/branch/{PART}", "branch"),
    ("POST", f"{API}/preupload/{PART}", "preupload"),
    ("POST", f"{API}/commit/{PART}", "commit"),
    ("POST", rf"/{NAME}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", f"/storage/{PART}", "store"),
    ("GET HEAD", f"/{NAME}/resolve/{PART}/(.+)", "resolve"),
)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": len(content), "oid": _git_hash(content)}
    if path.endswith(LARGE):
        sha256 = hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return entry


class _Handler(BaseHTTPRequestHandler):
    """HTTP: reads a request whole, lets the Hub answer, sends the answer or what a fault leaves."""

    def _do(self) -> None:
        hub: HubServer = self.server.hub  # type: ignore[attr-defined]
        body = self._body()
        path = urlsplit(self.path).path
        request = f"{self.command} {path}"
        fault = hub.fault(request)
        if fault is not None and not fault.status and fault.cut is None:
            hub.log.append(f"{request} -> dropped")
            return
        if fault is not None and fault.status:
            answer = Answer(fault.status, b'{"error": "injected"}', fault.headers)
        else:
            answer = hub.answer(self.command, path, self.headers, body)  # type: ignore[arg-type]
        content, asked = answer.body, self.headers.get("Range", "")
        if answer.status == 200 and (match := re.fullmatch(r"bytes=(\d+)-", asked)):
            start, total = int(match[1]), len(content)
            place = {"Content-Range": f"bytes {start}-{total - 1}/{total}"}
            content = content[start:]
            answer = Answer(206, content, {**answer.headers, **place})
        hub.log.append(f"{request} -> {answer.status}{asked and f' ({asked})'}")
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content if fault is None else content[: fault.cut])

    do_GET = do_HEAD = do_POST = do_PUT = _do  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr: the Hub keeps its own log."""
