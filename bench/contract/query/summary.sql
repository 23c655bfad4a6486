SELECT count(*),
  count(*) FILTER (WHERE type = 1),
  count(*) FILTER (WHERE type = 2),
  count(*) FILTER (WHERE {missed}),
  count(*) FILTER (WHERE type = 5),
  count(*) FILTER (WHERE type = 6),
  count(*) FILTER (WHERE type = 4),
  count(*) FILTER (WHERE {connected}),
  count(*) FILTER (WHERE type = 1 AND {connected}),
  count(*) FILTER (WHERE type = 2 AND {connected}),
  coalesce(CAST(sum(seconds) FILTER (WHERE {connected}) AS BIGINT), 0),
  count(*) FILTER (WHERE {not_picked_up}),
  count(*) FILTER (WHERE {unattended})
FROM calls WHERE {scope}
