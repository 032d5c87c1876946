"""Widgets that draw lines of cells and repaint only the cells that changed."""
