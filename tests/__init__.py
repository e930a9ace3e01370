"""Tests mirror the tree; `world` holds the real parts that they run against."""
