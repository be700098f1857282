"""How the embedded policy is made: supervised fine-tuning on procedural pictures, then an exam."""
