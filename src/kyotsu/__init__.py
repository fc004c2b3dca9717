"""kyotsu (共通, "in common"): the open platform for carmakers that share parts and software."""

__version__ = "0.1.0"
