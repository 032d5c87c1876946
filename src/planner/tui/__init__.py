"""The terminal UI. It reads the session, sends intents, and holds no arithmetic of plans."""
