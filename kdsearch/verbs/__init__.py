"""What the verbs of the command line do: each calls one function of the pipeline."""
