"""Breaks lines of a folder at random, one at a time in a copy of the repository, and runs that folder's own tests on each.

`make mutants FOLDER=parsers N=50 SEED=1` prints the share of broken lines that the tests noticed, and the others. A survivor is a
line that no test protects, or a change that makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
TIMEOUT = 400
"""Seconds for all tests of one broken line; a line that makes them hang is noticed."""
TESTS = {
    "parsers": "pages reading kinds guard encoding scalars derived dating urls columns registry one_model contact_evidence"
    " drupal_data text text_head item_fields other_themes samples provenance source_fields"
    " pages_disguised parser_safety generated_pages incomplete_pages",
    "scraper/database": "derived merge merge_pages merge_sequences record_identity availability places contacts columns"
    " data_checks load plan parsed_pages query_plans doctor_damage load_trouble workers why refresh"
    " organizations similar overlays arrival",
    "scraper/archive": "archive dating containers scan encoding",
    "scraper/sources": "containers fetch_parts fetch_index_server fetch_ranges fetch_listing fetch_replay fetch_answers"
    " fetch_live",
}
"""The tests of each folder, the quickest first: the first failure ends a run."""
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


class Mutant(NamedTuple):
    """A place in a file (line from 1, column in bytes) and what replaces the code there."""

    path: Path
    start: tuple[int, int]
    end: tuple[int, int]
    code: str


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change to the code inside the functions of a file."""
    tree = ast.parse(path.read_bytes())
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for statement in function.body:
            for node in _walk(statement):
                for changed in _changes(node):
                    code = f"({ast.unparse(changed)})" if isinstance(changed, ast.expr) else ast.unparse(changed)
                    yield Mutant(path, (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset), code)


def _walk(node: ast.AST) -> Iterator[Any]:
    """Like `ast.walk`, without f-strings, in which Python 3.11 does not know positions."""
    if not isinstance(node, ast.JoinedStr):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _walk(child)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """The node with another meaning: another comparison, operator, constant or result, or no statement at all."""
    changed = copy.deepcopy(node)
    match changed:
        case ast.Compare(ops=[operator]):
            changed.ops = [_COMPARED[type(operator)]()]
        case ast.BoolOp(op=ast.And()):
            changed.op = ast.Or()
        case ast.BoolOp():
            changed.op = ast.And()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            changed = operand
        case ast.BinOp(op=ast.Add()):
            changed.op = ast.Sub()
        case ast.Constant(value=bool(value)):
            changed.value = not value
        case ast.Constant(value=int(value)):
            changed.value = value + 1
        case ast.IfExp(body=body, orelse=orelse):
            changed.body, changed.orelse = orelse, body
        case ast.Return(value=value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            changed.value = ast.Constant(None)
        case ast.Continue():
            changed = ast.Break()
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Break():
            changed = ast.Pass()
        case _:
            return
    yield changed


def chosen(folder: Path, count: int, seed: int) -> list[Mutant]:
    """So many mutants, on lines of their own; the same for the same code and seed."""
    lines: dict[tuple[Path, int], list[Mutant]] = {}
    for path in sorted(folder.rglob("*.py")):
        for mutant in mutants(path):
            lines.setdefault((path, mutant.start[0]), []).append(mutant)
    chance = random.Random(seed)
    return [chance.choice(lines[line]) for line in chance.sample(sorted(lines), min(count, len(lines)))]


def applied(mutant: Mutant) -> bytes:
    """The file's content with the mutant in it."""
    lines = mutant.path.read_bytes().splitlines(keepends=True)
    (first, start), (last, end) = mutant.start, mutant.end
    changed = lines[first - 1][:start] + mutant.code.encode() + lines[last - 1][end:]
    return b"".join([*lines[: first - 1], changed, *lines[last:]])


def is_noticed(copied: Path, tests: list[str]) -> bool:
    """Whether the tests fail in this copy."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=copied, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", choices=TESTS)
    parser.add_argument("-n", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tests", help="names of test files in place of the folder's own, such as 'pages text'")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # run by root, some tests run the program as nobody
        copied = Path(folder, "copy")
        shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache"))
        tests = [f"tests/test_{name}.py" for name in (options.tests or TESTS[options.folder]).split()]
        if is_noticed(copied, tests):
            sys.exit("the tests fail without any broken line")
        broken = chosen(copied / options.folder, options.n, options.seed)
        noticed = 0
        for mutant in broken:
            whole = mutant.path.read_bytes()
            mutant.path.write_bytes(applied(mutant))
            caught = is_noticed(copied, tests)
            mutant.path.write_bytes(whole)
            noticed += caught
            if not caught:
                line = whole.splitlines()[mutant.start[0] - 1].decode().strip()
                sys.stdout.write(f"survived: {mutant.path.relative_to(copied)}:{mutant.start[0]}: {line}  ->  {mutant.code}\n")
                sys.stdout.flush()
        sys.stdout.write(f"{options.folder}: {noticed} of {len(broken)} broken lines noticed ({noticed / len(broken):.0%})\n")


if __name__ == "__main__":
    main()
