"""Publishing a promoted policy: merging, model card, upload."""
