"""Models from the `config.json` that goes with their weights on Hugging Face."""
