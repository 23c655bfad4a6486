SELECT agent, count(*) AS calls,
  count(*) FILTER (WHERE type = 1),
  count(*) FILTER (WHERE type = 2),
  count(*) FILTER (WHERE {missed}),
  count(*) FILTER (WHERE {connected}),
  coalesce(CAST(sum(seconds) FILTER (WHERE {connected}) AS BIGINT), 0),
  count(*) FILTER (WHERE {not_picked_up}),
  count(DISTINCT num) FILTER (WHERE {person})
FROM calls WHERE {scope}
GROUP BY agent
ORDER BY calls DESC, agent
