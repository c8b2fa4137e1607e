# The page in a container: docker build -t textmusic . && docker run --rm -p 7860:7860 textmusic
# More in docs/deploy.md. Nothing here needs a compiler, a system package or torch.

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY tokenizers tokenizers
COPY textmusic textmusic
RUN python -m venv /opt/textmusic
RUN /opt/textmusic/bin/pip install --no-cache-dir .

FROM python:3.12-slim
# 1000: what Hugging Face runs containers as, and most often the owner of a mounted folder.
RUN useradd --create-home --uid 1000 music \
    && mkdir /cache \
    && chown music /cache
COPY --from=build /opt/textmusic /opt/textmusic
COPY app.py /app/app.py
# Models from the Hub, and what people were given in the last week; nothing else is written.
# NO_PROXY: docker hands its own proxy on, and gradio and the health check ask this very machine.
ENV PATH=/opt/textmusic/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    HF_HOME=/cache/huggingface \
    GRADIO_TEMP_DIR=/cache/gradio \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    NO_PROXY=localhost,127.0.0.1
USER music
WORKDIR /app
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os; from urllib.request import urlopen; urlopen('http://127.0.0.1:' + os.environ['GRADIO_SERVER_PORT'], timeout=9)"]
CMD ["python", "app.py"]
