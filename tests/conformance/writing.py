"""Writes the conformance pack: a folder for each case told in `told/`.

    python -m tests.conformance.writing

A folder holds what is sent (`spans.json`, or `1.json`, `2.json` ... in the order of the requests, `leases.json` and
`counts.json` where there are some), `expected.json`, and a README.md that shows both. Ids and times are fixed, so
the same stories always make the same bytes; a test holds the folders to it.
"""

import json
import shutil
from importlib import import_module
from itertools import groupby
from pathlib import Path

from tests.conformance.pages import index, readme
from tests.conformance.story import BASE, KINDS, MS, STORIES, told

CASES = Path(__file__).parent / "cases"
CHAPTERS = (
    "reading", "distinct", "walk", "links", "calls", "messaging", "consuming", "nodes", "figures", "sampling",
)  # fmt: skip
HIGH = 0x5EED_0000_0000_0000 << 64


def stories():
    """Names of all cases, in the order of the rules."""
    for chapter in CHAPTERS:
        import_module(f"tests.conformance.told.{chapter}")
    return list(STORIES)


def written(name):
    """{file name: content} of a case's folder."""
    story, wanted, rules, prose = told(name)
    bodies = [otlp(body) for body in story.bodies]
    files = (
        {f"{n}.json": body for n, body in enumerate(bodies, 1)}
        if len(bodies) > 1
        else {"spans.json": bodies[0]}
    )
    if story.leases:
        files["leases.json"] = story.leases
    if story.counts:
        files["counts.json"] = metrics(story.counts)
    about = {"rules": list(rules), "ordered": story.ordered}
    files["expected.json"] = {**about, "edges": wanted.edges, **wanted.more}
    texts = {
        file: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for file, content in files.items()
    }
    return texts | {"README.md": readme(name, story, wanted, rules, prose)}


# ---- OTLP JSON


def otlp(spans):
    """An ExportTraceServiceRequest; neighbours of one resource share it."""
    by_resource = [(resource, list(group)) for resource, group in groupby(spans, key=lambda s: s.resource)]
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": pairs(resource)},
                "scopeSpans": [{"spans": [otlp_span(s) for s in group]}],
            }
            for resource, group in by_resource
        ]
    }


def otlp_span(s):
    optional = {
        "traceState": s.state,
        "parentSpanId": f"{s.parent:016x}" if s.parent or s.zero_parent else "",
        "attributes": pairs(s.attributes),
        "events": [{"timeUnixNano": str(s.start), "name": name} for name in s.events],
        "links": [{"traceId": trace_id(link), "spanId": f"{link.id:016x}"} for link in s.links],
        "status": {"code": 2} if s.error else {},
    }
    return {
        "traceId": trace_id(s),
        "spanId": f"{s.id:016x}",
        "name": s.name,
        "kind": KINDS.index(s.kind),
        "startTimeUnixNano": str(s.start),
        "endTimeUnixNano": str(s.end),
        **{key: value for key, value in optional.items() if value},
    }


def trace_id(s):
    return f"{s.trace | (HIGH if s.wide else 0):032x}"


def pairs(attributes):
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def any_value(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def metrics(counts):
    """An ExportMetricsServiceRequest with a point for each count."""

    def resource(service):
        name, _, number = service.partition("#")
        return pairs({"service.name": name, "service.instance.id": f"{name}-{number or 1}"})

    def point(calls, attributes, start):
        times = {
            "startTimeUnixNano": str(BASE + start * MS),
            "timeUnixNano": str(BASE + (start + 60_000) * MS),
        }
        return {"attributes": pairs(attributes), **times, "asInt": str(calls)}

    def metric(*arguments):
        counted = {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point(*arguments)]}
        return {"name": "weft.calls", "unit": "{call}", "sum": counted}

    return {
        "resourceMetrics": [
            {"resource": {"attributes": resource(service)}, "scopeMetrics": [{"metrics": [metric(*rest)]}]}
            for service, *rest in counts
        ]
    }


def main():
    names = stories()
    shutil.rmtree(CASES, ignore_errors=True)
    CASES.mkdir()
    (CASES / "README.md").write_text(index(STORIES))
    for name in names:
        folder = CASES / name
        folder.mkdir(parents=True)
        for file, content in written(name).items():
            (folder / file).write_text(content)
    print(f"{len(names)} cases in {CASES}")


if __name__ == "__main__":
    main()
