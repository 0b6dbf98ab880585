# The program in an image: docs/deploy/README.md, "Containers". Build it in a clone: `docker build -t tta .`
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
ENV UV_PROJECT_ENVIRONMENT=/opt/tta UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN python3 -m pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE NOTICE ./
# Such as "--extra parquet --extra ai".
ARG EXTRAS=""
# Again only if the locked dependencies change.
RUN python3 -m uv sync --frozen --no-install-project ${EXTRAS}
COPY scraper scraper
COPY parsers parsers
RUN python3 -m uv sync --frozen --no-editable ${EXTRAS}

FROM ${PYTHON}
COPY --from=build /opt/tta /opt/tta
COPY docs/deploy/nightly.sh /usr/local/bin/tta-nightly
# Volumes take their owner from the folders of the image that they are mounted over.
RUN useradd --uid 10001 --user-group --home-dir /data --no-create-home tta && install -d -o tta -g tta -m 0750 /data /data/archive
ENV PATH=/opt/tta/bin:${PATH} PYTHONUNBUFFERED=1 TTA_DATA=/data
USER 10001
WORKDIR /data
EXPOSE 8001
# 503 if the last committed refresh is more than 72 hours old.
HEALTHCHECK --interval=1m --timeout=10s --start-period=1m \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8001/-/health', timeout=9)"]
ENTRYPOINT ["tta"]
CMD ["serve", "--host", "0.0.0.0"]
