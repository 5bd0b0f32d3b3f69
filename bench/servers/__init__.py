"""Whole HTTP servers, measured from outside: what runs (`sides`), what is asked (`workloads`), and what it cost."""
