-- A gap runs from the latest end so far, so that a call within another makes none. Starts are cut to whole seconds.
WITH timed AS (
  SELECT agent, day, start {/} 1000 AS began, start {/} 1000 + seconds AS ended,
    max(start {/} 1000 + seconds) OVER (PARTITION BY agent, day ORDER BY start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
  FROM calls WHERE {scope}
), days AS (
  SELECT max(ended) - min(began) AS span, coalesce(sum(began - until) FILTER (WHERE began - until > {gap}), 0) AS idle
  FROM timed GROUP BY agent, day
)
SELECT count(*), coalesce(CAST(sum(span) AS BIGINT), 0), coalesce(CAST(sum(span - idle) AS BIGINT), 0) FROM days
