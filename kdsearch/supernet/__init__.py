"""The weight-sharing supernet: trained by the sandwich rule, scored by carving."""
