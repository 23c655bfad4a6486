WITH people AS (
  SELECT num, bool_or({connected}) AS reached FROM calls WHERE {scope} AND {person} GROUP BY num
)
SELECT count(*), count(*) FILTER (WHERE reached),
  (SELECT count(*) FROM people p WHERE NOT EXISTS (SELECT 1 FROM calls earlier WHERE earlier.num = p.num AND earlier.day < {from}))
FROM people
