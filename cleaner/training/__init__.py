"""All that makes a model: read corpora, align, label, fit, export, evaluate. Nothing that serves imports this."""
