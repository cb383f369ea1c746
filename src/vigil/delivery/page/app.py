"""The live page and its neighbours for programs, as an application that any ASGI server runs.

/            the page            /alerts      alerts in JSON, page by page
/live        its WebSocket       /status      cameras, targets and problems in JSON
/evidence/   pictures, clips     /metrics     for Prometheus
/login       for the token       /healthz     200 when all is well, 503 with the problems
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import FastAPI, HTTPException, Query, Request, WebSocket
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vigil.core.errors import VigilError
from vigil.delivery.outbox import Outbox
from vigil.delivery.page.access import COOKIE, SESSION_S, Access, AccessMiddleware
from vigil.delivery.page.cameras import Cameras
from vigil.delivery.page.feed import Feed, stored_json
from vigil.delivery.page.metrics import metrics_text
from vigil.delivery.page.status import LiveStatus

HERE = Path(__file__).parent
EVIDENCE_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4", ".webm": "video/webm"}
PAGE_LENGTH, LONGEST_PAGE = 50, 500  # alerts
LONGEST_FORM = 4096  # bytes
WRONG_TOKEN_S = 1.0  # s that a wrong token takes
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def make_app(
    outbox: Outbox,
    cameras: Cameras,
    evidence: Path,
    access: Access,
    problems: Callable[[], Sequence[str]] = lambda: (),
) -> FastAPI:
    """Returns the application.

    `evidence` is the folder in which the alerts' pictures and clips lie. `problems` says what is wrong with this vigil,
    a line each; a camera that is away is no such problem.
    """
    app = FastAPI(title="vigil", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(AccessMiddleware, access=access)
    app.add_exception_handler(VigilError, _explain)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    _add_pages(app, access)
    _add_data(app, outbox, cameras, problems)
    _add_evidence(app, evidence)
    return app


def _explain(_: Request, error: Exception) -> Response:
    """What cannot be answered now, such as with an outbox that cannot be read, in one line."""
    return JSONResponse({"detail": str(error)}, 503)


def _add_pages(app: FastAPI, access: Access) -> None:
    templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)

    @app.get("/")
    def show_page() -> HTMLResponse:
        return HTMLResponse(templates.get_template("live.html.j2").render(takes_token=access.takes_token))

    @app.get("/login")
    def show_login() -> Response:
        if not access.takes_token:
            return RedirectResponse("/", 303)
        return HTMLResponse(templates.get_template("login.html.j2").render(is_wrong=False))

    @app.post("/login")
    async def log_in(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_FORM:
                raise HTTPException(413, "a token is not that long")
        form = parse_qs(body.decode(errors="replace"))
        if not access.is_token(form.get("token", [""])[0].strip()):
            await asyncio.sleep(WRONG_TOKEN_S)
            return HTMLResponse(templates.get_template("login.html.j2").render(is_wrong=True), 401)
        answer = RedirectResponse("/", 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, access.make_cookie(), max_age=SESSION_S, httponly=True, samesite="strict", secure=is_secure
        )
        return answer

    @app.post("/logout")
    def log_out() -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


def _add_data(app: FastAPI, outbox: Outbox, cameras: Cameras, problems: Callable[[], Sequence[str]]) -> None:
    status = LiveStatus(outbox, cameras, problems)

    @app.get("/status")
    def show_status() -> dict[str, Any]:
        return status.describe()

    @app.get("/alerts")
    def list_alerts(
        since: Annotated[int | None, Query(ge=0)] = None,
        before: Annotated[int | None, Query(ge=0)] = None,
        camera: str | None = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE_LENGTH,
    ) -> dict[str, Any]:
        """With `since`, every revision after that `seq`, the oldest first; `next` is the `since` of the next request.

        Without, each alert once in its latest revision, the newest first; `next` is the `before` of the next page, and
        null on the last. `last_seq` is where to go on with `since` after the first page.
        """
        if since is not None and before is not None:
            raise HTTPException(422, "`since` goes forwards and `before` backwards; name one of them")
        following: int | None
        last_seq = outbox.last_seq()  # before the page is read, so that nothing falls in between
        if since is not None:
            stored = outbox.after(since, limit, camera)
            following = stored[-1].seq if stored else since
        else:
            stored = outbox.newest(limit, before, camera)
            following = stored[-1].raised if len(stored) == limit else None
        return {"alerts": [stored_json(alert) for alert in stored], "next": following, "last_seq": last_seq}

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics_text(outbox, cameras), media_type=METRICS_TYPE)

    @app.get("/healthz")
    def show_health() -> Response:
        problems = status.find_problems()
        return PlainTextResponse("\n".join(problems or ["well"]) + "\n", 503 if problems else 200)

    @app.websocket("/live")
    async def feed_page(socket: WebSocket, since: int = 0) -> None:
        await Feed(socket, outbox, cameras, status.describe).run(since)


def _add_evidence(app: FastAPI, evidence: Path) -> None:
    @app.get("/evidence/{path:path}")
    def send_evidence(path: str) -> Response:
        """A picture or a clip, whole or in ranges; nothing that lies outside the folder, links included."""
        folder = evidence.resolve()
        try:
            file = (folder / path).resolve()
            is_evidence = file.is_relative_to(folder) and file.suffix in EVIDENCE_TYPES and file.is_file()
        except (OSError, ValueError):  # a name that no file can have
            is_evidence = False
        if not is_evidence:
            return JSONResponse({"detail": "no such picture or clip"}, 404)
        return FileResponse(file, media_type=EVIDENCE_TYPES[file.suffix])
