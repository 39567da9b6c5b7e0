"""A million jobs and ten thousand workers, as far as one machine can show them; docs/scale.md says what came of it."""
