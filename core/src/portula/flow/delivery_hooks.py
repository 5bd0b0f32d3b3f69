"""The hooks of deliveries to other servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

from portula.flow.deliveries import DeliveryKind, DeliveryWorker
from portula.host.declarations import P
from portula.host.kinds import HookClass, HookDeclarations, contribution, slot


class DeliveryHooks(HookDeclarations, Generic[P]):
    """What is delivered, and by whom."""

    @contribution(HookClass.SEES_SECRETS)
    def portula_deliveries(self, provider: P) -> Mapping[str, DeliveryKind]:
        """Contribute kinds of deliveries by name; `provider.deliveries.record` makes one, for the plan of a request.

        An outbox returns what `record` makes; it is sent once the plan is applied, again and again until it arrived:
        `deliveries.record("tea", event.id, "https://shop.example/tea", {"tea": "green"})`.

        Example:
            def message(delivery):
                return OutgoingMessage(url="https://shop.example/tea", body={"tea": delivery.data["tea"]})

            class Room(Plugin):
                def portula_deliveries(self, provider):
                    return {"tea": DeliveryKind(what="of tea", message=message, permanent=frozenset({410}))}
        """
        return {}

    @slot(HookClass.DECIDES)
    def portula_delivery_worker(self, provider: P) -> DeliveryWorker | None:
        """Answer the slot of the delivery worker, who hears that deliveries wait, e.g. by a task queue.

        What it does in the end is `provider.deliveries.deliver()`, in whatever process. Without an answer threads of
        the processes that serve do (DELIVERY_THREADS).

        Example:
            class Room(Plugin, DeliveryWorker):
                def portula_delivery_worker(self, provider):
                    return self

                def wake(self, added):
                    tasks.send("deliver")

                def look(self):
                    pass
        """
        return None
