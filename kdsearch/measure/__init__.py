"""What a network costs and how well it does: size, accuracy, latency."""
