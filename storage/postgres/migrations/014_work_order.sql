-- The order of work: fairness, cancelling, quarantine, admission.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
