"""The hosts: each a module with SERVICE (its file in pam.d), `stack(name)` and `log_in(case, evidence)`."""
