"""S1_INTERFEROGRAM: from two single look products to phase, coherence and displacement on a map."""
