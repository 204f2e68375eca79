"""Prints what DuckDB finds in a file with rows of `engagement`: the rows, sums and known values."""

import sys

import duckdb

SUMS = """select count(*), sum(likes), sum(comments), count(comments),
                 sum(epoch_us(observed_at) // 1000000)
          from {}"""

path = sys.argv[1]
duckdb.sql("set timezone = 'UTC'")
duckdb.sql("set memory_limit = '500MB'")
if path.endswith(".parquet"):
    source = f"'{path}'"
    kinds = {row[0]: row[1] for row in duckdb.sql(f"describe select * from {source}").fetchall()}
    wanted = {
        "likes": "BIGINT",
        "exact": "BOOLEAN",
        "item_id": "VARCHAR",
        "observed_at": "TIMESTAMP WITH TIME ZONE",
    }
    wrong = {name: kinds.get(name) for name, kind in wanted.items() if kinds.get(name) != kind}
    if wrong:
        sys.exit(f"columns of another type: {wrong}")
else:
    source = f"read_csv('{path}', types = {{'observed_at': 'TIMESTAMP', 'item_id': 'VARCHAR'}})"
print(*duckdb.sql(SUMS.format(source)).fetchall()[0])
