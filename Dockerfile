# Two images from one file: `service` (gunicorn and the command `vestibule`) and `edge` (nginx with its files rendered).
#
#   docker build --target service -t vestibule .
#   docker build --target edge -t vestibule-edge .
#
# They meet at a unix socket in /run/vestibule, which both mount. Neither runs as root, and both run with a read-only
# root, given /tmp and the volumes below.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie
ARG NGINX_IMAGE=docker.io/nginxinc/nginx-unprivileged:1.30

# --- build: the only stage that uses pip ---
FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/vestibule/app
COPY requirements.txt requirements-build.txt ./
RUN python -m venv --without-pip /opt/vestibule \
 && python -m pip --python /opt/vestibule/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps --only-binary :all: \
      -r requirements.txt -r requirements-build.txt
COPY pyproject.toml LICENSE nginx.conf ./
COPY deploy/gunicorn.conf.py deploy/
COPY service service
# The project stays one folder, as in a checkout (nginx.conf and gunicorn's configuration lie beside the package).
# Byte code is compiled here, because a read-only root keeps none, and for libraries too: pip's byte code depends on the
# files' times, which some tools round when they make a layer; Python would then compile them at every start.
RUN python -m pip --python /opt/vestibule/bin/python install --no-cache-dir --no-build-isolation --no-deps --editable . \
 && python -m pip --python /opt/vestibule/bin/python uninstall --yes flit_core \
 && /opt/vestibule/bin/python -m compileall -q --invalidation-mode unchecked-hash service /opt/vestibule/lib \
 && chmod -R a+rX /opt/vestibule
ENV PATH=/opt/vestibule/bin:$PATH
# Write-ahead logging is safe from SQLite 3.51.3 on (sqlite.org/wal.html#walresetbug). There is no wheel of it for arm64:
# the service keeps a rollback journal there, says so when it starts, and PostgreSQL is advised.
RUN test "$(uname -m)" != x86_64 \
 || python -c "import pysqlite3 as s, sys; sys.exit(s.sqlite_version_info < (3, 51, 3) and s.sqlite_version)"

# --- the service ---
FROM ${PYTHON_IMAGE} AS service
LABEL org.opencontainers.image.title="Vestibule" \
      org.opencontainers.image.description="The login service that a small team puts in front of everything it runs." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# This image cannot install or compile: the base image's pip is removed, and its absence is checked.
RUN find /usr/lib /usr/local/lib /usr/bin /usr/local/bin \
      \( -name 'pip' -o -name 'pip[0-9.-]*' -o -name 'ensurepip' -o -name 'python-wheels' \) -prune -exec rm -rf {} + \
 && ! python -c 'import pip' 2>/dev/null && ! command -v pip && ! command -v cc && ! command -v gcc \
 && groupadd --gid 10001 vestibule \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin vestibule \
 && install -d -m 0755 /etc/vestibule /etc/vestibule/apps.d \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/vestibule \
 && install -d -o 10001 -g 10001 -m 2750 /run/vestibule
COPY --from=build /opt/vestibule /opt/vestibule
# The two listeners are nginx's: `vestibule proxy render` writes them into the edge's files, beside the socket. Workers look there
# for the apps in force, whose files are mounted at /etc/vestibule/apps.d.
ENV PATH=/opt/vestibule/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    VESTIBULE_STATE_DIR=/var/lib/vestibule VESTIBULE_SERVER__SOCKET=/run/vestibule/gunicorn.sock \
    VESTIBULE_SERVER__LISTEN=0.0.0.0:8080 VESTIBULE_OPS_LISTEN=0.0.0.0:9180 VESTIBULE_DOOR__NGINX_DIR=/run/vestibule/nginx
USER 10001:10001
VOLUME ["/var/lib/vestibule", "/run/vestibule"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["vestibule", "ping"]
ENTRYPOINT ["vestibule"]
CMD ["serve"]

# --- what nginx reads, with the default settings ---
FROM service AS rendered
USER 0
# Started by itself, nginx has no `vestibule proxy metrics` beside it that reads and frees the file of counts.
RUN vestibule proxy render --output /etc/nginx && sed -i '/access_log requests.count/d' /etc/nginx/nginx.conf
USER 10001:10001

# --- nginx ---
FROM ${NGINX_IMAGE} AS edge
LABEL org.opencontainers.image.title="Vestibule's edge" \
      org.opencontainers.image.description="nginx in front of Vestibule: every request passes through it." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 0
# The socket's directory as the service's image has it: the first container that mounts a new volume gives it these rights.
RUN rm -rf /etc/nginx/conf.d && install -d -o 10001 -g 10001 -m 2750 /run/vestibule
COPY --from=rendered /etc/nginx /etc/nginx
RUN nginx -t -e stderr -p /tmp/ -c /etc/nginx/nginx.conf && rm -rf /tmp/*
# The group is the service's: it may open the socket, and read what `vestibule proxy render` left beside it.
USER 101:10001
EXPOSE 8080 9180
STOPSIGNAL SIGQUIT
ENTRYPOINT []
CMD ["nginx", "-e", "stderr", "-p", "/tmp/", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"]

# A build without --target makes the service.
FROM service
