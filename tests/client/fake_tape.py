"""A tape service as WLCG Tape REST API v1 describes it, of a site that is not ours: by paths."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

CREATED: object = 1_628_530_793  # 2021-08-09T17:39:53Z


@dataclass
class FakeTape:
    """Brings one file further with each look at its request: submitted, started, completed."""

    lost: frozenset[str] = frozenset()
    with_extensions: bool = False
    requests: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: list[tuple[str, str, Any]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length)) if length else None
        self.bodies.append((method, path, body))
        status, answer = self._answer(method, path, body, environ["HTTP_HOST"])
        content = b"" if answer is None else json.dumps(answer).encode()
        kind = "application/problem+json" if status >= 400 else "application/json"
        headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
        start(f"{status} Whatever", headers)
        return [content]

    def _answer(self, method: str, path: str, body: Any, host: str) -> tuple[int, Any]:
        if path == "/.well-known/wlcg-tape-rest-api":
            uri = f"http://{host}/tape/v1"
            return 200, {"sitename": "X", "endpoints": [{"uri": uri, "version": "v1"}]}
        if (method, path) == ("POST", "/tape/v1/stage"):
            name = f"r{len(self.requests)}"
            self.requests[name] = {one["path"]: "SUBMITTED" for one in body["files"]}
            return 201, {"requestId": name}
        if (method, path) == ("POST", "/tape/v1/archiveinfo"):
            return 200, [{"path": one, "locality": "TAPE"} for one in body["paths"]]
        return self._of_request(method, path, body)

    def _of_request(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        found = re.fullmatch(r"/tape/v1/(stage|release)/([^/]+)(/cancel)?", path)
        if found is None or found[2] not in self.requests:
            return 404, {"title": "Not Found", "detail": "no such request", "status": 404}
        files = self.requests[found[2]]
        if found[3]:
            if not set(body["paths"]) <= set(files):
                return 400, {"title": "Bad Request", "detail": "not in the request", "status": 400}
            files.update(dict.fromkeys(body["paths"], "CANCELLED"))
        elif method == "DELETE":
            del self.requests[found[2]]
        elif method == "GET":
            return 200, self._status(found[2], files)
        return 200, None

    def _status(self, name: str, files: dict[str, str]) -> dict[str, Any]:
        shown = [self._shown(path, state) for path, state in files.items()]
        for path, state in files.items():
            if state in ("SUBMITTED", "STARTED"):
                after = "FAILED" if path in self.lost else "COMPLETED"
                files[path] = "STARTED" if state == "SUBMITTED" else after
                break
        return {"id": name, "createdAt": CREATED, "startedAt": CREATED, "files": shown}

    def _shown(self, path: str, state: str) -> dict[str, Any]:
        shown: dict[str, Any] = {"path": path, "state": state}
        if state == "FAILED":
            shown["error"] = "the tape is broken"
        if self.with_extensions and state == "SUBMITTED":
            shown.update(position=3, expectedSeconds=240)
        if self.with_extensions and state == "STARTED":
            shown.update(bytesDone=250, sizeBytes=1000, expectedSeconds=20)
        return shown
