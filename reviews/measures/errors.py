"""What a measure raises instead of returning a number that flatters."""


class InsufficientData(ValueError):
    """There is too little to measure: the figure is unknown, which is neither zero nor one."""

    def __init__(self, measure: str, reason: str) -> None:
        super().__init__(f"{measure} cannot be measured: {reason}")


class UnfitData(ValueError):
    """The numbers contradict each other or do not suit the measure: the caller has to mend them."""

    def __init__(self, measure: str, reason: str) -> None:
        super().__init__(f"{measure} cannot use these data: {reason}")
