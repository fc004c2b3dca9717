"""Which parts to make common, with a proof."""
