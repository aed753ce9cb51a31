"""The yardstick of `benchmarks.api`: bare views of REST framework on a table of their own."""
