"""Batches that pay parties what is available to them, prepared by one person and approved by another."""
