"""Later years: rates from two dates, the step, and totals that must be met."""
