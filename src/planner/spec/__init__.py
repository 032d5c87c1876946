"""What is planned: frozen objects, the words of their errors, and the rules about them. Imports no engine."""
