"""Clients that ask a server without a pause until it takes no more connections."""

import secrets
import threading

import httpx


class Load:
    """Asks from several threads; what got no answer although it should have is kept as `lost`."""

    def __init__(self, url: str, clients: int = 6) -> None:
        """Begin to ask for a URL."""
        self.url, self.answers, self.lost = url, 0, list[BaseException]()
        self.stops = threading.Event()
        """Set it before the server is told to stop."""
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until each client was refused."""
        for thread in self._threads:
            thread.join(20)

    def _ask(self) -> None:
        with httpx.Client() as client:
            while True:
                steps: list[str] = []
                traced = {"trace": lambda step, _, steps=steps: steps.append(step)}
                # Another query each time, so that a thread answers, and not the event loop from its last second.
                url = f"{self.url}?n={secrets.token_hex(4)}"
                try:
                    self.answers += client.get(url, timeout=10, extensions=traced).status_code == 200
                except httpx.ConnectError:
                    return
                except httpx.TransportError as error:
                    # Between a server's last accept and the end of its socket the system takes connections by itself.
                    if not (self.stops.is_set() and "connection.connect_tcp.complete" in steps):
                        self.lost.append(error)
                    return
