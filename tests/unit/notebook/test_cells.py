"""Which names cross the border of a cell."""

import pytest

from covalent_lab.errors import UsageError
from covalent_lab.notebook.cells import CellNames, analyse


def names(source: str) -> tuple[set[str], set[str], list[str]]:
    found = analyse(source)
    return set(found.required), set(found.optional), list(found.assigned)


@pytest.mark.parametrize(
    ("source", "required", "optional", "assigned"),
    [
        ("y = x + 1", {"x"}, set(), ["y"]),
        ("x = 1\ny = x", set(), set(), ["x", "y"]),
        ("print(len(x))", {"x"}, set(), []),
        ("x += 1", {"x"}, set(), ["x"]),
        ("a[i] = b.c", {"a", "i", "b"}, set(), []),
        ("a, (b, *c) = d", {"d"}, set(), ["a", "b", "c"]),
        ("x: int = y", {"y"}, set(), ["x"]),
        ("x: kind", {"kind"}, set(), []),
        ("import os.path, numpy as np\nfrom a import b as c\nos, np, c", set(), set(), ["os", "np", "c"]),
        ("del x", {"x"}, set(), []),
        ("del x\nx", {"x"}, set(), []),
        ("del a.b, c[d]", {"a", "c", "d"}, set(), []),
        ("if (n := f()) > 1:\n    n", {"f"}, set(), ["n"]),
        ("for i in xs:\n    t = i\ni, t", {"xs"}, {"i", "t"}, ["i", "t"]),
        ("while go:\n    t = 1\nelse:\n    u = t", {"go"}, {"t"}, ["t", "u"]),
        ("if c:\n    x = 1\nx", {"c"}, {"x"}, ["x"]),
        ("if c:\n    x = 1\nelse:\n    x = 2\nx", {"c"}, set(), ["x"]),
        ("with open(p) as f:\n    t = f.read()\nt", {"p"}, set(), ["f", "t"]),
        ("try:\n    import json5 as j\nexcept ImportError:\n    import json as j\nj", set(), set(), ["j"]),
        ("try:\n    x = 1\nexcept OSError as e:\n    e\nx", set(), {"x"}, ["x"]),
        ("try:\n    x = 1\nexcept OSError:\n    raise\nx", set(), set(), ["x"]),
        ("try:\n    text = unicode\nexcept NameError:\n    text = str", set(), {"unicode"}, ["text"]),
        ("try:\n    a\nfinally:\n    b", {"a", "b"}, set(), []),
        ("[x for x in xs if x > m]", {"xs", "m"}, set(), []),
        ("[x for x in xs]\nx", {"xs", "x"}, set(), []),
        ("{k: v for k, v in pairs.items()}", {"pairs"}, set(), []),
        ("[y for row in rows for y in row]", {"rows"}, set(), []),
        ("any((hit := x) for x in xs)\nhit", {"xs"}, {"hit"}, ["hit"]),
        ("f'{a} {b!r:>{w}}'", {"a", "b", "w"}, set(), []),
        ("def f(x, y=d):\n    return x + z\n", {"d"}, {"z"}, ["f"]),
        ("def f(n):\n    return f(n - 1)\n", set(), set(), ["f"]),
        ("@deco\ndef f(x: A) -> B:\n    local = x\n    return local", {"deco", "A", "B"}, set(), ["f"]),
        ("def f():\n    global n\n    n += 1\nf()\nn", set(), {"n"}, ["n", "f"]),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = y\n    return g", set(), {"y"}, ["f"]),
        ("f = lambda a, *b, c=d, **e: a + b + c + e + g", {"d"}, {"g"}, ["f"]),
        ("class A(Base, metaclass=M):\n    x = y\n    def f(self):\n        return x + z", {"Base", "M", "y"},
         {"x", "z"}, ["A"]),
        ("class A:\n    x = 1\n    y = x", set(), set(), ["A"]),
        ("def f():\n    class B:\n        a = 1\n        def g(self):\n            return a\n    return B",
         set(), {"a"}, ["f"]),
        ("def f(xs):\n    return [q for x in xs if (q := x) and w]", set(), {"w"}, ["f"]),
        ("def f():\n    import os\n    try:\n        pass\n    except OSError as e:\n        return e, os",
         set(), set(), ["f"]),
        ("def f(v):\n    match v:\n        case {'a': a, **rest}: return a, rest\n        case [b, *c]: return b, c\n"
         "        case Point() as p: return p", set(), {"Point"}, ["f"]),
        ("match v:\n    case [a, *b]:\n        r = a\n    case K.x:\n        r = b\n    case _:\n        r = 0\nr",
         {"v", "K"}, {"b"}, ["a", "b", "r"]),
        ("match v:\n    case 1 if g:\n        r = 1\nr", {"v", "g"}, {"r"}, ["r"]),
        ("ok and (t := u)\nt", {"ok", "u"}, {"t"}, ["t"]),
        ("t if c else e", {"t", "c", "e"}, set(), []),
        ("async def f():\n    await g()\n    async with h() as i:\n        return i", set(), {"g", "h"}, ["f"]),
        ("assert a, b\nraise c from d", {"a", "b", "c", "d"}, set(), []),
        ("global x\nx = 1", set(), set(), ["x"]),
        ("", set(), set(), []),
        ("# only a comment", set(), set(), []),
    ],
)  # fmt: skip
def test_a_cell_takes_what_it_reads_first_and_gives_what_it_assigns(
    source: str, required: set[str], optional: set[str], assigned: list[str]
) -> None:
    """Order, branches, and Python's scope rules decide."""
    assert names(source) == (required, optional, assigned)


def test_after_a_star_import_no_name_is_required() -> None:
    """Any name may have come with it."""
    assert analyse("a\nfrom numpy import *\nb") == CellNames(
        required=("a",), optional=("b",), shadowable=(), assigned=(), has_star_import=True
    )


def test_builtins_are_taken_only_where_the_notebook_redefines_them() -> None:
    """`print` is no input, but a notebook may have its own."""
    assert analyse("print(max(x))").shadowable == ("max", "print")


@pytest.mark.parametrize(
    "source", ["await f()", "x = 1\nasync with a: pass", "async for i in a: pass", "[i async for i in a]"]
)
def test_waiting_at_top_level_is_refused_with_a_way_out(source: str) -> None:
    """A task has no event loop of its own at top level."""
    with pytest.raises(UsageError, match=r"^Line \d+: .*asyncio\.run"):
        analyse(source)


def test_syntax_errors_count_lines_as_the_notebook_does() -> None:
    """The magic's line is line 1."""
    with pytest.raises(SyntaxError) as caught:
        analyse("x = 1\nx = (")
    assert (caught.value.lineno, caught.value.filename) == (3, "<covalent cell>")
