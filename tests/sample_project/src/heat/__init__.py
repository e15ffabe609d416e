"""Heat flow, with an automatic differentiation of its own."""
