"""Each module has faults(root): a line of text for each thing that is wrong."""
