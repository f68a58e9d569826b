"""Interventions as differences: who comes, what rates change, which facilities stand where."""
