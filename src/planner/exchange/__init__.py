"""How plans and estimates leave and enter: TOML, JSON, CSV, plain text and Markdown. No arithmetic, no interface."""
