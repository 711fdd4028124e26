"""The documented examples of graph building: a workflow each, and the nodes and edges it must become.

Notation of edges: `source>target name/param_type/index`; `w` is a waiting edge. Names that depend on an object's text
are written `*`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from covalent_lab.workflow.electron import electron, wait
from covalent_lab.workflow.lattice import Lattice, lattice

PP = ":postprocess:reconstruct"


@electron
def t(x, b=2):
    return x


@electron
def add(a, b):
    return a + b


@electron
def pair():
    return 1, 2


@electron
def cut(s, k):
    return s[:k], s[k:]


@electron
def v(a, /, b, *args, c, **kw):
    return a, b, args, c, kw


@electron
@lattice
def sub(x):
    return t(x)


def vector_1(x):
    return t(x)


def vector_2(a, b):
    return add(a, b) + 3


def vector_3():
    a, b = pair()
    return add(a, b)


def vector_4():
    return t([1, t(2)])


def vector_5():
    return t({"k": t(1), 3: 4})


def vector_6():
    return 7


def vector_7():
    r = t(1)
    return {"r": r, "n": 1}


def vector_8():
    p = t(1)
    return p.real * p.real


def vector_9():
    p = t([1, 2])
    return p[t(0)]


def vector_10():
    a = t(1)
    b = t(2)
    c = wait(t(3), [a, b])
    return t(c)


def vector_11():
    t(1)
    t(2)


def vector_12():
    return v(1, 2, 3, 4, c=5, d=6)


def vector_13(x):
    return sub(x)


def vector_14():
    r = t(1)
    return [r, r, t(2)]


def vector_15():
    return 2 - t(1)


def vector_16(s, m, k):
    u, w = cut(s, k)
    return u + m + w


def vector_17():
    a, _ = t([(1, 2), 3])
    c, _ = a
    return c


@dataclass(frozen=True)
class Vector:
    """One example."""

    number: int
    body: Callable[..., Any]
    nodes: list[str]
    edges: list[str]
    args: tuple[Any, ...] = ()

    def build(self) -> Lattice:
        """The lattice, built."""
        made = lattice(self.body)
        made.build_graph(*self.args)
        return made


VECTORS = [
    Vector(1, vector_1, ["t", ":parameter:5", PP], ["0>2 retval/arg/0", "0>2 node:0/kwarg", "1>0 x/arg/0"], (5,)),
    Vector(
        2,
        vector_2,
        ["add", ":parameter:1", ":parameter:2", "add_+_3", ":parameter:3", PP],
        [
            "1>0 a/arg/0",
            "2>0 b/arg/1",
            "0>3 arg_1/kwarg",
            "4>3 arg_2/kwarg",
            "3>5 retval/arg/0",
            "3>5 node:3/kwarg",
            "0>5 w",
        ],
        (1, 2),
    ),
    Vector(
        3,
        vector_3,
        ["pair", ":pair()[0]", ":parameter:0", ":pair()[1]", ":parameter:1", "add", PP],
        [
            "0>1 e/arg/0",
            "2>1 key/arg/1",
            "0>3 e/arg/0",
            "4>3 key/arg/1",
            "1>5 a/arg/0",
            "3>5 b/arg/1",
            "5>6 retval/arg/0",
            "5>6 node:5/kwarg",
            "0>6 w",
            "1>6 w",
            "3>6 w",
        ],
    ),
    Vector(
        4,
        vector_4,
        ["t", ":parameter:2", "t", ":electron_list:", ":parameter:1", PP],
        [
            "1>0 x/arg/0",
            "3>2 x/arg/0",
            "4>3 arg[0]/arg/0",
            "0>3 arg[1]/arg/1",
            "2>5 retval/arg/0",
            "2>5 node:2/kwarg",
            "0>5 w",
            "3>5 w",
        ],
    ),
    Vector(
        5,
        vector_5,
        [
            "t",
            ":parameter:1",
            "t",
            ":electron_dict:",
            ":electron_list:",
            ":parameter:k",
            ":parameter:3",
            ":electron_list:",
            ":parameter:4",
            PP,
        ],
        [
            "1>0 x/arg/0",
            "4>3 keys/arg/0",
            "7>3 values/arg/1",
            "5>4 arg[0]/arg/0",
            "6>4 arg[1]/arg/1",
            "0>7 arg[0]/arg/0",
            "8>7 arg[1]/arg/1",
            "3>2 x/arg/0",
            "2>9 retval/arg/0",
            "2>9 node:2/kwarg",
            "0>9 w",
            "3>9 w",
            "4>9 w",
            "7>9 w",
        ],
    ),
    Vector(6, vector_6, [PP, ":parameter:7"], ["1>0 retval/arg/0"]),
    Vector(
        7,
        vector_7,
        [
            "t",
            ":parameter:1",
            PP,
            ":electron_dict:",
            ":electron_list:",
            ":parameter:r",
            ":parameter:n",
            ":electron_list:",
            ":parameter:1",
        ],
        [
            "1>0 x/arg/0",
            "3>2 retval/arg/0",
            "0>2 node:0/kwarg",
            "4>3 keys/arg/0",
            "7>3 values/arg/1",
            "5>4 arg[0]/arg/0",
            "6>4 arg[1]/arg/1",
            "0>7 arg[0]/arg/0",
            "8>7 arg[1]/arg/1",
        ],
    ),
    Vector(
        8,
        vector_8,
        [
            "t",
            ":parameter:1",
            ":t.__getattr__",
            ":parameter:real",
            ":t.__getattr__",
            ":parameter:real",
            ":t.__getattr___*_:t.__getattr__",
            PP,
        ],
        [
            "1>0 x/arg/0",
            "0>2 e/arg/0",
            "3>2 attr/arg/1",
            "0>4 e/arg/0",
            "5>4 attr/arg/1",
            "2>6 arg_1/kwarg",
            "4>6 arg_2/kwarg",
            "6>7 retval/arg/0",
            "6>7 node:6/kwarg",
            "0>7 w",
            "2>7 w",
            "4>7 w",
        ],
    ),
    Vector(
        9,
        vector_9,
        [
            "t",
            ":electron_list:",
            ":parameter:1",
            ":parameter:2",
            "t",
            ":parameter:0",
            ":t.__getitem__",
            PP,
        ],
        [
            "2>1 arg[0]/arg/0",
            "3>1 arg[1]/arg/1",
            "1>0 x/arg/0",
            "5>4 x/arg/0",
            "0>6 e/arg/0",
            "4>6 key/arg/1",
            "6>7 retval/arg/0",
            "6>7 node:6/kwarg",
            "0>7 w",
            "1>7 w",
            "4>7 w",
        ],
    ),
    Vector(
        10,
        vector_10,
        ["t", ":parameter:1", "t", ":parameter:2", "t", ":parameter:3", "t", PP],
        [
            "1>0 x/arg/0",
            "3>2 x/arg/0",
            "5>4 x/arg/0",
            "0>4 w",
            "2>4 w",
            "4>6 x/arg/0",
            "6>7 retval/arg/0",
            "6>7 node:6/kwarg",
            "0>7 w",
            "2>7 w",
            "4>7 w",
        ],
    ),
    Vector(
        11,
        vector_11,
        ["t", ":parameter:1", "t", ":parameter:2", PP, ":parameter:None"],
        ["1>0 x/arg/0", "3>2 x/arg/0", "5>4 retval/arg/0", "0>4 w", "2>4 w"],
    ),
    Vector(
        12,
        vector_12,
        ["v", *(f":parameter:{i}" for i in range(1, 7)), PP],
        [
            "1>0 a/arg/0",
            "2>0 b/arg/1",
            "3>0 arg[2]/arg/2",
            "4>0 arg[3]/arg/3",
            "5>0 c/kwarg",
            "6>0 d/kwarg",
            "0>7 retval/arg/0",
            "0>7 node:0/kwarg",
        ],
    ),
    Vector(
        13,
        vector_13,
        [":sublattice:sub", "*", "*", ":parameter:4", PP],
        [
            "1>0 sub/arg/0",
            "2>0 json_parent_metadata/arg/1",
            "3>0 arg[2]/arg/2",
            "0>4 retval/arg/0",
            "0>4 node:0/kwarg",
        ],
        (4,),
    ),
    Vector(
        14,
        vector_14,
        ["t", ":parameter:1", "t", ":parameter:2", PP, ":electron_list:"],
        [
            "1>0 x/arg/0",
            "3>2 x/arg/0",
            "0>5 arg[0]/arg/0",
            "0>5 arg[1]/arg/1",
            "2>5 arg[2]/arg/2",
            "5>4 retval/arg/0",
            "0>4 node:0/kwarg",
            "2>4 node:2/kwarg",
        ],
    ),
    Vector(
        15,
        vector_15,
        ["t", ":parameter:1", "2_-_t", ":parameter:2", PP],
        [
            "1>0 x/arg/0",
            "3>2 arg_1/kwarg",
            "0>2 arg_2/kwarg",
            "2>4 retval/arg/0",
            "2>4 node:2/kwarg",
            "0>4 w",
        ],
    ),
    Vector(
        16,
        vector_16,
        [
            "cut",
            ":parameter:leftright",
            ":parameter:4",
            ":cut()[0]",
            ":parameter:0",
            ":cut()[1]",
            ":parameter:1",
            ":cut()[0]_+_mid",
            ":parameter:mid",
            ":cut()[0]_+_mid_+_:cut()[1]",
            PP,
        ],
        [
            "1>0 s/arg/0",
            "2>0 k/arg/1",
            "0>3 e/arg/0",
            "4>3 key/arg/1",
            "0>5 e/arg/0",
            "6>5 key/arg/1",
            "3>7 arg_1/kwarg",
            "8>7 arg_2/kwarg",
            "7>9 arg_1/kwarg",
            "5>9 arg_2/kwarg",
            "9>10 retval/arg/0",
            "9>10 node:9/kwarg",
            "0>10 w",
            "3>10 w",
            "5>10 w",
            "7>10 w",
        ],
        ("leftright", "mid", 4),
    ),
    Vector(
        17,
        vector_17,
        [
            "t",
            ":electron_list:",
            ":electron_list:",
            ":parameter:1",
            ":parameter:2",
            ":parameter:3",
            ":t()[0]",
            ":parameter:0",
            ":t()[1]",
            ":parameter:1",
            "::t()[0]()[0]",
            ":parameter:0",
            "::t()[0]()[1]",
            ":parameter:1",
            PP,
        ],
        [
            "1>0 x/arg/0",
            "2>1 arg[0]/arg/0",
            "3>2 arg[0]/arg/0",
            "4>2 arg[1]/arg/1",
            "5>1 arg[1]/arg/1",
            "0>6 e/arg/0",
            "7>6 key/arg/1",
            "0>8 e/arg/0",
            "9>8 key/arg/1",
            "6>10 e/arg/0",
            "11>10 key/arg/1",
            "6>12 e/arg/0",
            "13>12 key/arg/1",
            "10>14 retval/arg/0",
            "10>14 node:10/kwarg",
            "0>14 w",
            "1>14 w",
            "2>14 w",
            "6>14 w",
            "8>14 w",
            "12>14 w",
        ],
    ),
]
