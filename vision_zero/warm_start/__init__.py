"""How the embedded policy is made: supervised fine-tuning (SFT) on procedural images, then a held-out evaluation."""
