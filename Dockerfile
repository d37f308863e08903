FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev
COPY . .
# The key signs nothing here, and stays in this stage.
RUN SECRET_KEY=build VAR_DIR=/tmp/var STATIC_ROOT=/app/static \
    .venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.13-slim
RUN useradd --system --uid 1000 --no-create-home gumshoe && install --directory --owner gumshoe /var/lib/gumshoe
WORKDIR /app
COPY --from=build /app /app
USER gumshoe
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=8000 VAR_DIR=/var/lib/gumshoe STATIC_ROOT=/app/static
VOLUME /var/lib/gumshoe
EXPOSE 8000
HEALTHCHECK --interval=10s --start-period=30s --timeout=5s CMD \
    ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
CMD ["python", "-m", "config.serve"]
