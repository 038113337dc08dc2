"""What a shipper pays for: price, order, terms, and the shares of every party."""
