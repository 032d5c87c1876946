"""How plans, estimates and models leave and enter, as files, reports and pictures. No arithmetic, no interface."""
