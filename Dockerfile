# The course in a container, for the CPU:
#   docker build --tag conv .
#   docker run --rm --publish 127.0.0.1:8888:8888 --volume conv:/home/jovyan conv
# For a GPU: docker build --build-arg TORCH=cuda, and docker run --gpus all.
# For a JupyterHub: --build-arg JUPYTERHUB_VERSION=, the version that the hub runs, and
# c.Spawner.default_url = "/lab/tree/notebooks/index.ipynb" in its configuration.
#
# An exact tag, not yet a digest: no registry could be asked when this was written.
# `docker buildx imagetools inspect python:3.12.14-slim-trixie` prints one to add.
FROM python:3.12.14-slim-trixie

# make and git run the README's commands, g++ is chapter 10's compiler, tini ends what
# its children leave behind. Debian removes old versions of a package from its archive,
# so a pinned version soon can't be installed: DL3008 would break the build.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ git make tini \
 && rm -rf /var/lib/apt/lists/*

# The names that Binder and JupyterHub use.
ARG NB_USER=jovyan
ARG NB_UID=1000
ENV NB_USER=${NB_USER} \
    USER=${NB_USER} \
    HOME=/home/${NB_USER} \
    SHELL=/bin/bash \
    VIRTUAL_ENV=/opt/conv/venv \
    PATH=/opt/conv/venv/bin:${PATH} \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
# JupyterLab's terminal is a login shell, which sets PATH anew: hence profile.d.
RUN useradd --no-log-init --create-home --shell "${SHELL}" --uid "${NB_UID}" \
      "${NB_USER}" \
 && install --directory --owner="${NB_USER}" /opt/conv \
 && echo "PATH=${VIRTUAL_ENV}/bin:\${PATH}" > /etc/profile.d/conv.sh
# By number: Kubernetes checks runAsNonRoot without knowing a name.
USER ${NB_UID}

# What takes minutes, in a layer that only a new lock makes anew.
WORKDIR /opt/conv/lock
COPY requirements.txt ./
COPY binder/install.py binder/
ARG TORCH=cpu
ARG JUPYTERHUB_VERSION=6.1.1
RUN python3 -m venv "${VIRTUAL_ENV}" \
 && python binder/install.py --torch "${TORCH}" --jupyterhub "${JUPYTERHUB_VERSION}"

# The course as it was published, for binder/entrypoint.sh to copy.
WORKDIR /opt/conv/course
COPY . ./
RUN pip install --no-deps . \
 && python -c "import conv"

# A hub may mount a volume here, so nothing of the image is in it.
WORKDIR ${HOME}
EXPOSE 8888
HEALTHCHECK --start-period=60s --timeout=10s \
  CMD ["python", "/opt/conv/course/binder/healthcheck.py"]
# A spawner replaces the command, by jupyterhub-singleuser say, not the entrypoint.
ENTRYPOINT ["tini", "--", "/opt/conv/course/binder/entrypoint.sh"]
# The token stays on: the address that JupyterLab prints has it in it.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", \
     "--LabApp.default_url=/lab/tree/notebooks/index.ipynb"]
