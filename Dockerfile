ARG PYTHON=3.14.10

# Install the packages into a virtual environment without pip.
FROM python:${PYTHON}-slim-trixie AS packages
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv --without-pip .venv \
    && pip --python .venv/bin/python install --no-cache-dir -r requirements.txt

FROM python:${PYTHON}-slim-trixie
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=packages /app/.venv .venv
COPY manage.py gunicorn.conf.py ./
COPY authn authn
COPY tasks tasks
COPY todo_project todo_project

# Numeric, so that Kubernetes can verify that it is not root. The file system may be read-only.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --start-interval=1s \
    CMD ["python", "-m", "todo_project.status.probe"]
CMD ["gunicorn", "todo_project.wsgi"]
