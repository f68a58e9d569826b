"""What would it take: the least effort with which a future that is wanted comes about."""

from futuremap.backcast.answer import Answer as Answer
from futuremap.backcast.backcast import backcast as backcast
from futuremap.backcast.prescription import prescribe as prescribe
