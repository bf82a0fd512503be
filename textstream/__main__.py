"""``python -m textstream``: the command line."""

from textstream.cli import main

if __name__ == "__main__":
    main()
