# syntax=docker/dockerfile:1
# Quickstep in a container; docs/operate/deploy.md has the commands. For reproducible builds, give the
# base image by its digest: --build-arg PYTHON=python:3.13-slim-trixie@sha256:…
ARG PYTHON=python:3.13-slim-trixie

# The server's packages, each file checked by its hash (requirements.txt), wheels only: no compiler,
# and no third-party code runs during the installation.
FROM ${PYTHON} AS build
COPY requirements.txt /build/
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
        --disable-pip-version-check --require-hashes --only-binary :all: \
        -r /build/requirements.txt
COPY . /app
# The file system is read-only later, so modules are compiled here. Their validity does not depend on
# times, which layers change.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /app

FROM ${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Quickstep" \
      org.opencontainers.image.description="A login server: sign in with Google, Facebook, GitHub and more, joined to one account" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A numeric user, so that a cluster can check that it is not root.
RUN groupadd --gid 10001 quickstep \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin quickstep \
    && install -d -o 10001 -g 10001 -m 0700 /app/instance
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8000/livez', timeout=3)"]
ENTRYPOINT ["/app/deploy/entrypoint"]
CMD ["serve"]
