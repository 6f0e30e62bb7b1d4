"""Each module has faults(root): one line of text for each fault."""
