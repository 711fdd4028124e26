"""The extension application: opens the lab with the Jupyter server, tells kernels about it, closes it with the server.

Traits are for what belongs to Jupyter; everything else is read from covalent_lab's own settings.
"""

import gc
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Unicode

from covalent_lab._version import __version__
from covalent_lab.config.logs import keep_log
from covalent_lab_server.discovery import Announcement, reachable_url
from covalent_lab_server.handlers.base import CONTEXT_KEY, KernelIdentity, ServerContext
from covalent_lab_server.handlers.openapi import describe
from covalent_lab_server.handlers.table import ROUTES, url_rules
from covalent_lab_server.lifetime import LabLifetime

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from covalent_lab.dispatcher.lab import Lab

__all__ = ["CovalentLabApp"]


class CovalentLabApp(ExtensionApp):
    """Runs workflows inside the Jupyter server."""

    name = "covalent_lab"
    load_other_extensions = True

    enabled = Bool(True, help="False leaves the server without covalent_lab.").tag(config=True)
    data_dir = Unicode("", help="Where dispatches are kept, instead of the place in covalent_lab's settings.").tag(
        config=True
    )
    stop_timeout_s = Float(10.0, help="How long the server waits for the lab when it stops.").tag(config=True)

    lifetime: LabLifetime
    announcement: Announcement | None = None
    kernel_token: str

    def initialize_settings(self) -> None:
        """Make what the handlers share."""
        server = cast("ServerApp", self.serverapp)
        self.lifetime = LabLifetime(self.open_lab, self.log)
        self.kernel_token = secrets.token_urlsafe(32)
        self.settings[CONTEXT_KEY] = ServerContext(
            lifetime=self.lifetime,
            kernel_token=self.kernel_token,
            kernel_identity=KernelIdentity(token="", config=self.config),
            openapi=describe(ROUTES, base_url=server.base_url, version=__version__),
        )

    def initialize_handlers(self) -> None:
        """Register the routes."""
        if self.enabled:
            self.handlers.extend(url_rules())

    def open_lab(self) -> "Lab":
        """Open the lab as the settings say; blocks, so it is called in a thread."""
        from covalent_lab.dispatcher.lab import Lab  # heavy: imports SQLAlchemy
        from covalent_lab.settings import Settings

        keep_log()
        environ = dict(os.environ)
        if self.data_dir:
            environ["COVALENT_DATA_DIR"] = str(Path(self.data_dir).expanduser().absolute())
        return Lab.open(Settings.load(environ))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        if self.enabled and await self.lifetime.open():
            self._announce()
            gc.collect()
            gc.freeze()  # else the collector walks all of Jupyter again and again while a large graph is read

    async def stop_extension(self) -> None:
        """Withdraw what was announced and close the lab; may come without a start, or twice."""
        if self.announcement is not None:
            self.announcement.withdraw()
            self.announcement = None
        if hasattr(self, "lifetime"):
            await self.lifetime.close(self.stop_timeout_s)

    def current_activity(self) -> dict[str, int] | None:
        """What keeps an idle server from shutting down: unfinished dispatches."""
        lab = self.lifetime.lab
        unfinished = 0 if lab is None else lab.unfinished
        return {"unfinished_dispatches": unfinished} if unfinished else None

    def _announce(self) -> None:
        server, lab = cast("ServerApp", self.serverapp), self.lifetime.lab
        url = reachable_url(
            ip=server.ip,
            port=server.port,
            base_url=server.base_url,
            is_https=bool(server.certfile),
            socket_path=server.sock,
        )
        if url is None:
            self.log.info("covalent_lab: on a Unix socket kernels cannot find this server and dispatch by themselves.")
        elif lab is not None:
            self.log.info("covalent_lab: dispatches are kept in %s.", lab.settings.data_dir)
            self.announcement = Announcement(
                url=url,
                token=self.kernel_token,
                runtime_dir=Path(server.runtime_dir),
                root_dir=str(getattr(server.contents_manager, "root_dir", "")),
            )
            try:
                has_lab = "jupyterlab" in server.extension_manager.extensions
                details = {"data_dir": str(lab.settings.data_dir), "version": __version__, "has_lab": has_lab}
                self.announcement.publish(details)
            except OSError as error:
                self.log.warning("covalent_lab: kernels of other programs will not find this server: %s", error)
