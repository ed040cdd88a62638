-- What operators watch: functions that count without showing anything of a patient.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
