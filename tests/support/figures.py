"""What ``/metrics`` says, read by Prometheus's own parser."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

TIMEOUT = 20.0


@dataclass(frozen=True)
class Figures:
    """The samples of one scrape."""

    samples: tuple[Sample, ...]

    @classmethod
    def parse(cls, text: str) -> Figures:
        """Read Prometheus's text format.

        Raises:
            ValueError: it is none.

        """
        families = text_string_to_metric_families(text)
        return cls(tuple(sample for family in families for sample in family.samples))

    @classmethod
    def of(cls, url: str) -> Figures:
        """Ask a server for them.

        Raises:
            requests.RequestException: it does not answer, or not so.

        """
        answer = requests.get(
            f"{url}/metrics", timeout=TIMEOUT, headers={"Connection": "close", "Accept": ""}
        )
        answer.raise_for_status()
        return cls.parse(answer.text)

    @property
    def names(self) -> set[str]:
        """The names of all samples."""
        return {sample.name for sample in self.samples}

    def sum(self, name: str, /, **labels: str) -> float:
        """Return the sum of the samples of a name that have these labels, 0 where there is none."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
