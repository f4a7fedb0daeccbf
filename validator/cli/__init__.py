"""Commands of the validator: ``chainbeasts validator`` and ``chainbeasts dispute``."""
