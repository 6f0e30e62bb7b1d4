# The official nginx image with Parley's pages; docker-compose.yml mounts the configuration.
ARG DEBIAN_IMAGE=debian:trixie-slim
ARG NGINX_IMAGE=nginx:1.30

FROM ${DEBIAN_IMAGE} AS pages
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends python3 >/dev/null && \
	rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY docs/protocol docs/protocol
COPY clients/js/src clients/js/src
COPY web web
RUN web/publish /pages

FROM ${NGINX_IMAGE}
COPY --from=pages /pages /usr/share/parley/web
