"""The main job shown on real input; run by `make demo`."""
