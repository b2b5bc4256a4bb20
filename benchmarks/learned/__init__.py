"""What is learned from examples, measured: rules, ten families of rules, tables, digits."""
