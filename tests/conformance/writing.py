"""Writes the conformance pack: a folder for each case told in `told/`.

    python -m tests.conformance.writing

A folder holds what is sent (`spans.json`, or `1.json`, `2.json` ... in the order of the requests, `leases.json` and
`counts.json` where there are some), `expected.json`, and a README.md that shows both. Ids and times are fixed, so
the same stories always make the same bytes; a test holds the folders to it.
"""

import json
import re
import shutil
from importlib import import_module
from itertools import groupby
from pathlib import Path

from tests.conformance.story import BASE, KINDS, MS, SIGHTS, STORIES, told

CASES = Path(__file__).parent / "cases"
CHAPTERS = ("distinct", "walk", "calls", "messaging", "nodes", "figures")
RULES = "../../../../docs/graph-rules.md"
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


# ---- README.md


def readme(name, story, wanted, rules, prose):
    sections = [
        f"# {title(name)}\n",
        f"{prose}\n",
        f"{shown_rules(rules)}\n",
        "```",
        *drawing(story),
        "```\n",
        *edge_table(wanted),
        *(f"\n{line}" for line in others(wanted)),
    ]
    return "\n".join(section for section in sections if section).rstrip() + "\n"


def title(name):
    return name.replace("_", " ").capitalize()


def shown_rules(rules):
    """Links to rules and defects, the cases of other linkers by name."""
    links = [f"[{r}]({RULES}#{r})" if r[1:2].isdigit() else f"{r}'s linker tests" for r in rules]
    return "Shows " + ", ".join(links) + "."


def drawing(story):
    """All that is sent, request by request, as trees of spans."""
    for number, body in enumerate(story.bodies, 1):
        if len(story.bodies) > 1:
            yield f"request {number}"
        for trace, spans in groupby(sorted(body, key=lambda s: s.trace), key=lambda s: s.trace):
            several = len({s.trace for b in story.bodies for s in b}) > 1
            yield from [f"trace ...{trace & 0xFFFF:04x}"] if several else []
            yield from forest(list(spans))
    for lease in story.leases:
        yield (
            f"lease {lease['address']}:{lease['port']} -> {lease['instance']}, {moment(lease['startTimeUnixNano'])} to "
            + moment(lease["endTimeUnixNano"])
        )
    for service, calls, attributes, start in story.counts:
        said = ", ".join(f"{key}={value}" for key, value in attributes.items())
        yield f"count {service}: {calls} calls in the minute from {moment(BASE + start * MS)} ({said})"


def moment(ns):
    return f"{(int(ns) - BASE) / MS:+g} ms"


def forest(spans):
    """Trees of spans by their parent ids; what lies in a circle, or below a copy, is drawn once."""
    drawn, ids = [], {s.id for s in spans}

    def tree(s, lead, follow):
        drawn.append(s)
        below = [child for child in spans if child.parent == s.id and child not in drawn]
        first = not [other for other in drawn[:-1] if other.id == s.id]
        yield lead + described(s)
        if said := details(s):
            yield f"{follow}{'│' if below and first else ' '}    {said}"
        while first and (left := [child for child in below if child not in drawn]):
            last = len(left) == 1
            yield from tree(left[0], follow + ("└─ " if last else "├─ "), follow + ("   " if last else "│  "))

    for s in [s for s in spans if s.parent not in ids or s.parent == s.id] + spans:
        if s not in drawn:
            yield from tree(s, "", "")


def described(s):
    """A span: kind, service, instance, name, ids and times."""
    where = s.resource.get("service.name", "(no name)")
    instance = s.resource.get("service.instance.id", "")
    kind = "(no kind)" if s.kind == "UNSPECIFIED" else s.kind
    ids = f"{s.id:x}" + (f" below {s.parent:x}" if s.parent else "") + ("" if s.wide else ", 64-bit trace id")
    times = f"{(s.start - BASE) / MS:g}..{(s.end - BASE) / MS:g} ms"
    return (
        f"{kind} {where}{f' [{instance}]' if instance else ''} {s.name!r} ({ids}; {times})"
        + " ERROR" * s.error
    )


def details(s):
    """What else it says."""
    others = {k: v for k, v in s.resource.items() if k not in ("service.name", "service.instance.id")}
    said = [f"{key}={value}" for key, value in (others | s.attributes).items()]
    said += [f"tracestate: {s.state}"] if s.state else []
    said += [f"links to {', '.join(f'{link.id:x}' for link in s.links)}"] if s.links else []
    return "  ".join(said + [f"event {name!r}" for name in s.events])


def edge_table(wanted):
    yield "| Caller | Callee | Calls | Errors | Seen by | |"
    yield "|---|---|---|---|---|---|"
    for e in wanted.edges:
        seen = ", ".join(
            f"{n} {sight.replace('_', ' ')}" for sight in SIGHTS if (n := e["completeness"][sight])
        )
        extra = {
            k: v for k, v in e.items() if k not in ("caller", "callee", "calls", "errors", "completeness")
        }
        more = "; ".join(f"{key} {figure(key, value)}" for key, value in extra.items())
        yield f"| `{e['caller']}` | `{e['callee']}` | {e['calls']} | {e['errors']} | {seen} | {more} |"


def figure(key, value):
    if key in ("client", "server", "queueing"):
        return ", ".join(f"{ns / MS:g}" for ns in value) + " ms"
    return ", ".join(f"{n} {name}" for name, n in value.items()) if isinstance(value, dict) else str(value)


def others(wanted):
    for key, value in wanted.more.items():
        rows = value if isinstance(value, list) else [f"{name} {n}" for name, n in value.items()]
        yield f"{key.replace('_', ' ').capitalize()}: " + "; ".join(map(shown_row, rows)) + "."


def shown_row(row):
    if isinstance(row, dict):
        return f"`{row['caller']}` -> `{row['callee']}` {row['calls']}"
    return f"`{row[0]}` -> `{row[1]}` " + " ".join(map(str, row[2:])) if isinstance(row, list) else str(row)


# ---- the index


def index_page():
    """cases/README.md: all cases by rule."""
    return "\n".join(index()).replace("\n\n\n", "\n\n") + "\n"


def index():
    by_rule = {}
    for name in stories():
        _, rules = STORIES[name]
        for rule in rules:
            by_rule.setdefault(rule, []).append(name)
    yield "# All cases by rule\n"
    yield f"{len(STORIES)} cases; one that shows several rules stands below each of them."
    yield "How to read and run them: [the pack](../README.md).\n"
    for rule in sorted(by_rule, key=place):
        link = (
            f"[{rule}](../../../docs/graph-rules.md#{rule})"
            if rule != "Zipkin"
            else "Cases of Zipkin's linker"
        )
        yield f"\n## {link}\n"
        yield from (f"- [{title(name)}]({name}/)" for name in by_rule[rule])


def place(rule):
    """Rules before defects, in their order; other people's names last."""
    chapter, numbers = rule[0], [int(n) for n in re.findall("[0-9]+", rule)]
    return not numbers, chapter != "R", numbers


def main():
    names = stories()
    shutil.rmtree(CASES, ignore_errors=True)
    CASES.mkdir()
    (CASES / "README.md").write_text(index_page())
    for name in names:
        folder = CASES / name
        folder.mkdir(parents=True)
        for file, content in written(name).items():
            (folder / file).write_text(content)
    print(f"{len(names)} cases in {CASES}")


if __name__ == "__main__":
    main()
