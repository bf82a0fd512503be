"""The tests. A package, so that its parts import each other by one name, however it is run."""
