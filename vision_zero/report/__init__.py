"""Pages that show what happened: one self-contained HTML file each, without scripts, so that any frame may display them."""
