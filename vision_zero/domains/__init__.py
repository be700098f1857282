"""Where pairs come from, one package a domain: scenes, charts, photos, pictures, imported."""
