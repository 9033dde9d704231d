"""A hub on the loopback: the Copernicus Data Space (OData, tokens, $zip) and the old DHuS.

It is proved by real clients (`test_real_clients`), keeps a log of what it served, and does wrong
what it is told to do wrong.
"""

import json
import logging
import random
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.mirror import dhus, odata
from tests.mirror.hub_products import HubProduct

USER, PASSWORD = "mirror", "a password of tests"
PAGE, MOST_SKIPPED = 1000, 10_000
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_KEY_ID = "hub-1"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    `status` refuses it, `retry_after` with a pause; `drop_at` ends the body after so many bytes,
    `flip_at` changes a byte of it, `cut` sends half of a document, `replace` another one, `slow_s`
    waits before each piece, `ignore_range` sends everything, `shift` says that a range begins
    elsewhere, `longer_by` that there are more bytes.
    """

    status: int = 0
    retry_after: float | str | None = None
    drop_at: int | None = None
    flip_at: int | None = None
    cut: bool = False
    replace: object = None
    slow_s: float = 0.0
    ignore_range: bool = False
    shift: int = 0
    longer_by: int = 0


@dataclass(frozen=True)
class Served:
    """A download that the hub answered."""

    at: datetime
    hub_id: str
    status: int
    begin: int
    sent: int
    is_whole: bool
    checksum: str


@dataclass
class FakeHub:
    """The state of the hub; its server runs between `start` and `stop`."""

    products: dict[str, HubProduct] = field(default_factory=dict)
    deleted: dict[str, tuple[HubProduct, datetime, str]] = field(default_factory=dict)
    catalogue_faults: deque[Fault] = field(default_factory=deque)
    download_faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    earlier: list[HubProduct] = field(default_factory=list)
    log: list[Served] = field(default_factory=list)
    page: int = PAGE
    most_skipped: int = MOST_SKIPPED
    token_lifetime_s: float = 600  # as clients are told
    piece_pause_s: float = 0.0
    generation: int = 0
    tokens: int = 0
    connections: int = 0
    pieces: int = 0
    most_connections: int = 0
    most_allowed: int = 1000

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.requests: list[str] = []

    # ------------------------------------------------------------------------------- life

    def start(self) -> str:
        class Quiet(WSGIRequestHandler):
            def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
                logging.getLogger("fake_hub").debug(message, *args)

        self.server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self.url

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    # ---------------------------------------------------------------------------- content

    def publish(self, *products: HubProduct) -> None:
        """Let products appear, or other forms of them."""
        with self.lock:
            self.earlier += [self.products[one.id] for one in products if one.id in self.products]
            self.products.update({product.id: product for product in products})

    def delete(self, product_id: str, cause: str) -> None:
        with self.lock:
            product = self.products.pop(product_id)
            self.deleted[product_id] = (product, datetime.now(UTC), cause)

    def expire_tokens(self) -> None:
        self.generation += 1

    def whole_downloads(self, product_id: str) -> list[Served]:
        return [one for one in self.log if one.hub_id == product_id and one.is_whole]

    # ----------------------------------------------------------------------------- serving

    _RULES: ClassVar[Map] = Map(
        [
            Rule("/odata/v1/Products", endpoint="list_products"),
            Rule("/odata/v1/DeletedProducts", endpoint="list_deleted"),
            Rule("/odata/v1/Attributes(<collection>)", endpoint="list_attributes"),
            Rule("/odata/v1/Products(<product_id>)/$zip", endpoint="download"),
            Rule("/odata/v1/Products(<product_id>)/$value", endpoint="download"),
            Rule("/auth/token", endpoint="grant", methods=["POST"]),
            Rule("/auth/keys", endpoint="keys"),
            Rule("/auth/realms/CDSE/.well-known/openid-configuration", endpoint="openid"),
            *dhus.RULES,
        ]
    )

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.requests.append(request.full_path)
        try:
            endpoint, arguments = self._RULES.bind_to_environ(environ).match()
            own = getattr(self, endpoint, None)
            answer = (own or getattr(dhus, endpoint))(
                *(() if own else (self,)), request, **arguments
            )
        except odata.BadQueryError as error:
            answer = _document({"detail": str(error)}, 400)
        except HTTPException as error:
            answer = error.get_response(environ)
        return answer(environ, start_response)

    def list_products(self, request: Request) -> Response:
        with self.lock:
            found = [(product, None, "") for product in self.products.values()]
        return self._listed(request, found)

    def list_deleted(self, request: Request) -> Response:
        with self.lock:
            found = list(self.deleted.values())
        return self._listed(request, found)

    def _listed(
        self, request: Request, found: list[tuple[HubProduct, datetime | None, str]]
    ) -> Response:
        fault = self._fault(self.catalogue_faults)
        if fault.status:
            return _refusal(fault)
        skip, top = (request.args.get(f"${name}", 0, int) for name in ("skip", "top"))
        if top > PAGE or skip > self.most_skipped:
            return _document({"detail": "$top or $skip is too large"}, 400)
        top = min(top or 20, self.page)
        condition = request.args.get("$filter", "")
        chosen = [one for one in found if not condition or odata.matches(*one[:2], condition)]
        order, _, direction = request.args.get("$orderby", "PublicationDate").partition(" ")
        keys: dict[str, Callable[[Any], Any]] = {
            "PublicationDate": lambda one: one[0].published,
            "ModificationDate": lambda one: one[0].modified,
            "ContentDate/Start": lambda one: one[0].start,
            "DeletionDate": lambda one: one[1],
        }
        chosen.sort(key=lambda one: (keys[order](one), one[0].id), reverse=direction == "desc")
        document: dict[str, Any] = {"value": [_entity(*one) for one in chosen[skip : skip + top]]}
        if request.args.get("$count", "").lower() == "true":
            document["@odata.count"] = len(chosen)
        if skip + top < len(chosen):
            following = {**request.args.to_dict(), "$skip": str(skip + top)}
            document["@odata.nextLink"] = _address(request.base_url, following)
        text = json.dumps(document if fault.replace is None else fault.replace)
        return Response(text[: len(text) // 2] if fault.cut else text, mimetype="application/json")

    def list_attributes(self, _request: Request, collection: str) -> Response:
        names = {
            name
            for one in self.products.values()
            if one.collection == collection
            for name in one.attributes
        }
        return _document([{"Name": name, "ValueType": "String"} for name in sorted(names)])

    def download(self, request: Request, product_id: str) -> Response:
        product = self.products.get(product_id)
        if not self._is_authorized(request):
            return _document({"detail": "Token is expired"}, 401)
        if product is None:
            raise NotFound
        return self.send(request, product)

    def send(self, request: Request, product: HubProduct) -> Response:
        """Send the file of a product, or the range of it that is asked for."""
        no_fault = request.method == "HEAD"
        fault = Fault() if no_fault else self._fault(self.download_faults[product.id])
        if self.connections >= self.most_allowed:
            fault = Fault(status=429, retry_after=0)
        if fault.status:
            self._note(product, fault.status, 0, 0)
            return _refusal(fault)
        etag = f'"{product.checksum}-{len(product.content)}"'
        begin, end = 0, len(product.content)
        is_same = request.headers.get("If-Range", etag) == etag
        if request.range and is_same and not fault.ignore_range:
            begin, stop = request.range.ranges[0]
            end = min(stop or end, end)
        headers = {
            "ETag": etag,
            "Content-Length": str(end - begin + fault.longer_by),
            "Content-Disposition": f'attachment; filename="{product.title}.zip"',
            "Accept-Ranges": "bytes",
        }
        is_part = (begin, end) != (0, len(product.content))
        if is_part:
            headers["Content-Range"] = (
                f"bytes {begin + fault.shift}-{end - 1}/{len(product.content)}"
            )
        body = self._pieces(product, fault, begin, end, 206 if is_part else 200)
        return Response(
            b"" if no_fault else body,
            206 if is_part else 200,
            headers,
            mimetype="application/zip",
        )

    def _pieces(
        self, product: HubProduct, fault: Fault, begin: int, end: int, status: int
    ) -> Iterator[bytes]:
        content = bytearray(product.content)
        if fault.flip_at is not None:
            content[fault.flip_at % len(content)] ^= 0xFF
        last = end if fault.drop_at is None else min(end, max(begin, fault.drop_at))
        places = list(range(begin, last, 32768))
        place, final = begin, b""
        with self.lock:
            self.connections += 1
            self.most_connections = max(self.most_connections, self.connections)
        try:
            for place in places[:-1]:
                time.sleep(fault.slow_s or self.piece_pause_s)
                yield bytes(content[place : place + 32768])
                self.pieces += 1
            if places:
                time.sleep(fault.slow_s or self.piece_pause_s)
                final = bytes(content[places[-1] : last])
                place = last
        finally:
            # Before the last piece is sent: who has it may go on before this thread does.
            with self.lock:
                self.connections -= 1
            self._note(product, status, begin, place - begin)
        self.pieces += 1
        yield final

    def _note(self, product: HubProduct, status: int, begin: int, sent: int) -> None:
        is_whole = begin + sent == len(product.content) and status in (200, 206)
        served = (product.id, status, begin, sent, is_whole, product.checksum)
        with self.lock:
            self.log.append(Served(datetime.now(UTC), *served))

    def _fault(self, faults: deque[Fault]) -> Fault:
        with self.lock:
            return faults.popleft() if faults else Fault()

    # ------------------------------------------------------------------------------ tokens

    def grant(self, request: Request) -> Response:
        form = request.form
        if form.get("grant_type") == "password":
            is_known = (form.get("username"), form.get("password")) == (USER, PASSWORD)
        else:
            is_known = form.get("refresh_token") == f"refresh-{self.generation}"
        if not is_known or form.get("client_id") != "cdse-public":
            return _document({"error": "invalid_grant"}, 401)
        now = time.time()
        claims = {"iat": now, "exp": now + 600, "gen": self.generation}
        claims["jti"] = str(uuid.uuid4())
        self.tokens += 1
        return _document(
            {
                "access_token": jwt.encode(claims, _KEY, "RS256", {"kid": _KEY_ID}),
                "refresh_token": f"refresh-{self.generation}",
                "expires_in": self.token_lifetime_s,
                "refresh_expires_in": 3600,
            }
        )

    def keys(self, _request: Request) -> Response:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True)
        return _document({"keys": [{**key, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]})

    def openid(self, request: Request) -> Response:
        root = request.host_url
        return _document(
            {
                "token_endpoint": f"{root}auth/token",
                "jwks_uri": f"{root}auth/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _is_authorized(self, request: Request) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, _KEY.public_key(), ["RS256"])
        except jwt.InvalidTokenError:
            return False
        return kind == "Bearer" and claims["gen"] == self.generation


def seeded_faults(hub: FakeHub, rng: random.Random) -> dict[str, list[Fault]]:
    """Give half of the products something that goes wrong; return what."""
    given = {}
    for product in sorted(hub.products.values(), key=lambda one: one.id):
        size = len(product.content)
        kinds = [
            Fault(drop_at=rng.randrange(size)),
            Fault(flip_at=rng.randrange(size)),
            Fault(status=429, retry_after=0),
            Fault(status=503),
            Fault(status=500),
            Fault(slow_s=0.005),
            Fault(ignore_range=True),
        ]
        if rng.random() < 0.5:
            given[product.id] = rng.sample(kinds, rng.randrange(1, 3))
            hub.download_faults[product.id].extend(given[product.id])
    return given


def with_wrong_checksum(product: HubProduct) -> HubProduct:
    return replace(product, checksum="0" * 32)


def _entity(product: HubProduct, deleted: datetime | None, cause: str) -> dict[str, Any]:
    entity = {
        "Id": product.id,
        "Name": product.name,
        "ContentType": "application/octet-stream",
        "ContentLength": len(product.content),
        "OriginDate": odata.written(product.published),
        "PublicationDate": odata.written(product.published),
        "ModificationDate": odata.written(product.modified),
        "Online": True,
        "Checksum": [{"Value": product.checksum, "Algorithm": "MD5"}],
        "ContentDate": {
            "Start": odata.written(product.start),
            "End": odata.written(product.end),
        },
        "Footprint": f"geography'SRID=4326;{product.footprint}'",
        "Attributes": [
            {"Name": name, "Value": value} for name, value in product.attributes.items()
        ],
    }
    if deleted is not None:
        entity |= {"DeletionDate": odata.written(deleted), "DeletionCause": cause}
    return entity


def _document(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


def _refusal(fault: Fault) -> Response:
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Response("later", fault.status, headers)


def _address(base: str, arguments: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return f"{base}?{urlencode(arguments)}"
