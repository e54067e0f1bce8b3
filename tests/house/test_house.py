"""House rules a machine can see: docstrings, names of rooms, pinned files, sizes of rooms."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from dashboard.cli import app

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("data", "geo", "planner", "dashboard")
MODULES = sorted(
    path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if "node_modules" not in path.parts
)
# One room each, with the reason it may be larger: see docs/decisions/0002-one-kernel-module.md.
LARGE = {"planner/kernel.py": 600, "data/migrations/versions/0001_first_schema_of_the_register.py": 700}
MOST_LINES = 340


def name(path: Path) -> str:
    """Return a module's path inside the project."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_public_names_say_what_they_are(path: Path) -> None:
    """Every module, public class and public function has a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [] if ast.get_docstring(tree) else [name(path)]
    bodies = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]
    for body in bodies:
        for node in body.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                public = not node.name.startswith("_")
                if public and ast.get_docstring(node) is None:
                    missing.append(f"{name(path)}:{node.lineno} {node.name}")
    assert missing == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_rooms_stay_small(path: Path) -> None:
    """A module is one noun under about 300 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LARGE.get(name(path), MOST_LINES)


def test_no_room_without_a_noun() -> None:
    """There is no utils, helpers, common or manager, and nothing shadows the floors or the library."""
    bad = {"utils", "helpers", "common", "manager", "misc", "pages"}
    assert [name(p) for p in MODULES if bad & set(p.relative_to(ROOT).with_suffix("").parts)] == []
    shadowing = {"data", "geo", "planner", "tests", "types", "calendar", "logging", "json"}
    assert [p.name for p in (ROOT / "dashboard").glob("*.py") if p.stem in shadowing] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_pinned_files_have_hashes_and_no_address(lock: str) -> None:
    """Every requirement is exact and hashed; no registry is named."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text
    pinned = re.findall(r"^([a-z0-9._-]+)==\S+.*\\$", text, flags=re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, flags=re.MULTILINE))
    assert len(pinned) > 60


def test_every_dependency_is_pinned() -> None:
    """What pyproject asks for is in the lock."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    asked = {re.match(r"[a-z0-9-]+", item).group() for item in project["dependencies"]}  # type: ignore[union-attr]
    assert {item for item in asked if not re.search(rf"^{item}==", lock, flags=re.MULTILINE)} == set()


def test_packages_hold_a_docstring_only() -> None:
    """`__init__` modules run nothing; two packages are fronts of their rooms and only re-export."""
    fronts = {"schema", "demo"}
    for path in MODULES:
        if path.name != "__init__.py":
            continue
        body = ast.parse(path.read_text(encoding="utf-8")).body[1:]
        allowed = (ast.ImportFrom, ast.Assign) if path.parent.name in fronts else ()
        assert all(isinstance(node, allowed) for node in body), name(path)


def test_help_is_quick_to_import() -> None:
    """The command door imports no heavy library before a command runs."""
    code = (
        "import sys, dashboard.cli; heavy = {'streamlit', 'geopandas', 'ortools', 'numba', 'sqlalchemy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    python = Path(__import__("sys").executable)
    done = subprocess.run([python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_command_is_in_the_reference() -> None:
    """A command that the reference does not name does not exist for its readers."""
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    shown = " ".join(re.findall(r"`([^`]+)`", reference)).replace("\\|", "|")
    missing = [name for name in _commands(typer.main.get_command(app), ()) if not _is_shown(name, shown)]
    assert missing == []


def _commands(command: Any, before: tuple[str, ...]) -> list[tuple[str, ...]]:
    below = getattr(command, "commands", None)
    if not below:
        return [before]
    return [name for key, one in below.items() for name in _commands(one, (*before, key))]


def _is_shown(name: tuple[str, ...], shown: str) -> bool:
    """Tell whether `import schools` stands there, be it as import schools|gazetteer."""
    *above, last = name
    return re.search(rf"(?:^|[ |]){' '.join(above)} ?(?:[a-z]+\|)*{last}\b", shown) is not None


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_one_room_alone_makes_maps() -> None:
    """Rendered maps are compiled as templates again: only `maps` and its encoder write into them."""
    rooms = {name(p) for p in MODULES if {i.partition(".")[0] for i in _imported(p)} & {"folium", "branca"}}
    assert rooms == {"dashboard/maps.py"}
    tree = ast.parse((ROOT / "dashboard/maps.py").read_text(encoding="utf-8"))
    templates = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Template"]
    assert [isinstance(node.args[0], ast.Constant) for node in templates] == [True]


def test_no_template_is_made_of_a_text() -> None:
    """Templates are files of ours; a template made from a value would run what the value says."""
    making = {"from_string", "Template", "eval", "exec", "compile"}
    found = {
        f"{name(path)} {ast.unparse(node.func)}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in making
    }
    assert {item for item in found if "re.compile" not in item} == {"dashboard/maps.py Template"}


def _calls(path: Path, method: str) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(n, ast.Attribute) and ast.unparse(n) == method for n in ast.walk(tree))


def test_every_part_of_a_page_asks_whether_its_visitor_still_may() -> None:
    """A fragment keeps the identity it was drawn for; `panels.fragment` asks again in every run."""
    assert {name(p) for p in MODULES if _calls(p, "st.fragment")} == {"dashboard/panels.py"}


def test_every_write_of_a_page_asks_who_acts() -> None:
    """Pages and routes write through `presence.acting`; only log-in, the server's rounds and jobs do not."""
    doors = [p for p in MODULES if name(p).startswith("dashboard/") and "/commands/" not in name(p)]
    writing = {
        name(path)
        for path in doors
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("store.begin")
    }
    assert writing <= {
        "dashboard/access/login.py",
        "dashboard/access/password.py",
        "dashboard/access/presence.py",
        "dashboard/district.py",
        "dashboard/steps.py",
        "dashboard/supervisor.py",
        "dashboard/worker.py",
    }
