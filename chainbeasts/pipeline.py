"""Trains a brain on a dataset: cached, resumed from its checkpoint, its figures told."""

from __future__ import annotations

from chainbeasts.trainer.datasets.pipeline import PipelineRun, run_dataset_pipeline

__all__ = ["PipelineRun", "run_dataset_pipeline"]
