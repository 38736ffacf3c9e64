# One image for every Airflow component and the sandbox; docker-compose.yml says which command each container runs.
# The Celery executor and its `airflow celery` command come with the apache/airflow image (celery provider); our pinned
# packages are added to it, and the pin of Airflow is the image's own version. The image is pinned by its digest, which
# bin/pin-images writes into .env: a tag may be moved.
ARG AIRFLOW_DIGEST
FROM apache/airflow:3.3.2-python3.11@${AIRFLOW_DIGEST}

# What runs, without the tools of the tests, each package by its hash.
# The second list signs people in at an identity provider, where the settings name one (docs/people.md).
COPY --chown=airflow:root requirements/image.txt requirements/sign-in.txt /opt/onefold/requirements/
RUN uv pip install --no-cache --require-hashes -r /opt/onefold/requirements/image.txt -r /opt/onefold/requirements/sign-in.txt

COPY --chown=airflow:root catalog /opt/onefold/catalog
COPY --chown=airflow:root dags /opt/onefold/dags
COPY --chown=airflow:root dbt_project /opt/onefold/dbt_project
COPY --chown=airflow:root expectations /opt/onefold/expectations
COPY --chown=airflow:root plugins /opt/onefold/plugins
COPY --chown=airflow:root sandbox /opt/onefold/sandbox

ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/onefold/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/onefold/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    PYTHONPATH=/opt/onefold/plugins:/opt/onefold
WORKDIR /opt/onefold
# Where the audit chain's heads are anchored, and the key by which erased persons are recognised; docker-compose.yml keeps
# each in a volume, which takes owner and permissions over from here. Which account COPY gives the folder above it depends on the builder, so root makes this one.
USER root
RUN install --directory --owner=airflow --group=root --mode=0700 /opt/onefold/.onefold /opt/onefold/.onefold/privacy
USER airflow
