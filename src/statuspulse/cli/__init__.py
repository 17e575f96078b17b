"""Commands (click); heavy imports happen inside them."""
