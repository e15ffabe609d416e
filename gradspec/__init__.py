"""gradspec: a conformance suite for automatic differentiation, with cases as data."""

__version__ = "0.1.0"
__all__ = ["__version__"]
