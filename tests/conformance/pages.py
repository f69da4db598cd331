"""The pages of the pack: a case's README.md, with its spans as trees and its edges as a table, and the index."""

import re
from itertools import groupby

from tests.conformance.story import BASE, MS, SIGHTS

RULES = "docs/graph-rules.md"
PLAIN = ("caller", "callee", "calls", "errors", "completeness")
TABLES = {
    "operations": ("By operation", ("Operation", "Calls")),
    "instances": ("By instance", ("Caller's instance", "Callee's instance", "Calls")),
    "minutes": ("By minute", ("Minute", "Calls")),
    "derived": ("Derived, across channels", ("Calls",)),
}
LONG_RUN = 5  # spans of one kind below each other, of which the middle ones are not drawn


def readme(name, story, wanted, rules, prose):
    """The page of a case."""
    up = "../../../../"
    links = [
        f"[{r}]({up}{RULES}#{r})" if r[1:2].isdigit() else f"a case of {r}'s linker tests" for r in rules
    ]
    sections = [
        f"# {title(name)}",
        prose,
        "Shows " + ", ".join(links) + ".",
        "\n".join(["```", *drawing(story), "```"]),
    ]
    sections += [edge_table(wanted.edges) if wanted.edges else "No edge is expected.", *others(wanted.more)]
    return "\n\n".join(sections) + "\n"


def title(name):
    return name.replace("_", " ").capitalize()


# ---- what is sent


def drawing(story):
    """All that is sent, request by request, as trees of spans."""
    traces = {s.trace for body in story.bodies for s in body}
    for number, body in enumerate(story.bodies, 1):
        yield from [f"request {number}"] if len(story.bodies) > 1 else []
        for trace, spans in groupby(sorted(body, key=lambda s: s.trace), key=lambda s: s.trace):
            yield from [f"trace ...{trace & 0xFFFF:04x}"] if len(traces) > 1 else []
            yield from forest(list(spans))
    for lease in story.leases:
        times = [moment(lease[f"{end}TimeUnixNano"]) for end in ("start", "end")]
        yield f"lease {lease['address']}:{lease['port']} -> {lease['instance']}, {' to '.join(times)}"
    for service, calls, attributes, start in story.counts:
        said = ", ".join(f"{key}={value}" for key, value in attributes.items())
        yield f"count {service}: {calls} calls in the minute from {moment(BASE + start * MS)} ({said})"


def moment(ns):
    return f"{(int(ns) - BASE) / MS:+g} ms"


def forest(spans):
    """Trees of spans by their parent ids; what lies in a circle, or below a copy, is drawn once."""
    drawn, ids = [], {s.id for s in spans}

    def below(s):
        copies = [other for other in drawn if other.id == s.id and other is not s]
        return [] if copies else [child for child in spans if child.parent == s.id and child not in drawn]

    def run(s):
        """The span, its only child if that says the same, and so on."""
        found = [s]
        while len(only := below(found[-1])) == 1 and says_the_same(only[0], s) and only[0] not in found:
            found += only
        return found

    def tree(s, lead, follow):
        first, *middle = run(s) if len(run(s)) > LONG_RUN else [s]
        drawn.extend([first, *middle])
        last = middle[-1] if middle else first
        yield lead + described(first)
        if said := details(first):
            yield f"{follow}{'│' if below(last) else ' '}    {said}"
        if middle:
            yield f"{follow}:    {len(middle)} more of them, each below the one before (to {last.id:x})"
        while left := below(last):
            end = len(left) == 1
            yield from tree(left[0], follow + ("└─ " if end else "├─ "), follow + ("   " if end else "│  "))

    for s in [s for s in spans if s.parent not in ids or s.parent == s.id] + spans:
        if s not in drawn:
            yield from tree(s, "", "")


def says_the_same(one, other):
    return (one.kind, one.resource, one.name, details(one)) == (
        other.kind,
        other.resource,
        other.name,
        details(other),
    )


def described(s):
    """A span: kind, service, instance, name, ids and times."""
    where = s.resource.get("service.name", "(no name)")
    instance = s.resource.get("service.instance.id", "")
    kind = "(no kind)" if s.kind == "UNSPECIFIED" else s.kind
    ids = f"{s.id:x}" + (f" below {s.parent:x}" if s.parent else "") + ("" if s.wide else ", 64-bit trace id")
    times = f"{(s.start - BASE) / MS:g}..{(s.end - BASE) / MS:g} ms"
    shown = f" [{instance}]" if instance else ""
    return f"{kind} {where}{shown} {s.name!r} ({ids}; {times})" + " ERROR" * s.error


def details(s):
    """What else it says."""
    others = {k: v for k, v in s.resource.items() if k not in ("service.name", "service.instance.id")}
    said = [f"{key}={value}" for key, value in (others | s.attributes).items()]
    said += [f"tracestate: {s.state}"] if s.state else []
    said += [f"links to {', '.join(f'{link.id:x}' for link in s.links)}"] if s.links else []
    return "  ".join(said + [f"event {name!r}" for name in s.events])


# ---- what is expected


def edge_table(edges):
    """Edges with who saw their calls, and the figures that the case is about."""
    more = [{k: v for k, v in edge.items() if k not in PLAIN} for edge in edges]
    heads = ["Caller", "Callee", "Calls", "Errors", "Seen by", *(["Figures"] if any(more) else [])]
    rows = []
    for edge, extra in zip(edges, more, strict=True):
        seen = [f"{n} {sight.replace('_', ' ')}" for sight in SIGHTS if (n := edge["completeness"][sight])]
        figures = "; ".join(f"{key} {figure(key, value)}" for key, value in extra.items())
        plain = [f"`{edge['caller']}`", f"`{edge['callee']}`", edge["calls"], edge["errors"], ", ".join(seen)]
        rows.append([*plain, *([figures] if any(more) else [])])
    return table(heads, rows)


def figure(key, value):
    if key in ("client", "server", "queueing"):
        return ", ".join(f"{ns / MS:g}" for ns in value) + " ms" if value else "none"
    return ", ".join(f"{n} {name}" for name, n in value.items()) if isinstance(value, dict) else str(value)


def others(more):
    """What is expected beside the edges."""
    for key, value in more.items():
        if key in TABLES:
            head, columns = TABLES[key]
            rows = [[f"`{caller}`", f"`{callee}`", *rest] for caller, callee, *rest in value]
            yield f"{head}:\n\n" + table(["Caller", "Callee", *columns], rows)
    if "inferred" in more:
        yield "With hints shown:\n\n" + edge_table(more["inferred"])
    if "nodes" in more:
        yield "Nodes: " + ", ".join(f"`{node}`" for node in more["nodes"]) + "."
    if "totals" in more:
        yield "Totals: {} calls, {} errors.".format(*more["totals"])
    if "refused" in more:
        yield "Left out: " + ", ".join(f"{n} as `{reason}`" for reason, n in more["refused"].items()) + "."


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


# ---- the index


def index(stories):
    """The page of all cases, given {name: (function, rules)}."""
    by_rule = {}
    for name, (_, rules) in stories.items():
        for rule in rules:
            by_rule.setdefault(rule, []).append(name)
    about = f"{len(stories)} cases; one that shows several rules stands below each of them."
    sections = ["# All cases by rule", f"{about} How to read and run them: [the pack](../README.md)."]
    for rule in sorted(by_rule, key=place):
        head = (
            f"[{rule}](../../../{RULES}#{rule})" if rule[1:2].isdigit() else f"Cases of {rule}'s linker tests"
        )
        sections += [f"## {head}", "\n".join(f"- [{title(name)}]({name}/)" for name in by_rule[rule])]
    return "\n\n".join(sections) + "\n"


def place(rule):
    """Rules before defects, in their order; other people's names last."""
    chapter, numbers = rule[0], [int(n) for n in re.findall("[0-9]+", rule)]
    return not numbers, chapter != "R", numbers
