-- Turn-around: calendars, clocks, escalations, notifications.

---- create above / drop below ----

-- nothing
