"""Requests as ets-ogcapi-processes10 1.3 makes them, from the description of the echo process."""

from typing import Any

import requests

from tests.web.ogcapi.conftest import Service

JSON = {"Accept": "application/json"}

WORD = "teststring"

FAR_BOX = {"bbox": [345345345] * 4, "crs": "urn:ogc:def:crs:EPSG:6.6:4326"}


class Suite:
    """Asks as the suite does."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.root = f"{service.url}/ogcapi"
        self.echo = self.get("/processes/echo").json()

    def get(self, address: str, **headers: str) -> requests.Response:
        address = address if address.startswith("http") else self.root + address
        return requests.get(address, headers={**JSON, **headers}, timeout=30)

    def execute(self, body: Any, process: str = "echo", **headers: str) -> requests.Response:
        address = f"{self.root}/processes/{process}/execution"
        return requests.post(address, json=body, headers={**JSON, **headers}, timeout=30)

    def execute_async(self, body: Any) -> requests.Response:
        return self.execute(body, Prefer="respond-async")

    def request(self, **members: Any) -> dict[str, Any]:
        """Return a request with a value for every input, and every output by value."""
        inputs = {
            name: value
            for name, described in self.echo["inputs"].items()
            if (value := sample(described["schema"])) is not None
        }
        outputs = {name: {"transmissionMode": "value"} for name in self.echo["outputs"]}
        return {"inputs": inputs, "outputs": outputs, **members}

    def results(self, accepted: requests.Response) -> requests.Response:
        """Return the results of a job once it has ended, by the links of its status."""
        info = self.service.ended(accepted.json()["jobID"])
        return self.get(
            next(one["href"] for one in info["links"] if one["rel"].endswith("results"))
        )


def sample(schema: dict[str, Any]) -> Any:
    """Return the value that the suite gives an input of a schema, None for none."""
    value = None
    for one in schema.get("oneOf", [schema]):
        if "bbox" in one.get("properties", {}):
            value = FAR_BOX
        elif one["type"] == "object":
            value = {"value": WORD}
        elif one["type"] == "string" and not {"format", "contentMediaType"} & one.keys():
            value = WORD
    return value
