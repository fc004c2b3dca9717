"""The kernels without a compiler: what `kernels` does, in numpy, with the same results."""
