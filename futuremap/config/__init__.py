"""The project file: what it may say, and where in it something is wrong."""

from futuremap.config.load import load as load
from futuremap.config.model import Municipality as Municipality
from futuremap.config.model import Project as Project
