"""The Dask engine: an agent that is a client of a scheduler, and jobs that run on its workers."""
