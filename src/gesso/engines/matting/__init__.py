"""Alpha mattes: soft edges and hair out of a coarse mask."""
