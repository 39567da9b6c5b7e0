"""The local engine: jobs run on this machine, each in a process and process group of its own."""
