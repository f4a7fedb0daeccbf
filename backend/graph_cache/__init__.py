"""Compiles native kernels and keeps them: one object for a graph, source, compiler and target."""
