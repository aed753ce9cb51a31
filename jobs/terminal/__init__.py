"""Jobs in a terminal: shared by the commands and the demonstration."""
