"""Report, replay and gallery pages: self-contained HTML files without scripts, so that any frame can show them."""
