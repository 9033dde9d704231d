"""Durable jobs: submission, dispatch, workers."""
