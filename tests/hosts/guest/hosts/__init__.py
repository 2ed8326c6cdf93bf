"""The hosts, each a module: SERVICE (its file in pam.d), `prepare()`, `use(stack)`, `log_in(case, evidence)`.

Further: SHOWS_TEXT = False (it shows no words), HELPER_CONFIGURATION (lines), CASES (instead of the
cases for all), OWN (name and function of what is tried with this host alone), `absent()` (why the
machine has not got it).
"""
