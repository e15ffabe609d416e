"""The project's own engine. It has a fault: the derivative of abs at 0 is 1."""

from gradspec.backends.python import PythonBackend
from gradspec.dense import Dense


class Heat(PythonBackend):
    name = "heat"
    version = "1.0"

    def run(self, program):
        seen = super().run(program)
        if any(call.op == "abs" for call in program.calls):
            for looks in seen.seen.values():
                for look in looks:
                    if isinstance(grad := look.get("grad"), Dense):
                        look["grad"] = Dense(grad.dtype, grad.shape, [value or 1.0 for value in grad.flat()])
        return seen
