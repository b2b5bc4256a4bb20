"""The models that come with groundstate, one folder each; torch is only needed to train them."""
