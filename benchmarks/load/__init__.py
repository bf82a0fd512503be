"""The load generator: thousands of readers in one or two processes of their own."""
