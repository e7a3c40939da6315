"""What a measurement gives."""

import dataclasses
import statistics


@dataclasses.dataclass
class Table:
    name: str
    head: list
    rows: list
    note: str = ""

    def __str__(self):
        lines = ["| " + " | ".join(self.head) + " |", "|" + "---|" * len(self.head)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in self.rows]
        return "\n".join(lines) + (f"\n\n{self.note}" if self.note else "")


def span(values, digits=0):
    """Median (least-most)."""
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}-{max(values):.{digits}f})")
