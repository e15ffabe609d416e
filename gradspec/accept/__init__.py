"""Writing what a backend answers into the expectations of spec files, and nothing else."""
