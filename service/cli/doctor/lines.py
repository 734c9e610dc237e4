"""Where the line stands that a finding names: in nginx's files, or in those of another proxy."""

from dataclasses import dataclass
from pathlib import Path

from service.access.apps import App


@dataclass(frozen=True)
class Lines:
    """The files of nginx, and the app in question; `other_proxy`: the way of the app leads through Caddy or Traefik."""

    nginx_dir: Path
    app: App | None = None
    other_proxy: bool = False

    def of_app(self, directive: str) -> str:
        if self.app is None:
            return self.of_login(directive)
        if self.other_proxy:
            command = f"vestibule proxy render nginx|caddy|traefik --app {self.app.name}"
            return f"your proxy's file for {self.app.name}: take all that `{command}` prints"
        return f"{self.nginx_dir}/apps/{self.app.name}.conf: {directive}"

    def of_http(self, directive: str) -> str:
        """Return a line that nginx takes from its first server: it holds for all apps."""
        return self.of_app(directive) if self.other_proxy else f"{self.nginx_dir}/nginx.conf, http {{ }}: {directive}"

    def of_tls(self, file: str, directive: str) -> str:
        """Return a line about TLS, which may end in another proxy than the one that asks the door."""
        return f"where TLS ends ({self.nginx_dir}/{file}, or the proxy in front): {directive}"

    def of_login(self, directive: str) -> str:
        return f"{self.nginx_dir}/nginx.conf: {directive}"
