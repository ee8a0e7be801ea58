"""Other people's tools: scikit-activeml (:mod:`~ntkal.adapters.activeml`) and files of labels."""
