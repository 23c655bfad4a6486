-- 1970-01-01 was a Thursday; Sunday is 0.
SELECT (day + 4) % 7 AS weekday,
  CAST((start {/} 1000 + {zone}) % 86400 {/} 3600 AS INTEGER) AS hour,
  count(*),
  count(*) FILTER (WHERE {connected}),
  count(*) FILTER (WHERE {unattended}),
  coalesce(CAST(sum(seconds) FILTER (WHERE {connected}) AS BIGINT), 0)
FROM calls WHERE {scope}
GROUP BY 1, 2
ORDER BY 1, 2
