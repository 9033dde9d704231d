"""``/``: a plain page that says where everything is and what to try first."""

from html import escape

from werkzeug import Request, Response
from werkzeug.routing import Rule

from catalog_db import times
from catalog_db.catalogue.statistics import archive_volume
from peps_wps.services import Services

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto }}
pre {{ background: #f4f4f4; padding: 1rem; overflow-x: auto }}
</style>
<h1>{title}</h1>
<p>{abstract}</p>
<p>{products} products, {volume}; {daily} a day.
<a href="/stats.json">By mission and month</a></p>
<h2>Order</h2>
<ul>
<li><a href="/resto/wps?service=WPS&amp;request=GetCapabilities">Processes (WPS 1.0.0)</a></li>
<li><a href="/resto/wps?service=WPS&amp;request=DescribeProcess&amp;identifier=all">What each of
them takes and gives</a></li>
<li><a href="/ogcapi/api.html">OGC API - Processes</a></li>
</ul>
<pre>peps execute S1_ORTHO product=TITLE --url {base} --watch

curl '{base}/resto/wps?service=WPS&amp;version=1.0.0&amp;request=Execute&amp;identifier=S1_ORTHO\
&amp;datainputs=product=TITLE&amp;storeExecuteResponse=true&amp;status=true'</pre>
<h2>Find products</h2>
<ul>
<li><a href="/resto/api/collections/S1/search.json?maxRecords=20">The newest Sentinel-1 products</a>
</li>
<li><a href="/stac">STAC API</a></li>
<li><a href="/datalake/">Published results</a></li>
</ul>
<pre>curl '{base}/resto/api/collections/S1/search.json?productType=GRD&amp;maxRecords=20'</pre>
<h2>Operate</h2>
<ul><li><a href="/health">Health</a></li></ul>
</html>
"""


def rules() -> list[Rule]:
    """Return the addresses of this module."""
    return [Rule("/", endpoint=landing, methods=["GET"])]


def landing(request: Request, services: Services) -> Response:
    """Return the page."""
    config = services.config
    with services.engine.connect() as connection:
        archive = archive_volume(connection, times.now())
    page = _PAGE.format(
        title=escape(config.portal.title),
        abstract=escape(config.metadata.identification_abstract),
        products=f"{archive.total.products:,}",
        volume=_volume(archive.total.size_bytes),
        daily=_volume(archive.daily.size_bytes),
        base=escape((config.server.url or request.host_url).rstrip("/")),
    )
    return Response(page, content_type="text/html; charset=utf-8")


def _volume(size_bytes: int) -> str:
    """Return a size in words; young archives have no terabytes."""
    return f"{size_bytes / 1e12:,.1f} TB" if size_bytes >= 1e12 else f"{size_bytes / 1e9:,.2f} GB"
