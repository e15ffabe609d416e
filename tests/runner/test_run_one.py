"""One spec on one backend: how every kind of expectation is judged."""

from __future__ import annotations

import gc

import pytest

from gradspec.backends.base import Observations, Outcome, Warned
from gradspec.backends.python import PythonBackend
from gradspec.dense import Dense
from gradspec.errors import UnsupportedFeature
from gradspec.runner.run import run_one
from gradspec.runner.verdict import Verdict
from tests.runner.fakes import Lacking, Lying, Scripted, spec

SQUARE = """
tensors: {x: {data: [1.0, 2.0], requires_grad: true}}
steps:
  - op: y = x * x
  - op: z = sum(y)
  - backward: z
  - expect: {x: {grad: [2.0, 4.0], is_leaf: true}, y: {value: [1.0, 4.0], grad_fn: MulBackward0}}
"""


def failures(verdict: Verdict) -> list[str]:
    return [f"{c.field} {c.name}: {c.summary}" for c in verdict.checks if c.status in ("failed", "not-run")]


def test_everything_as_expected():
    verdict = run_one(spec(SQUARE), PythonBackend())
    assert verdict.outcome == "passed"
    assert verdict.counts == (4, 0, 0, 0, 0)
    assert verdict.summary == "passed"
    assert verdict.duration_s > 0


def test_a_wrong_gradient_is_told_with_its_story():
    verdict = run_one(spec(SQUARE), Lying(lambda grad: [2 * g for g in grad]))
    assert verdict.outcome == "failed"
    (wrong,) = [check for check in verdict.checks if check.status == "failed"]
    assert (wrong.field, wrong.name, wrong.place.line) == ("grad", "x", 8)
    assert (wrong.context, wrong.pattern) == ("after backward 1 (line 7)", "a factor of 2")
    assert wrong.difference is not None
    assert (wrong.difference.expected, wrong.difference.got) == ("4.0", "8.0")


def test_a_wrong_value_names_the_op_that_made_it():
    verdict = run_one(spec(SQUARE.replace("[1.0, 4.0]", "[1.0, 5.0]")), PythonBackend())
    (wrong,) = [check for check in verdict.checks if check.status == "failed"]
    assert (wrong.name, wrong.origin) == ("y", "made by mul, line 5")


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        ("is_leaf: false", "expected false, got true"),
        ("requires_grad: false", "expected false, got true"),
        ("grad: 1.0", "expected 1.0, got absent"),
        ("shape: [1]", "expected [1], got []"),
        ("dtype: float64", "expected float64, got float32"),
        ("grad_fn: MulBackward0", "expected MulBackward0, got null"),
        ('repr: "tensor(3.)"', "expected tensor(3.), got tensor(3., requires_grad=True)"),
        ("value: [3.0]", "expected shape [1], got []"),
        ("value: true", "expected bool result, got float32"),
    ],
)
def test_fields(expectation, told):
    text = f"tensors: {{x: {{data: 3.0, requires_grad: true}}}}\nsteps:\n  - expect: {{x: {{{expectation}}}}}"
    assert failures(run_one(spec(text), PythonBackend()))[0].partition(": ")[2] == told


def test_four_answers_about_a_gradient():
    text = """
tensors: {x: {data: 3.0, requires_grad: true}, w: {data: 1.0, requires_grad: true}}
steps:
  - op: y = x * 0
  - backward: y
  - expect: {x: {grad: 0.0}, w: {grad: null}}
"""
    assert run_one(spec(text), PythonBackend()).outcome == "passed"
    swapped = text.replace("x: {grad: 0.0}, w: {grad: null}", "x: {grad: null}, w: {grad: 0.0}")
    assert failures(run_one(spec(swapped), PythonBackend()))[:2] == [
        "grad x: expected absent, got 0.0",
        "grad w: expected 0.0, got absent",
    ]


def test_a_name_that_holds_none():
    text = (
        "tensors: {x: {data: 3.0, requires_grad: true}}\nsteps:\n  - op: g = x.grad\n  - expect: {g: null}\n"
    )
    assert run_one(spec(text), PythonBackend()).outcome == "passed"
    text = text.replace("{g: null}", "{g: {value: 1.0}}")
    assert failures(run_one(spec(text), PythonBackend())) == ["value g: expected 1.0, got None"]


def test_identity():
    text = """
tensors: {x: 3.0}
steps:
  - op: y = x
  - op: z = x * 1
  - expect: {y: {same_as: x}, z: {same_as: {not: x}}}
  - expect: {z: {same_as: x}, y: {same_as: {not: x}}}
"""
    verdict = run_one(spec(text), PythonBackend())
    assert verdict.counts == (2, 0, 2, 0, 0)
    assert failures(verdict)[0] == 'same_as z: expected the same tensor as "x"'


# Errors and warnings of steps.

RAISING = """
tensors: {{x: {{data: [1.0, 2.0], requires_grad: true}}}}
steps:
  - op: y = x * 2
  - backward: y
    {judged}
  - expect: {{x: {{grad: null}}}}
"""


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        ("raises: not-scalar", []),
        ("raises: untracked", ["expected the error untracked, got not-scalar"]),
        ("raises: null", ["expected no error, got not-scalar"]),
        ("note: nothing judged", ["unexpected error not-scalar"]),
    ],
)
def test_errors(judged, told):
    verdict = run_one(spec(RAISING.format(judged=judged)), PythonBackend())
    assert [line.partition(": ")[2].partition(": ")[0] for line in failures(verdict)] == told


def test_an_expected_error_that_does_not_come():
    text = (
        "tensors: {x: {data: 1.0, requires_grad: true}}\nsteps:\n  - backward: x\n    raises: graph-freed\n"
    )
    assert failures(run_one(spec(text), PythonBackend())) == [
        "raises : expected the error graph-freed, but the step succeeded"
    ]


def test_what_depended_on_a_failed_step_is_not_run():
    text = """
tensors: {x: {data: [1.0, 2.0], requires_grad: true}, m: [[1.0]]}
steps:
  - op: y = m @ x
  - op: z = y * 2
  - expect: {z: {value: 1.0}, x: {value: [1.0, 2.0]}}
"""
    verdict = run_one(spec(text), PythonBackend())
    assert verdict.counts == (1, 0, 0, 0, 1)
    assert verdict.checks[0].field == "step"
    assert verdict.checks[0].context == "at `y = m @ x` (line 5)"
    assert failures(verdict)[1] == 'value z: "z" has no value: z = y * 2 (line 6) was not run'


def test_an_unclassified_error_fails_with_its_text():
    text = "tensors: {x: 1.0}\nsteps:\n  - op: y = x * 2\n    raises: shape-mismatch\n"
    seen = Observations({0: Outcome("error", "unclassified", "weird thing")}, {}, {})
    assert failures(run_one(spec(text), Scripted(seen))) == [
        "raises : expected the error shape-mismatch, got (unclassified): weird thing"
    ]


@pytest.mark.parametrize(
    ("warns", "came", "wrong"),
    [
        ("non-leaf-grad", ["non-leaf-grad"], False),
        ("non-leaf-grad", ["non-leaf-grad", "non-leaf-grad"], False),
        ("non-leaf-grad", [], True),
        ("non-leaf-grad", ["non-leaf-grad", "complex-half"], True),
        ("[]", [], False),
        ("[]", ["unclassified"], True),
        ("[complex-half, non-leaf-grad]", ["non-leaf-grad", "complex-half"], False),
    ],
)
def test_warnings(warns, came, wrong):
    text = f"tensors: {{x: 1.0}}\nsteps:\n  - op: y = x * 2\n    warns: {warns}\n"
    outcome = Outcome("ok", warnings=tuple(Warned(code, "text") for code in came))
    verdict = run_one(spec(text), Scripted(Observations({0: outcome}, {}, {})))
    assert verdict.outcome == ("failed" if wrong else "passed")
    assert not verdict.warnings


def test_warnings_that_nobody_judges_are_shown():
    text = "tensors: {x: {data: 1.0, requires_grad: true}}\nsteps:\n  - op: y = x * 2\n  - op: g = y.grad\n"
    verdict = run_one(spec(text), PythonBackend())
    assert [(shown.line, shown.code) for shown in verdict.warnings] == [(6, "non-leaf-grad")]
    assert verdict.outcome == "unchecked"


# one_of

KINKS = """
tensors: {{x: {{data: 0.0, requires_grad: true}}, w: {{data: 0.0, requires_grad: true}}}}
steps:
  - op: y = relu(x)
  - backward: y
  - op: v = abs(w)
  - backward: v
  - expect: {{x: {{grad: {{one_of: {{{x}}}}}}}, w: {{grad: {{one_of: {{{w}}}}}}}}}
"""


def test_alternatives_are_named():
    verdict = run_one(spec(KINKS.format(x="zero: 0.0, one: 1.0", w="zero: 0.0, one: 1.0")), PythonBackend())
    assert (verdict.outcome, verdict.follows) == ("passed", ("zero",))


def test_one_common_name_must_answer_all():
    verdict = run_one(spec(KINKS.format(x="zero: 0.0, one: 1.0", w="zero: 1.0, one: 0.0")), PythonBackend())
    assert verdict.outcome == "failed"
    assert failures(verdict) == ['grad w: follows "one" here but "zero" at line 9']
    # the common name may be one of several that fit
    verdict = run_one(spec(KINKS.format(x="a: 0.0, b: 0.0", w="a: 1.0, b: 0.0")), PythonBackend())
    assert (verdict.outcome, verdict.follows) == ("passed", ("b",))


def test_none_of_the_alternatives():
    verdict = run_one(spec(KINKS.format(x="half: 0.5, one: 1.0", w="half: 0.0, one: 1.0")), PythonBackend())
    assert failures(verdict) == ["grad x: expected one of half 0.5, one 1.0; got 0.0"]


# Gradients have their tensor's dtype and shape.


@pytest.mark.parametrize(
    ("grad", "told"),
    [
        (Dense("float64", (), [1.0]), "the gradient is float64, its tensor float32"),
        (Dense("float32", (1,), [1.0]), "the gradient has shape [1], its tensor []"),
    ],
)
def test_a_gradient_is_like_its_tensor(grad, told):
    text = "tensors: {x: {data: 1.0, requires_grad: true}}\nsteps:\n  - expect: {x: {grad: 1.0}}\n"
    backend = Scripted(Observations({}, {0: [{"grad": grad, "dtype": "float32", "shape": ()}]}, {}))
    assert failures(run_one(spec(text), backend)) == [f"grad x: {told}"]
    assert backend.programs[0].steps[0].looks[0].fields == ("grad", "dtype", "shape")


def test_edges_and_nodes_are_told_as_they_are_written():
    text = """
tensors: {x: {data: 2.0, requires_grad: true}}
steps:
  - op: y = x * 3
  - expect: {y: {next_functions: [[MulBackward0, 2], null], nodes: null}}
"""
    assert failures(run_one(spec(text, format='"1.1"'), PythonBackend())) == [
        "next_functions y: expected [[MulBackward0, 2], null], got [AccumulateGrad, null]",
        "nodes y: expected null, got [MulBackward0, AccumulateGrad]",
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("[15.0, null]", None),
        ("[15.0]", "hook h was given 2 gradients, expected 1"),
        ("[15.0, 1.0]", "hook h was given absent as gradient 2, expected 1.0"),
        ("[null, null]", "hook h was given 15.0 as gradient 1, expected absent"),
        ("[16.0, null]", "hook h was given 15.0 as gradient 1, expected 16.0"),
    ],
)
def test_what_a_hook_on_a_node_was_given(given: str, told: str | None):
    text = f"""
tensors: {{x: {{data: 2.0, requires_grad: true}}}}
steps:
  - op: y = x * 3
  - hook: {{of: y, name: h, after: node}}
  - backward: {{of: y, gradient: 5.0}}
  - expect_hooks: [{{h: {given}}}]
"""
    verdict = run_one(spec(text, format='"1.1"'), PythonBackend())
    assert failures(verdict) == ([f"hooks : {told}"] if told else [])


# Features.


def test_an_unsupported_check_is_left_out_alone():
    backend = Lacking(grad_fn="unsupported")
    verdict = run_one(spec(SQUARE), backend)
    assert verdict.outcome == "passed"
    assert verdict.summary == "passed, 3 of 4 checks"
    assert [check.feature for check in verdict.checks if check.status == "unsupported"] == ["grad-fn"]


def test_an_unsupported_step_takes_with_it_what_depends_on_it():
    text = """
tensors: {x: {data: [1.0, 2.0], requires_grad: true}, w: {data: 3.0, requires_grad: true}}
steps:
  - op: y = exp(x)
  - op: z = sum(y)
  - backward: z
  - op: u = w * 2
  - backward: u
  - expect: {z: {value: 10.107}, x: {value: [1.0, 2.0], grad: [2.7, 7.3]}, w: {grad: 2.0}}
"""
    verdict = run_one(spec(text), Lacking(**{"op:exp": "unsupported"}))
    status = {f"{check.field} {check.name}": check.status for check in verdict.checks}
    assert status == {
        "value z": "unsupported",
        "value x": "passed",
        "grad x": "unsupported",
        "grad w": "passed",
    }
    assert verdict.summary == "passed, 2 of 4 checks"


def test_nothing_left_is_unsupported_with_the_feature_named():
    verdict = run_one(spec(SQUARE), Lacking(**{"dtype:float32": "unsupported"}))
    assert (verdict.outcome, verdict.message) == ("unsupported", "dtype:float32")
    verdict = run_one(spec(SQUARE), Scripted(UnsupportedFeature("everything")))
    assert (verdict.outcome, verdict.message) == ("unsupported", "everything")


def test_a_step_found_unsupported_only_while_running():
    text = "tensors: {x: 1.0}\nsteps:\n  - op: y = x * 2\n  - op: z = y * 2\n  - expect: {z: {value: 4.0}}\n"
    seen = Observations(
        {0: Outcome("unsupported", "op:mul"), 1: Outcome("not-run", text="y")}, {2: [{"missing": True}]}, {}
    )
    verdict = run_one(spec(text), Scripted(seen))
    assert (verdict.outcome, verdict.message) == ("unsupported", "op:mul")


def test_what_is_emulated_is_counted_apart():
    text = """
tensors: {x: {data: 1.0, requires_grad: true}}
steps:
  - op: y = x * 2
  - expect: {y: {value: 2.0}}
  - retain_grad: y
  - backward: y
  - expect: {y: {grad: 1.0}, x: {grad: 2.0}}
"""
    verdict = run_one(spec(text), Lacking(retain_grad="emulated"))
    assert verdict.outcome == "passed"
    assert verdict.counts == (2, 1, 0, 0, 0)
    assert verdict.summary == "passed, 1 emulated"


# Whole specs.


def test_nothing_expected_is_unchecked():
    assert (
        run_one(spec("tensors: {x: 1.0}\nsteps:\n  - op: y = x * 2\n"), PythonBackend()).outcome
        == "unchecked"
    )


def test_raises_null_is_a_check():
    text = "tensors: {x: 1.0}\nsteps:\n  - op: y = x * 2\n    raises: null\n"
    assert run_one(spec(text), PythonBackend()).outcome == "passed"


def test_a_crash_is_an_error_with_its_place():
    verdict = run_one(spec(SQUARE), Scripted(ZeroDivisionError("by zero")))
    assert verdict.outcome == "error"
    assert verdict.message.startswith("ZeroDivisionError: by zero (")
    assert "fakes.py:" in verdict.message


def test_a_backend_that_reports_nothing_does_not_pass():
    verdict = run_one(spec(SQUARE), Scripted(Observations({}, {}, {})))
    assert verdict.outcome == "failed"
    assert verdict.counts == (0, 0, 0, 0, 4)


def test_the_collector_stands_still_and_is_set_going_again():
    states = []

    class Looking(PythonBackend):
        def run(self, program):
            states.append(gc.isenabled())
            return super().run(program)

    assert gc.isenabled()
    run_one(spec(SQUARE), Looking())
    assert states == [False]
    assert gc.isenabled()


def test_the_backend_sees_no_expectation():
    backend = Scripted(Observations({}, {}, {}))
    run_one(spec(SQUARE.replace("4.0], is", "4.125], is")), backend)
    assert "4.125" not in repr(backend.programs)


def test_arrays_of_a_library_are_judged_too():
    pytest.importorskip("numpy")
    from gradspec.backends.numpy import NumpyBackend

    assert run_one(spec(SQUARE), NumpyBackend()).outcome == "passed"
    assert run_one(spec(SQUARE.replace("[2.0, 4.0]", "[2.0, 5.0]")), NumpyBackend()).outcome == "failed"
