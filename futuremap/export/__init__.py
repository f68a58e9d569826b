"""Outputs: what planners, GIS officers and workshop facilitators open."""
