"""Configure the kernels of the environment in which conv is installed.

JupyterLab copies the language_info that the kernel reports into a notebook as soon as
the notebook is opened. If that changes the notebook's metadata, the notebook is marked
as changed, before anything has been run. The only part that differs between machines is
the version of Python, so neither the kernel reports it nor a notebook stores it.
"""

from ipykernel.ipkernel import IPythonKernel

IPythonKernel.language_info.pop("version", None)
