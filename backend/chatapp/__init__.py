"""
A chat service: people hold conversations with language models, kept in PostgreSQL.

    settings -> app (assembles)
                 ├── api/        HTTP: routes, problems, limits, probes; no SQL, no model
                 ├── answering, summarising   what a request does, step by step
                 ├── prompt, formats, paging, identity   decide; pure
                 ├── models/     language models behind one protocol
                 └── postgres/   rows and SQL; the schema is Rung's affair
"""

__version__ = "0.1.0"
