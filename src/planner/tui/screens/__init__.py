"""One screen a file. Every screen but the workbench is imported when it is first opened."""
