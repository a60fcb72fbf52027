"""As in German texts; the separators of numbers are Django's."""

DATE_FORMAT = "j. F Y"
DATETIME_FORMAT = "j. F Y, H:i"
SHORT_DATETIME_FORMAT = "d.m., H:i"
MONTH_DAY_FORMAT = "j. F"
TIME_FORMAT = "H:i"
