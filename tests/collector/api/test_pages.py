"""The dashboard's files, the API's page, and the OpenAPI document."""

import re
from pathlib import Path

import pytest

from weft_collector.api import docs
from weft_dashboard import static_dir

STATIC = Path(docs.__file__).parent / "static"
OUTSIDE = re.compile(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)


@pytest.fixture
def page(make_collector):
    return make_collector(dashboard=static_dir())


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/styles/base.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/vendor/MANIFEST.json", "application/json"),
    ],
)
def test_the_page_is_served_with_types_that_browsers_run(page, path, media_type):
    response = page.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["cache-control"] == "no-cache"


def test_a_file_that_has_not_changed_is_not_sent_again(page):
    first = page.get("/app.js")
    again = page.request("GET", "/app.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize(
    "path", ["/nothing.js", "/../pyproject.toml", "/%2e%2e/%2e%2e/pyproject.toml", "/docs/nothing", "/%00"]
)
def test_what_is_not_there_is_a_problem(page, path):
    response = page.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_the_api_answers_in_front_of_the_page(page):
    assert page.get("/healthz").json() == {"status": "ok"}


def test_a_method_that_a_path_does_not_have_is_a_problem(collector):
    response = collector.request("DELETE", "/api/v1/graph")
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/problem+json"
    assert "GET" in response.headers["allow"]


def test_the_document_describes_every_route(collector):
    document = collector.get("/openapi.json").json()
    paths = {route.path for route in collector.app.routes if getattr(route, "include_in_schema", False)}
    assert paths <= set(document["paths"])
    assert {"/v1/traces", "/api/v1/graph", "/api/v1/export/calls", "/healthz"} <= set(document["paths"])
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert set(operation["tags"]) <= tags, path
            assert "422" not in operation["responses"], path
            success = operation["responses"].get("200") or operation["responses"]["202"]
            assert success["description"], path
            content = success.get("content", {})
            assert all("schema" in body for body in content.values()), path


def references(place):
    if isinstance(place, dict):
        yield from (value for name, value in place.items() if name == "$ref")
        for value in place.values():
            yield from references(value)
    elif isinstance(place, list):
        for value in place:
            yield from references(value)


def test_every_reference_of_the_document_leads_somewhere(collector):
    document = collector.get("/openapi.json").json()
    found = list(references(document))
    assert found
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_every_field_of_an_answer_has_an_example_or_a_shape(collector):
    schemas = collector.get("/openapi.json").json()["components"]["schemas"]
    for name, schema in schemas.items():
        for field, shape in schema.get("properties", {}).items():
            assert {"examples", "$ref", "enum", "anyOf", "items"} & set(shape), f"{name}.{field}"


def test_the_page_of_the_api_loads_nothing_from_outside(collector):
    page = collector.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    files = [name for name in loaded if name.startswith("docs/")]
    assert {"docs/docs.js", "docs/docs.css"} == set(files)
    for name in files:
        response = collector.get(f"/{name}")
        assert response.status_code == 200
        assert not OUTSIDE.search(response.text), name
    assert not OUTSIDE.search(page.text)


def test_no_file_that_the_api_serves_names_an_outside_address():
    for file in STATIC.iterdir():
        assert not OUTSIDE.search(file.read_text()), file.name


def test_the_page_runs_under_the_policy_it_is_sent_with(collector):
    page = collector.get("/docs")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*src=)|<style|\son[a-z]+=|style=", page.text)
