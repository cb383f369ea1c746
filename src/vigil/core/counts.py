"""Numbers of things in sentences."""


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 camera`, `2 cameras`; `plural` where that is not the singular with an s."""
    return f"{number} {singular}" if number == 1 else f"{number} {plural or singular + 's'}"
