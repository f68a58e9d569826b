"""The base year made ready: shapes for points, town blocks on meshes, points in their place."""
