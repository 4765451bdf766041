"""Results as a reader sees them: terminal, HTML, Markdown, mail, TensorBoard."""
