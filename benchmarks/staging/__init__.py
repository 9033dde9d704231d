"""The staging layer under a virtual clock: how long people wait, and what the pool saves.

Queue, order inside a tape and eviction are those of the service (`storage.scheduling`,
`storage.read_order`, `storage.eviction`); drives, tapes and people are simulated.
"""
