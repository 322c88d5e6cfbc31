"""The one training loop, shared by teacher, supernet, students and finalists."""
