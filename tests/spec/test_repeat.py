"""`repeat`: its rounds stand in the program one after the other."""

from __future__ import annotations

import textwrap

import pytest

from gradspec.errors import SpecError
from gradspec.plugins import load_backend
from gradspec.reports.trace import trace_lines
from gradspec.runner.run import run_one
from gradspec.spec.load import load_text
from gradspec.spec.model import Repeat, Spec

HEAD = """\
gradspec: "1.1"
id: a.b
tensors: {x: {data: 2.0, requires_grad: true}}
steps:
"""


def one(steps: str) -> Spec:
    """The spec with these steps."""
    (spec,) = load_text(HEAD + textwrap.indent(textwrap.dedent(steps).strip("\n"), "  "), "a.gradspec.yaml")
    return spec


def faults(steps: str) -> list[tuple[str, int]]:
    """(code, line) of each fault."""
    with pytest.raises(SpecError) as caught:
        one(steps)
    return [(fault.code, fault.place.line) for fault in caught.value.faults]


def test_the_rounds_are_what_is_written_out() -> None:
    round_ = ["op: y = y * x", "retain_grad: y", "expect: {y: {is_leaf: false}}"]
    lines = "\n".join(f"    - {step}" for step in round_)
    short = one(f"- op: y = x + 1\n- repeat:\n    times: 3\n    do:\n{lines}\n- backward: y")
    written = one("\n".join(["- op: y = x + 1", *([f"- {step}" for step in round_] * 3), "- backward: y"]))
    assert len(short.program.steps) == len(written.program.steps) == 11
    for mine, other in zip(short.program.steps, written.program.steps, strict=True):
        assert mine._replace(at=0) == other._replace(at=0)
    assert short.program.names == written.program.names
    assert short.program.calls == written.program.calls
    assert [step.at for step in short.program.steps] == [0, *range(2, 12)]
    assert short.program.count == written.program.count + 1
    assert short.repeats == (Repeat(1, 3, 3),)
    assert [expectation.at for expectation in short.expectations] == [4, 7, 10]
    assert short.texts[1] == "repeat: 3 times"
    assert short.texts[5] == "y = y * x (round 2 of 3)"
    assert short.places[5].line == short.places[2].line == 9


def test_rounds_in_rounds() -> None:
    spec = one("- repeat: {times: 2, do: [{op: y = x}, {repeat: {times: 3, do: [{op: y = y * x}]}}]}")
    assert [step.at for step in spec.program.steps] == [3, 4, 5, 8, 9, 10]
    assert spec.repeats == (Repeat(0, 2, 5), Repeat(2, 3, 1), Repeat(7, 3, 1))
    assert spec.texts[9] == "y = y * x (round 2 of 2, 2 of 3)"
    assert [[repeat.round_of(9) for repeat in spec.repeats], spec.repeats[0].round_of(11)] == [[2, 0, 2], 0]


def test_names_pass_from_round_to_round_and_out() -> None:
    spec = one(
        """
        - op: a = x
        - op: b = x * 10
        - repeat: {times: 3, do: [{op: c = b}, {op: b = a}, {op: a = a * 2}]}
        - expect: {a: {value: 16.0}, b: {value: 8.0}, c: {value: 4.0}}
        """
    )
    assert run_one(spec, load_backend("python")).outcome == "passed"


def test_what_is_expected_holds_in_every_round() -> None:
    spec = one(
        """
        - op: y = x * x
        - backward: y
        - repeat:
            times: 3
            do:
              - backward: y
                raises: graph-freed
              - op: g = y.grad
                warns: non-leaf-grad
              - op: y = y * 1
              - expect: {y: {value: 4.0}, x: {grad: 4.0}}
        """
    )
    verdict = run_one(spec, load_backend("python"))
    assert (verdict.outcome, verdict.counts.total) == ("passed", 12)


def test_a_failure_names_its_round() -> None:
    spec = one("- repeat: {times: 4, do: [{op: x = x * 2}, {expect: {x: {value: 4.0}}}]}")
    verdict = run_one(spec, load_backend("python"))
    failed = [check for check in verdict.checks if check.status == "failed"]
    assert [check.context for check in failed] == [f"(line 5, round {k} of 4)" for k in (2, 3, 4)]


def test_a_hook_of_each_round() -> None:
    spec = one(
        """
        - repeat:
            times: 2
            do:
              - op: y = x * 3
              - hook: {of: y, name: h}
              - backward: y
              - expect_hooks: [{h: 1.0}]
              - remove_hook: h
        - expect: {x: {grad: 6.0}}
        """
    )
    assert run_one(spec, load_backend("python")).outcome == "passed"
    twice = "- repeat: {times: 2, do: [{hook: {of: x, name: h}}, {hook: {of: x, name: h}}]}"
    assert faults(twice) == [("bad-name", 5)]


def test_a_fault_is_told_once() -> None:
    assert faults("- repeat: {times: 20000, do: [{op: y = z}]}") == [("unknown-name", 5)]
    assert faults("- repeat: {times: 20000, do: [{op: y = sqrtt(x)}, {op: z = y}]}") == [("unknown-op", 5)]


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ("- repeat: {times: 200001, do: []}", 5),
        ("- repeat: {times: 1000000000000, do: [{op: y = x}]}", 5),
        ("- repeat: {times: 100001, do: [{op: y = x}, {op: z = x}]}", 5),
        ("- repeat: {times: 40000, do: [{op: y = x * x + x * x + x * x}]}", 5),
        ("- repeat:\n    times: 500\n    do: [{repeat: {times: 500, do: [{op: y = x * x}]}}]", 6),
    ],
)
def test_there_is_a_most(steps: str, line: int) -> None:
    assert faults(steps) == [("too-many-steps", line)]


def test_many_rounds_are_no_deep_matter() -> None:
    spec = one(
        "- op: y = x\n- repeat: {times: 20000, do: [{op: y = y + 1}]}\n"
        "- backward: y\n- expect: {x: {grad: 1.0}}"
    )
    assert len(spec.program.calls) == 1
    assert run_one(spec, load_backend("numpy")).outcome == "passed"


def test_a_trace_leaves_rounds_out() -> None:
    spec = one(
        """
        - repeat:
            times: 6
            do:
              - op: x = x * 2
              - expect: {x: {is_leaf: false}}
        - repeat: {times: 4, do: [{op: y = x}]}
        """
    )
    assert list(trace_lines(spec, load_backend("python")))[2:] == [
        "    5  repeat: 6 times",
        "    8    x = x * 2 (round 1 of 6)",
        "(tensor(4., grad_fn=<MulBackward0>), None, False)",
        "    8    x = x * 2 (round 2 of 6)",
        "(tensor(8., grad_fn=<MulBackward0>), None, False)",
        "         … rounds 3 to 5",
        "    8    x = x * 2 (round 6 of 6)",
        "(tensor(128., grad_fn=<MulBackward0>), None, False)",
    ]


def test_a_trace_shows_what_goes_wrong_in_a_round_left_out() -> None:
    spec = one(
        """
        - op: y = x * x
        - repeat:
            times: 6
            do:
              - backward: y
              - backward: y
                raises: graph-freed
        """
    )
    lines = [line.strip() for line in trace_lines(spec, load_backend("python"))]
    assert [line.split(":")[0] for line in lines[4:]] == [
        "9    backward", "10    backward", "! error[graph-freed]",
        "9    backward", "! error[graph-freed]", "10    backward", "! error[graph-freed]",
        "… rounds 3 to 5", *["9    backward", "! error[graph-freed]"] * 3,
        "9    backward", "! error[graph-freed]", "10    backward", "! error[graph-freed]",
    ]  # fmt: skip
