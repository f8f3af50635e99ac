# A node in a container: docs/image.md. Works with the classic builder and with BuildKit.
# Each digest is one that at least four independent public records agree on; `npm run check:downloads` asks the registry for it.
# Another distribution by its name: fedora.
ARG BASEOS=ubuntu:24.04@sha256:4fbb8e6a8395de5a7550b33509421a2bafbc0aab6c06ba2cef9ebffbc7092d90
# Used instead of it. Together with the next two it allows a build without a registry.
ARG BASE_IMAGE
ARG NODE_IMAGE=node:20-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0
ARG GO_IMAGE=golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d

FROM ${NODE_IMAGE} AS node
FROM ${GO_IMAGE} AS go
FROM ${BASE_IMAGE:-${BASEOS}} AS base

# On the same base as the result, so that compiled programs match its libraries.
FROM base AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /src
COPY . .
RUN image/build.sh

FROM base
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build /out/usernetes /usr/local/lib/usernetes
COPY image/entrypoint.sh image/setup.sh /usr/local/lib/usernetes/image/
RUN /usr/local/lib/usernetes/image/setup.sh
COPY --from=build --chown=usernetes:usernetes /out/artifacts /home/usernetes/.local/share/usernetes/artifacts

# The engine forwards connections to the container's own address.
ENV XDG_RUNTIME_DIR=/run/user/1000 U7S_LISTEN_ADDRESS=0.0.0.0
USER usernetes
WORKDIR /home/usernetes
# A volume, because the node's overlay file systems cannot be stacked on the engine's.
VOLUME /home/usernetes/.local/state
HEALTHCHECK --interval=15s --timeout=10s --start-period=5m --retries=3 CMD u7s status >/dev/null || exit 1
ENTRYPOINT ["docker-init", "--", "/usr/local/lib/usernetes/image/entrypoint.sh"]
