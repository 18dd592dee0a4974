"""Run plans on databases: users' SQL under the lock, with ledger and history."""
