"""What tests of whole flows share: a server in a process of its own, and a browser without a window."""
