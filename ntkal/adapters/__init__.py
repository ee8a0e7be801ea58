"""Other people's tools: scikit-activeml (:mod:`~ntkal.adapters.activeml`), and people with files.

In: their arrays, tables and files. Out: what the folders before take, and back.
"""

from ntkal.adapters.asking import Progress, ask
from ntkal.adapters.label_files import Answers, label_config, read_answers, tell, write_queries

__all__ = ["Answers", "Progress", "ask", "label_config", "read_answers", "tell", "write_queries"]
