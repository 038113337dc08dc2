"""Whoever can earn, owe or be paid: the platform, outlets, hubs, carriers, couriers, customers."""
