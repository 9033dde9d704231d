"""The OpenAPI definition as a page for people: operations, parameters, answers."""

from html import escape

from peps_wps.web.ogcapi.addresses import Json

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: API</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid #ddd; padding: .4rem; text-align: left; vertical-align: top }}
code {{ background: #f4f4f4 }}
</style>
<h1>{title}</h1>
<p>{description}</p>
<p>Base address <code>{base}</code>; machines read
<a href="{base}/api">the definition (OpenAPI 3.0)</a>.</p>
<table>
<thead><tr><th>Operation<th>What it does<th>Parameters<th>Answers</thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def openapi_page(definition: Json) -> str:
    """Return the page of a definition."""
    rows = [
        _row(method, path, operation)
        for path, methods in definition["paths"].items()
        for method, operation in methods.items()
    ]
    return _PAGE.format(
        title=escape(definition["info"]["title"]),
        description=escape(definition["info"]["description"]),
        base=escape(definition["servers"][0]["url"]),
        rows="\n".join(rows),
    )


def _row(method: str, path: str, operation: Json) -> str:
    names = [parameter["name"] for parameter in operation.get("parameters", [])]
    cells = (
        f"<code>{method.upper()} {escape(path)}</code>",
        escape(operation["summary"]),
        escape(", ".join(names)),
        escape(", ".join(operation["responses"])),
    )
    return "<tr>" + "".join(f"<td>{cell}" for cell in cells)
