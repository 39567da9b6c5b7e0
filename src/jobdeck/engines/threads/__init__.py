"""The engine of threads: jobs run in the process that submits them, with the very objects that they were given."""
