"""The database `tta.db`: a function of the archive. `load` fills it, `schema` shapes it; readers open it through `connection`."""
