"""Requests to the tape service, and what is read of its answers."""

import json

API = "/tape/api/v1"


def path_of(title):
    return f"/S1/2021/08/09/{title}.zip"


def stage(client, *files, **members):
    return client.post(f"{API}/stage", json={"files": list(files), **members})


def staged(client, *paths, **members):
    answer = stage(client, *({"path": path} for path in paths), **members)
    assert answer.status_code == 201, answer.json
    return answer.json["requestId"]


def files(client, request_id):
    answer = client.get(f"{API}/stage/{request_id}")
    assert answer.status_code == 200
    return {one["path"]: one for one in answer.json["files"]}


def states(client, request_id):
    return {path: one["state"] for path, one in files(client, request_id).items()}


def recall_all(world):
    while world.service().run_once():
        pass


def locality(client, path):
    (info,) = client.post(f"{API}/archiveinfo", json={"paths": [path]}).json
    assert info["path"] == path
    return info.get("locality")


def is_problem(answer, status):
    document = json.loads(answer.data)
    assert answer.status_code == document["status"] == status
    assert answer.content_type == "application/problem+json"
    return document
