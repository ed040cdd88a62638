-- The order of work: fairness, cancelling, quarantine, admission.

---- create above / drop below ----

-- nothing
