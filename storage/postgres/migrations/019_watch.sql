-- What operators watch: functions that count without showing anything of a patient.

---- create above / drop below ----

-- nothing
