"""What the numbers mean: indicators of people and of facilities."""
