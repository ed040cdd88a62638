-- Turn-around: calendars, clocks, escalations, notifications.

SELECT 1; -- nothing yet

---- create above / drop below ----

SELECT 1; -- nothing yet
