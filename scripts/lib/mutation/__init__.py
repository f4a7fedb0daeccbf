"""Mutation tests: one small fault at a time in a copy of the checkout, which tests must see."""
