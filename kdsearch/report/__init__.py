"""The page a person looks at: plain data in (`summary`), HTML and SVG out (`page`, `front`)."""
