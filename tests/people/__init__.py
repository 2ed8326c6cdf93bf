"""Rendered webcam clips of people who do not exist: licence-clean recordings for demo and tests."""
