"""How plans and estimates leave and enter: TOML, JSON, CSV, reports, pictures, launch settings, and models in. No arithmetic, no interface."""
