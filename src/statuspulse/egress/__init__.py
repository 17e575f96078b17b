"""Every outgoing connection of the product: address policy, resolver, guarded dial, HTTP client."""
