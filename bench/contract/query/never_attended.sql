-- No connected call at or after the first unattended one: the last connected call came before it, or never.
SELECT count(*), coalesce(CAST(sum(unattended) AS BIGINT), 0)
FROM (
  SELECT min(start) FILTER (WHERE {unattended}) AS first_unattended,
    max(start) FILTER (WHERE {connected}) AS last_connected,
    count(*) FILTER (WHERE {unattended}) AS unattended
  FROM calls WHERE {scope} AND {person}
  GROUP BY num
) people
WHERE first_unattended IS NOT NULL AND (last_connected IS NULL OR last_connected < first_unattended)
