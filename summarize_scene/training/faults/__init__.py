"""How the model came to be that is asked where the monitor's rules know nothing: situations, training, card."""
