"""Readers: one per provider and format, a file in and core nouns out.

A reader adds everything it finds wrong to the report, with file, line and column, and goes
on; it neither raises on bad input nor prints, and it never fills a gap. What could not be
read in full is not handed on.
"""
