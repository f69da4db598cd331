"""The size budgets of the house: small files, small functions, few parameters."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agent/weft", "collector/weft_collector", "dashboard/weft_dashboard")
FILE_STOP, FUNCTION_STOP, PARAMETER_STOP = 500, 50, 5
KERNELS = ("kernel", "inline", "routine")  # compiled functions: splitting them costs speed or compile time
VENDORED = "static/vendor"

type_of_function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def is_kernel(function: type_of_function) -> bool:
    names = [d.func if isinstance(d, ast.Call) else d for d in function.decorator_list]
    return any(isinstance(n, ast.Name) and n.id in KERNELS for n in names)


def functions() -> Iterator[tuple[str, type_of_function]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_kernel(node):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def length(function: type_of_function) -> int:
    """Lines of a function without its docstring and its decorators."""
    doc = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (len(doc.splitlines()) if doc else 0)


def parameters(function: type_of_function) -> int:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_no_file_passes_the_hard_stop():
    long = {
        str(p.relative_to(ROOT)): n for p in sources() if (n := len(p.read_text().splitlines())) > FILE_STOP
    }
    assert not long


def test_few_files_pass_300_lines():
    counts = [len(p.read_text().splitlines()) for p in sources()]
    assert sum(n > 300 for n in counts) <= len(counts) * 0.05


def test_no_function_passes_the_hard_stop():
    assert not [(name, n) for name, f in functions() if (n := length(f)) > FUNCTION_STOP]


def test_half_of_the_functions_fit_in_seven_lines_and_nine_of_ten_in_25():
    lengths = sorted(length(f) for _, f in functions())
    assert statistics.median(lengths) <= 7
    assert lengths[int(len(lengths) * 0.9)] <= 25


def test_no_function_takes_more_than_five_parameters():
    # A constructor of a value class and a click command name their options one by one.
    assert not [name for name, f in functions() if parameters(f) > PARAMETER_STOP and not f.decorator_list]


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_module_is_a_drawer(name):
    assert not [p for p in sources() if p.stem == name]


def test_init_files_hold_exports_only():
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.If, ast.Expr)
    for path in sources():
        if path.name != "__init__.py":
            continue
        for node in ast.parse(path.read_text()).body:
            lazy = isinstance(node, ast.FunctionDef) and node.name in {"__getattr__", "__dir__"}
            assert lazy or isinstance(node, allowed), f"{path.relative_to(ROOT)}:{node.lineno}"


def test_modules_of_the_page_stay_small():
    static = ROOT / "dashboard/weft_dashboard/static"
    modules = [p for p in static.rglob("*.js") if VENDORED not in p.as_posix()]
    assert modules
    assert not [str(p) for p in modules if len(p.read_text().splitlines()) > 300]
